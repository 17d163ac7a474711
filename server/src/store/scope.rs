//! Who sees what: the only way in which a statement is narrowed by who asks. What a caller sees follows from rows as they
//! are when it is read (customers, tasks, laptops, contracts), so that no change of them has to be carried anywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{DbError, Row, Tx, Value};

/// What somebody sees. Each statement takes one value of it, [`Scope::value`], under the number that its condition names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The whole desk: what the program does itself, and users whose role is for everything.
    #[default]
    Everything,
    /// The customers of this user: see [`OWN`].
    Own(String),
    /// What this contractor maintains now.
    Contractor(String),
}

/// The codes of a user's own customers, `{n}` being the user's name: those of which he is account manager or deputy, under
/// the name that he signs in with or the one that customers have him under; those of regions and those that he was
/// given; those with an open task of his; and those of laptops that he may sign in on.
const OWN: &str = "SELECT c.code FROM customer c WHERE c.manager = {n} \
     UNION ALL SELECT c.code FROM customer c WHERE c.deputy = {n} \
     UNION ALL SELECT c.code FROM user_scope s JOIN customer c ON c.manager = s.person WHERE s.user_name = {n} \
     UNION ALL SELECT c.code FROM user_scope s JOIN customer c ON c.deputy = s.person WHERE s.user_name = {n} \
     UNION ALL SELECT c.code FROM user_scope s JOIN customer c ON c.region = s.region WHERE s.user_name = {n} \
     UNION ALL SELECT s.customer FROM user_scope s WHERE s.user_name = {n} AND s.customer IS NOT NULL \
     UNION ALL SELECT m.customer FROM matter m WHERE m.owner = {n} AND m.live = 1 \
     UNION ALL SELECT m.customer FROM user_scope s JOIN matter m ON m.owner = s.person AND m.live = 1 \
     WHERE s.user_name = {n} \
     UNION ALL SELECT a.customer FROM agent_person p JOIN agent_customer a ON a.agent = p.agent AND a.over = 0 WHERE p.user_name = {n} \
     UNION ALL SELECT l.customer FROM agent_person p JOIN line l ON l.agent = p.agent WHERE p.user_name = {n}";

/// The codes of the lines that a contractor maintains.
const MAINTAINED: &str = "SELECT l.code FROM line l JOIN customer c ON c.code = l.customer \
     WHERE COALESCE(l.contractor, c.contractor) = {n}";

impl Scope {
    /// Whether nothing is left out.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// What is bound where the conditions say `$n`.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Everything => "".into(),
            Self::Own(name) | Self::Contractor(name) => name.as_str().into(),
        }
    }

    /// That a column of customers' codes names one that is seen as a whole.
    #[must_use]
    pub fn customers(&self, column: &str, n: usize) -> String {
        self.condition(n, || match self {
            Self::Contractor(_) => {
                format!("{column} IN (SELECT c.code FROM customer c WHERE c.contractor = {{n}})")
            }
            _ => format!("{column} IN ({OWN})"),
        })
    }

    /// That a column of lines' codes names one that is seen.
    #[must_use]
    pub fn lines(&self, column: &str, n: usize) -> String {
        self.condition(n, || match self {
            Self::Contractor(_) => format!("{column} IN ({MAINTAINED})"),
            _ => format!("{column} IN (SELECT l.code FROM line l WHERE l.customer IN ({OWN}))"),
        })
    }

    /// The same of rows that name the line and the customer that it was of then.
    #[must_use]
    pub fn lines_and_customers(&self, line: &str, customer: &str, n: usize) -> String {
        match self {
            Self::Own(_) => self.customers(customer, n),
            Self::Everything | Self::Contractor(_) => self.lines(line, n),
        }
    }

    /// That a row of the table `matter` is seen. A contractor sees those of its lines, of its customers, and of sites where
    /// it maintains a line.
    #[must_use]
    pub fn matters(&self, n: usize) -> String {
        self.condition(n, || match self {
            Self::Contractor(_) => format!(
                "(matter.line IN ({MAINTAINED}) OR (matter.line IS NULL AND (matter.customer IN \
                 (SELECT c.code FROM customer c WHERE c.contractor = {{n}}) OR EXISTS (SELECT 1 FROM line s \
                 WHERE s.contractor = {{n}} AND s.customer = matter.customer AND s.site = matter.site))))"
            ),
            _ => format!("matter.customer IN ({OWN})"),
        })
    }

    /// That a column of records' ids names the report of a visit that is seen. A report of a customer that is not known is for
    /// those who see everything.
    #[must_use]
    pub fn visits(&self, column: &str, n: usize) -> String {
        if self.is_everything() {
            return self.customers(column, n);
        }
        let seen = self.customers("v.customer", n);
        format!("{column} IN (SELECT v.record FROM visit_report v WHERE {seen})")
    }

    /// That planned work `w` is on a line that is seen.
    #[must_use]
    pub fn works(&self, n: usize) -> String {
        if self.is_everything() {
            return self.customers("w.id", n);
        }
        let (of_work, of_node) = (self.lines("x.line", n), self.lines("l.code", n));
        format!(
            "(w.id IN (SELECT x.work FROM planned_work_line x WHERE {of_work}) \
             OR w.upstream IN (SELECT l.upstream FROM line l WHERE {of_node}))"
        )
    }

    /// That an `alert` is about a fault or matter that is seen.
    #[must_use]
    pub fn alerts(&self, n: usize) -> String {
        if self.is_everything() {
            return self.customers("subject", n);
        }
        let (of_fault, of_matter) = (self.lines_and_customers("f.line", "f.customer", n), self.matters(n));
        format!(
            "((of_matter = 1 AND subject IN (SELECT matter.id FROM matter WHERE {of_matter})) OR (of_matter = 0 AND \
             EXISTS (SELECT 1 FROM fault_alias x JOIN fault f ON f.id = x.fault WHERE x.alias = alert.subject \
             AND {of_fault})))"
        )
    }

    /// A parameter has to be used, also where nothing is asked of it.
    fn condition(&self, n: usize, narrowed: impl FnOnce() -> String) -> String {
        if self.is_everything() {
            return format!("CAST(${n} AS TEXT) = ''");
        }
        narrowed().replace("{n}", &format!("${n}"))
    }
}

/// Whether a user was given regions or customers.
pub fn is_narrowed(tx: &mut Tx<'_>, user: &str) -> Result<bool, DbError> {
    let sql = "SELECT 1 FROM user_scope WHERE user_name = $1 AND (region IS NOT NULL OR customer IS NOT NULL) LIMIT 1";
    Ok(tx.query_opt(sql, &[user.into()])?.is_some())
}

/// Whether a customer is seen; one that does not exist is not.
pub fn has_customer(tx: &mut Tx<'_>, scope: &Scope, code: &str) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM customer WHERE code = $2 AND {}", scope.customers("code", 1));
    Ok(tx.query_opt(&sql, &[scope.value(), code.into()])?.is_some())
}

/// Whether a line is seen.
pub fn has_line(tx: &mut Tx<'_>, scope: &Scope, code: &str) -> Result<bool, DbError> {
    let sql = format!(
        "SELECT 1 FROM line WHERE code = $2 AND {}",
        scope.lines_and_customers("code", "customer", 1)
    );
    Ok(tx.query_opt(&sql, &[scope.value(), code.into()])?.is_some())
}

/// Whether a fault is seen, by its id or an alias.
pub fn has_fault(tx: &mut Tx<'_>, scope: &Scope, fault: Uuid) -> Result<bool, DbError> {
    let seen = scope.lines_and_customers("f.line", "f.customer", 1);
    let sql =
        format!("SELECT 1 FROM fault_alias a JOIN fault f ON f.id = a.fault WHERE a.alias = $2 AND {seen}");
    Ok(tx.query_opt(&sql, &[scope.value(), fault.into()])?.is_some())
}

/// Whether a matter is seen.
pub fn has_matter(tx: &mut Tx<'_>, scope: &Scope, matter: Uuid) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM matter WHERE matter.id = $2 AND {}", scope.matters(1));
    Ok(tx.query_opt(&sql, &[scope.value(), matter.into()])?.is_some())
}

/// Whether a site's customer is seen.
pub fn has_site(tx: &mut Tx<'_>, scope: &Scope, site: Uuid) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM site WHERE id = $2 AND {}", scope.customers("customer", 1));
    Ok(tx.query_opt(&sql, &[scope.value(), site.into()])?.is_some())
}

/// Whether the customer of a piece of equipment is seen.
pub fn has_equipment(tx: &mut Tx<'_>, scope: &Scope, piece: Uuid) -> Result<bool, DbError> {
    let sql = format!(
        "SELECT 1 FROM equipment e JOIN site s ON s.id = e.site WHERE e.id = $2 AND {}",
        scope.customers("s.customer", 1)
    );
    Ok(tx.query_opt(&sql, &[scope.value(), piece.into()])?.is_some())
}

/// Whether the report of a visit is seen.
pub fn has_visit(tx: &mut Tx<'_>, scope: &Scope, record: Uuid) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM record r WHERE r.id = $2 AND {}", scope.visits("r.id", 1));
    Ok(tx.query_opt(&sql, &[scope.value(), record.into()])?.is_some())
}

/// Whether planned work is seen.
pub fn has_work(tx: &mut Tx<'_>, scope: &Scope, work: Uuid) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM planned_work w WHERE w.id = $2 AND {}", scope.works(1));
    Ok(tx.query_opt(&sql, &[scope.value(), work.into()])?.is_some())
}

/// Whether what came of an agent and does not fit is about a customer that is seen.
pub fn has_conflict(tx: &mut Tx<'_>, scope: &Scope, record: Uuid) -> Result<bool, DbError> {
    let sql =
        format!("SELECT 1 FROM conflict x WHERE x.record = $2 AND {}", scope.customers("x.customer", 1));
    Ok(tx.query_opt(&sql, &[scope.value(), record.into()])?.is_some())
}

/// Whether a risk that was entered is of a customer that is seen.
pub fn has_risk(tx: &mut Tx<'_>, scope: &Scope, risk: Uuid) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 FROM risk WHERE id = $2 AND {}", scope.customers("customer", 1));
    Ok(tx.query_opt(&sql, &[scope.value(), risk.into()])?.is_some())
}

/// The codes of the customers that are seen as a whole; none for all of them.
pub fn customers(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<BTreeSet<String>>, DbError> {
    codes(tx, scope, &format!("SELECT code FROM customer WHERE {}", scope.customers("code", 1)))
}

/// The codes of the lines that are seen; none for all of them.
pub fn lines(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<BTreeSet<String>>, DbError> {
    codes(
        tx,
        scope,
        &format!("SELECT code FROM line WHERE {}", scope.lines_and_customers("code", "customer", 1)),
    )
}

fn codes(tx: &mut Tx<'_>, scope: &Scope, sql: &str) -> Result<Option<BTreeSet<String>>, DbError> {
    if scope.is_everything() {
        return Ok(None);
    }
    tx.query(sql, &[scope.value()])?.iter().map(|row| row.get(0)).collect::<Result<_, _>>().map(Some)
}

/// What a user was given to see, beside the customers of the own tasks and laptops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GivenScope)]
pub struct Given {
    /// Names under which customers have the user as account manager or deputy, beside the one that is signed in with.
    #[serde(default)]
    pub persons: BTreeSet<String>,
    /// Regions: every customer of them.
    #[serde(default)]
    pub regions: BTreeSet<String>,
    /// Codes of customers.
    #[serde(default)]
    pub customers: BTreeSet<String>,
}

impl Given {
    fn take(&mut self, row: &Row, from: usize) -> Result<(), DbError> {
        self.persons.extend(row.get::<Option<String>>(from)?);
        self.regions.extend(row.get::<Option<String>>(from + 1)?);
        self.customers.extend(row.get::<Option<String>>(from + 2)?);
        Ok(())
    }
}

/// What a user was given beside what follows from his tasks.
pub fn given(tx: &mut Tx<'_>, user: &str) -> Result<Given, DbError> {
    let sql = "SELECT person, region, customer FROM user_scope WHERE user_name = $1";
    let mut given = Given::default();
    for row in tx.query(sql, &[user.into()])? {
        given.take(&row, 0)?;
    }
    Ok(given)
}

/// The same of every user who was given something.
pub fn given_to_all(tx: &mut Tx<'_>) -> Result<BTreeMap<String, Given>, DbError> {
    let mut all: BTreeMap<String, Given> = BTreeMap::new();
    for row in tx.query("SELECT user_name, person, region, customer FROM user_scope", &[])? {
        all.entry(row.get(0)?).or_default().take(&row, 1)?;
    }
    Ok(all)
}

/// Gives a user this, and nothing else.
pub fn give(tx: &mut Tx<'_>, user: &str, given: &Given) -> Result<(), DbError> {
    tx.execute("DELETE FROM user_scope WHERE user_name = $1", &[user.into()])?;
    let none = || Value::from(None::<String>);
    let persons = given.persons.iter().map(|name| [name.as_str().into(), none(), none()]);
    let regions = given.regions.iter().map(|name| [none(), name.as_str().into(), none()]);
    let customers = given.customers.iter().map(|code| [none(), none(), code.as_str().into()]);
    let rows: Vec<Vec<Value>> = persons
        .chain(regions)
        .chain(customers)
        .map(|row| std::iter::once(user.into()).chain(row).collect())
        .collect();
    tx.batch("INSERT INTO user_scope (user_name, person, region, customer) VALUES ($1, $2, $3, $4)", &rows)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Priority;
    use crate::db::testing::both;

    /// So many customers of one account manager, of so many.
    const OWN_OF: (i64, i64) = (5, 4_000);

    /// What is read of the own customers grows with those, not with what exists.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_seen_is_found_without_looking_at_the_rest() {
        both(|db| async move {
            let fill = |tx: &mut Tx<'_>| {
                let customer = "INSERT INTO customer (code, name, tier, pack, region, manager, created_at_ms, \
                     updated_at_ms) VALUES ($1, $1, 'AAA', 'group-line', $2, $3, 0, 0)";
                let line = "INSERT INTO line (code, customer, interval_ms, created_at_ms, updated_at_ms) \
                     VALUES ($1, $1, 1000, 0, 0)";
                let (own, all) = OWN_OF;
                for n in 0..all {
                    let code = format!("c{n:05}");
                    let whose = if n % (all / own) == 0 { "ann".to_owned() } else { format!("m{}", n % 97) };
                    let region = format!("r{}", n % 31);
                    tx.execute(customer, &[code.as_str().into(), region.into(), whose.into()])?;
                    tx.execute(line, &[code.as_str().into()])?;
                }
                Ok::<_, DbError>(())
            };
            db.write(Priority::Api, fill).await.unwrap();
            let read = |tx: &mut Tx<'_>| {
                let own = Scope::Own("ann".to_owned());
                let before = tx.work();
                let codes = customers(tx, &own)?.unwrap_or_default();
                let of_customers = tx.work() - before;
                let seen = (has_line(tx, &own, "c00000")?, has_line(tx, &own, "c00001")?);
                Ok::<_, DbError>((codes.len() as i64, of_customers, tx.work() - before, seen))
            };
            let (count, of_customers, all, seen) = db.read(read).await.unwrap();
            assert_eq!((count, of_customers.rows_read, seen), (OWN_OF.0, OWN_OF.0 as u64, (true, false)));
            assert!(all.steps < 4_000, "{} steps of SQLite's for {} customers", all.steps, OWN_OF.0);
        })
        .await;
    }
}
