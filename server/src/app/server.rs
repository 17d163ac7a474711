//! What the database knows about this installation as a whole.

use uuid::Uuid;

use super::{AppError, random};
use crate::db::{Db, DbError, Priority, Tx};

/// The value kept under `key`.
pub fn meta(tx: &mut Tx<'_>, key: &str) -> Result<Option<String>, DbError> {
    tx.query_opt("SELECT value FROM meta WHERE key = $1", &[key.into()])?.map(|row| row.get(0)).transpose()
}

/// Keeps `value` under `key`.
pub fn set_meta(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[key.into(), value.into()],
    )?;
    Ok(())
}

/// The database's epoch; made on first use.
///
/// # Errors
/// The database's.
pub async fn epoch(db: &Db) -> Result<Uuid, AppError> {
    let fresh = Uuid::from_bytes(random()?);
    db.write(Priority::Api, move |tx| {
        tx.execute(
            "INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT (key) DO NOTHING",
            &[fresh.to_string().into()],
        )?;
        let text = meta(tx, "epoch")?.unwrap_or_default();
        Uuid::parse_str(&text).map_err(|e| AppError::Db(DbError::Data(format!("meta.epoch: {e}"))))
    })
    .await
}

/// Remembers what links begin with, for messages written by other commands and nodes.
///
/// # Errors
/// The database's.
pub async fn set_link_base(db: &Db, base: &str) -> Result<(), DbError> {
    let base = base.to_owned();
    db.write(Priority::Api, move |tx| set_meta(tx, "link_base", &base)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::both;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_epoch_stays() {
        both(|db| async move {
            let first = epoch(&db).await.unwrap();
            assert_eq!(epoch(&db).await.unwrap(), first);
            set_link_base(&db, "http://a").await.unwrap();
            set_link_base(&db, "http://b").await.unwrap();
            let base = db.read(|tx| meta(tx, "link_base")).await.unwrap();
            assert_eq!(base.as_deref(), Some("http://b"));
        })
        .await;
    }
}
