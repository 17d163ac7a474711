//! Which lines and sites are accepted, or wait for it.

use linewatch_shared::matter::Standing;
use linewatch_shared::time::UnixMs;

use super::unpack;
use crate::db::{DbError, Row, Tx};

fn standing(row: &Row) -> Result<Standing, DbError> {
    unpack("matter.body", &row.get::<Vec<u8>>(0)?)
}

/// The latest acceptance of a line that was not called off.
pub fn of_line(tx: &mut Tx<'_>, line: &str) -> Result<Option<Standing>, DbError> {
    let sql = "SELECT body FROM matter WHERE line = $1 AND accepts = 'line' AND state <> 'cancelled' \
         ORDER BY opened_at_ms DESC, id DESC LIMIT 1";
    tx.query_opt(sql, &[line.into()])?.as_ref().map(standing).transpose()
}

/// The same of a site, by its customer and name.
pub fn of_site(tx: &mut Tx<'_>, customer: &str, site: &str) -> Result<Option<Standing>, DbError> {
    let sql = "SELECT body FROM matter WHERE customer = $1 AND site = $2 AND accepts = 'site' AND state <> 'cancelled' \
         ORDER BY opened_at_ms DESC, id DESC LIMIT 1";
    tx.query_opt(sql, &[customer.into(), site.into()])?.as_ref().map(standing).transpose()
}

/// Since when a line serves by its first acceptance; none where it has none, or where that one is still owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServesSince {
    /// When it was first accepted.
    pub accepted_at: Option<UnixMs>,
    /// Whether an acceptance was opened and not called off.
    pub has_acceptance: bool,
}

impl ServesSince {
    /// The columns that [`ServesSince::read`] takes, for a line whose code is `l.code`.
    pub const COLUMNS: &'static str = "(SELECT MIN(m.accepted_ms) FROM matter m WHERE m.line = l.code AND m.accepts = 'line'), \
         (SELECT COUNT(*) FROM matter m WHERE m.line = l.code AND m.accepts = 'line' AND m.state <> 'cancelled')";

    /// Reads them, from a place in the row on.
    pub fn read(row: &Row, at: usize) -> Result<Self, DbError> {
        Ok(Self { accepted_at: row.get(at)?, has_acceptance: row.get::<i64>(at + 1)? > 0 })
    }
}

/// The same of one line.
pub fn serves_since(tx: &mut Tx<'_>, line: &str) -> Result<ServesSince, DbError> {
    let sql = format!("SELECT {} FROM line l WHERE l.code = $1", ServesSince::COLUMNS);
    let row = tx.query_opt(&sql, &[line.into()])?;
    row.map_or_else(|| Ok(ServesSince::default()), |row| ServesSince::read(&row, 0))
}

/// The stretches in which promises wait.
pub type Waits = Vec<(UnixMs, UnixMs)>;

/// Of each line when its promises wait: from the handover until it was accepted, `UnixMs::MAX` while it is not.
pub fn waits(tx: &mut Tx<'_>, lines: &[&str]) -> Result<Vec<Waits>, DbError> {
    let sql = "SELECT opened_at_ms, accepted_ms FROM matter WHERE line = $1 AND accepts = 'line' AND promises_wait = 1 \
         AND state <> 'cancelled' ORDER BY opened_at_ms, id";
    let read = |row: &Row| Ok((row.get(0)?, row.get::<Option<UnixMs>>(1)?.unwrap_or(UnixMs::MAX)));
    let asked: Vec<_> = lines.iter().map(|line| vec![(*line).into()]).collect();
    tx.query_each(sql, &asked)?.iter().map(|rows| rows.iter().map(read).collect()).collect()
}

/// Terms of a line, from a moment on.
pub trait Terms: Clone {
    /// From when on they hold.
    fn valid_from(&mut self) -> &mut UnixMs;
    /// Whether anything is promised.
    fn promised(&mut self) -> &mut bool;
}

/// The terms of a line, rising, with nothing promised while its promises wait. The first terms also hold backwards.
pub fn without_waits<T: Terms>(mut terms: Vec<T>, waits: &[(UnixMs, UnixMs)]) -> Vec<T> {
    for (from, to) in waits {
        cut(&mut terms, *from);
        if *to < UnixMs::MAX {
            cut(&mut terms, *to);
        }
        for one in &mut terms {
            let at = *one.valid_from();
            if *from <= at && at < *to {
                *one.promised() = false;
            }
        }
    }
    terms
}

/// Makes terms of their own begin at a moment.
fn cut<T: Terms>(terms: &mut Vec<T>, at: UnixMs) {
    let after = terms.iter_mut().map(|one| *one.valid_from()).take_while(|from| *from <= at).count();
    let Some(before) = terms.get_mut(after.saturating_sub(1)) else { return };
    if *before.valid_from() == at {
        return;
    }
    let mut own = before.clone();
    *own.valid_from() = at;
    terms.insert(after, own);
}

/// Lines of a customer that were first written down since a moment, serve since no day that is known, and were never to
/// be accepted: code, site, and when they were written down.
pub fn fresh_lines(
    tx: &mut Tx<'_>,
    customer: &str,
    since: UnixMs,
    limit: i64,
) -> Result<Vec<(String, Option<String>, UnixMs)>, DbError> {
    let sql = "SELECT l.code, l.site, l.created_at_ms FROM line l WHERE l.customer = $1 AND l.created_at_ms >= $2 \
         AND l.in_service IS NULL AND l.service_over = 0 \
         AND NOT EXISTS (SELECT 1 FROM matter m WHERE m.line = l.code AND m.accepts = 'line') ORDER BY l.code LIMIT $3";
    let rows = tx.query(sql, &[customer.into(), since.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Terms for (UnixMs, bool) {
        fn valid_from(&mut self) -> &mut UnixMs {
            &mut self.0
        }
        fn promised(&mut self) -> &mut bool {
            &mut self.1
        }
    }

    #[test]
    fn nothing_is_promised_from_the_handover_to_the_acceptance() {
        let held = |terms: &[(i64, bool)], waits: &[(i64, i64)]| {
            let terms = terms.iter().map(|(at, promised)| (UnixMs(*at), *promised)).collect();
            let waits: Vec<_> = waits.iter().map(|(from, to)| (UnixMs(*from), UnixMs(*to))).collect();
            let held: Vec<(UnixMs, bool)> = without_waits(terms, &waits);
            held.into_iter().map(|(at, promised)| (at.0, promised)).collect::<Vec<_>>()
        };
        let end = UnixMs::MAX.0;
        assert_eq!(held(&[(10, true)], &[]), [(10, true)]);
        assert_eq!(held(&[(10, true)], &[(10, end)]), [(10, false)]);
        assert_eq!(held(&[(10, true)], &[(20, 30)]), [(10, true), (20, false), (30, true)]);
        assert_eq!(held(&[(10, true)], &[(5, 20)]), [(5, false), (10, false), (20, true)]);
        assert_eq!(
            held(&[(10, true), (25, true), (40, false)], &[(20, 30), (35, end)]),
            [(10, true), (20, false), (25, false), (30, true), (35, false), (40, false)]
        );
        assert_eq!(held(&[(10, false)], &[(20, 30)]), [(10, false), (20, false), (30, false)]);
    }
}
