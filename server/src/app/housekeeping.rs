//! Deletes what has expired: sessions, tokens, kept answers.

use linewatch_shared::time::{DAY_MS, UnixMs};

use super::AppError;
use crate::db::{Db, Priority, Tx};
use crate::store::expired::{self, Expiring};

/// How long answers to idempotent writes are kept.
const ANSWERS_KEPT_MS: i64 = 7 * DAY_MS;
/// How long spent and expired enrolment tokens are kept, to say what became of them.
const ENROL_TOKENS_KEPT_MS: i64 = 30 * DAY_MS;
/// Rows deleted in one transaction, so that nobody waits for long.
const ROWS_AT_ONCE: u64 = 1000;

/// Deletes in small transactions until nothing expired is left.
///
/// # Errors
/// The database's.
pub async fn tick(db: &Db, now: UnixMs) -> Result<(), AppError> {
    let due = [
        (Expiring::Session, now),
        (Expiring::ApiToken, now),
        (Expiring::SignIn, now),
        (Expiring::EnrolToken, now - ENROL_TOKENS_KEPT_MS),
        (Expiring::Answer, now - ANSWERS_KEPT_MS),
    ];
    for (what, before) in due {
        loop {
            let delete = move |tx: &mut Tx<'_>| expired::delete(tx, what, before, ROWS_AT_ONCE);
            if db.write(Priority::Ingest, delete).await? < ROWS_AT_ONCE {
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::users;
    use crate::auth::{Role, credential};
    use crate::db::testing::{both, int};

    #[tokio::test(flavor = "multi_thread")]
    async fn only_what_expired_goes() {
        both(|db| async move {
            let now = UnixMs(1_790_000_000_000);
            users::add(&db, "ops", Role::Noc, "long enough now", now).await.unwrap();
            for at in [now, now + DAY_MS] {
                let (lasting, from) = (credential::Lasting::default(), credential::Origin::default());
                credential::start_session(&db, "ops", lasting, from, at).await.unwrap();
            }
            users::token(&db, "ops", users::COMMAND, now).await.unwrap();
            tick(&db, now + DAY_MS).await.unwrap();
            assert_eq!(int(&db, "SELECT COUNT(*) FROM session").await.unwrap(), 1);
            assert_eq!(int(&db, "SELECT COUNT(*) FROM api_token").await.unwrap(), 1);
        })
        .await;
    }
}
