//! People: who is away and who stands in, and customers who cannot be reached.

use linewatch_shared::time::{DAY_MS, UnixMs};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::app::desk::DeskError;
use crate::app::{Action, audit};
use crate::db::{DbError, Tx};
use crate::store::customers::{self, Contacts};
use crate::store::people::{self, Absence};
use crate::store::scope::Scope;

/// The longest absence (ms): beyond it somebody else should be the manager.
const ABSENCE_MAX_MS: i64 = 366 * DAY_MS;
/// Contact data that is wanting is to be completed within so long of the row's last writing [default] (ms).
const COMPLETE_WITHIN_MS: i64 = 7 * DAY_MS;
/// The fewest digits of a telephone number.
const PHONE_DIGITS_MIN: usize = 5;
/// Customers looked at in one reading.
const PAGE: i64 = 500;

/// Writes down that somebody will be away; alerts then reach the deputy.
///
/// # Errors
/// When the time is not a time.
pub fn away(tx: &mut Tx<'_>, absence: &Absence, now: UnixMs) -> Result<(), DeskError> {
    let invalid = |field, reason: &str| DeskError::Invalid { field, reason: reason.to_owned() };
    if absence.until <= absence.from {
        return Err(invalid("until", "lies before the absence begins"));
    }
    if absence.until.since(absence.from) > ABSENCE_MAX_MS {
        return Err(invalid("until", "is more than a year after the absence begins"));
    }
    if absence.until <= now {
        return Err(invalid("until", "has passed already"));
    }
    people::insert(tx, absence, now)?;
    let detail = json!({ "person": absence.person, "from": absence.from.to_rfc3339(), "until": absence.until.to_rfc3339() });
    audit(tx, now.0, &absence.by, Action::AbsenceWritten, &absence.id.to_string(), Some(&detail))?;
    Ok(())
}

/// Somebody is back earlier.
///
/// # Errors
/// When no such absence goes on.
pub fn back(tx: &mut Tx<'_>, id: Uuid, by: &str, now: UnixMs) -> Result<(), DeskError> {
    if !people::end(tx, id, now)? {
        return Err(DeskError::NoAbsence(id));
    }
    audit(tx, now.0, by, Action::AbsenceEnded, &id.to_string(), None)?;
    Ok(())
}

/// A customer whose contact data is missing or implausible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Incomplete {
    /// The customer's code.
    pub code: String,
    /// The customer's name.
    pub name: String,
    /// What is wanting, such as `contact_phone is missing`.
    pub wanting: Vec<String>,
    /// Who completes it: the account manager; `noc` where there is none.
    pub owner: String,
    /// By when, RFC 3339.
    pub due_at: String,
    /// Whether that has passed.
    pub overdue: bool,
}

/// Customers after a code who cannot be reached as they should be, at most `limit`.
///
/// # Errors
/// The database's.
pub fn incomplete(
    tx: &mut Tx<'_>,
    scope: &Scope,
    after: &str,
    limit: usize,
    now: UnixMs,
) -> Result<Vec<Incomplete>, DbError> {
    let mut found = Vec::new();
    let mut after = after.to_owned();
    loop {
        let page = customers::contacts(tx, scope, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after.clone_from(&last.code);
        let more = page.len() as i64 >= PAGE;
        found.extend(page.into_iter().filter_map(|contacts| look(contacts, now)));
        if !more || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

fn look(contacts: Contacts, now: UnixMs) -> Option<Incomplete> {
    let wanting = wanting(&contacts);
    if wanting.is_empty() {
        return None;
    }
    let due_at = contacts.updated_at + COMPLETE_WITHIN_MS;
    let [manager, ..] = contacts.fields;
    Some(Incomplete {
        code: contacts.code,
        name: contacts.name,
        wanting,
        owner: manager.unwrap_or_else(|| "noc".to_owned()),
        due_at: due_at.to_rfc3339(),
        overdue: now > due_at,
    })
}

fn wanting(contacts: &Contacts) -> Vec<String> {
    const NAMES: [&str; 6] =
        ["manager", "manager_email", "deputy", "deputy_email", "contact_name", "contact_phone"];
    let each = NAMES.into_iter().zip(&contacts.fields).filter_map(|(name, value)| match value.as_deref() {
        None => Some(format!("{name} is missing")),
        Some(value) if name.ends_with("_email") && !is_address(value) => {
            Some(format!("{name} is no mail address: {value}"))
        }
        Some(value) if name == "contact_phone" && !is_phone(value) => {
            Some(format!("{name} is no telephone number: {value}"))
        }
        Some(_) => None,
    });
    each.collect()
}

fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

fn is_phone(text: &str) -> bool {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let others = text.chars().all(|c| c.is_ascii_digit() || " +-()/转#".contains(c));
    others && digits.len() >= PHONE_DIGITS_MIN && digits.iter().any(|digit| *digit != digits[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::db::testing::both;
    use crate::db::{Db, Priority};
    use crate::store::people::addressee;

    #[test]
    fn what_cannot_be_called_is_no_number() {
        for good in ["010-8888 1234", "+86 10 12345", "(021)55667788转12"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in ["", "1234", "call reception", "000000000", "n/a"] {
            assert!(!is_phone(bad), "{bad}");
        }
    }

    async fn write(db: &Db, person: &str, from: UnixMs, until: UnixMs) -> Result<Uuid, DeskError> {
        let id = Uuid::now_v7();
        let (person, reason, by) = (person.to_owned(), String::new(), "noc".to_owned());
        let absence = Absence { id, person, from, until, reason, by };
        db.write(Priority::Api, move |tx| away(tx, &absence, TEN)).await.map(|()| id)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn while_the_manager_is_away_the_deputy_is_told() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let sql =
                "UPDATE customer SET deputy = 'Deputy B', deputy_email = 'b@example.com' WHERE code = 'bank'";
            f.db.write(Priority::Api, move |tx| tx.execute(sql, &[])).await.unwrap();
            let told = |at| {
                let db = f.db.clone();
                async move {
                    let found: Result<_, DbError> = db.read(move |tx| addressee(tx, "bank", at)).await;
                    found.unwrap().email
                }
            };
            assert_eq!(told(TEN).await, "a@example.com");
            let id = write(&f.db, "Manager A", TEN, TEN + DAY_MS).await.unwrap();
            assert_eq!(told(TEN).await, "b@example.com");
            assert_eq!(told(TEN + DAY_MS).await, "a@example.com", "back at the end");
            write(&f.db, "Deputy B", TEN, TEN + DAY_MS).await.unwrap();
            assert_eq!(told(TEN).await, "a@example.com", "with both away it stays with the manager");
            f.db.write(Priority::Api, move |tx| back(tx, id, "noc", TEN + 1)).await.unwrap();
            assert!(write(&f.db, "Manager A", TEN, TEN).await.is_err());
            // The deputy gets the alert itself.
            f.db.write(Priority::Api, move |tx| {
                tx.execute("DELETE FROM absence WHERE person = 'Deputy B'", &[])
            })
            .await
            .unwrap();
            write(&f.db, "Manager A", TEN, TEN + DAY_MS).await.unwrap();
            f.report("L1", TEN, TEN).await.unwrap();
            f.engine(TEN + 3 * 3_600_000).await;
            let to = f.texts("SELECT DISTINCT destination FROM outbox").await;
            assert_eq!(to, ["b@example.com"]);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_cannot_be_reached_is_listed_with_an_owner_and_a_day() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let list: Result<Vec<Incomplete>, DbError> =
                f.db.read(|tx| incomplete(tx, &Scope::Everything, "", 10, TEN)).await;
            let list = list.unwrap();
            assert_eq!(list.len(), 2);
            assert_eq!((list[0].code.as_str(), list[0].owner.as_str()), ("bank", "Manager A"));
            assert!(list[0].wanting.contains(&"contact_phone is missing".to_owned()) && list[0].overdue);
            assert_eq!(list[1].owner, "noc");
            let rest: Result<Vec<Incomplete>, DbError> =
                f.db.read(|tx| incomplete(tx, &Scope::Everything, "bank", 10, TEN)).await;
            assert_eq!(rest.unwrap().len(), 1);
        })
        .await;
    }
}
