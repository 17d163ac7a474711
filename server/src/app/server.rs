//! What the database knows about this installation as a whole.

use linewatch_shared::wire::CarryKey;

use super::agents::seal::AgentKey;
use super::{AppError, random};
use crate::db::{Db, DbError, Priority};
use crate::notify::take_link::TakeKey;
use crate::store::meta;

/// The key of the secret by which links in alerts are signed.
const TAKE_SECRET: &str = "take_secret";
/// The key of what agents seal for each other with.
const CARRY_SECRET: &str = "carry_secret";
/// The key of what the server signs for agents with.
const AGENT_SECRET: &str = "agent_secret";
/// The key of what links begin with.
const LINK_BASE: &str = "link_base";

/// What links in alerts are signed with, the same on every node; made on first use.
///
/// # Errors
/// The database's.
pub async fn take_key(db: &Db) -> Result<TakeKey, AppError> {
    secret(db, TAKE_SECRET).await.map(TakeKey::new)
}

/// What the agents of this server seal what they carry for each other with, the same on every node; made on first use.
///
/// # Errors
/// The database's.
pub async fn carry_key(db: &Db) -> Result<CarryKey, AppError> {
    secret(db, CARRY_SECRET).await.map(CarryKey)
}

/// What the server signs for agents with, the same on every node; made on first use.
///
/// # Errors
/// The database's.
pub async fn agent_key(db: &Db) -> Result<AgentKey, AppError> {
    secret(db, AGENT_SECRET).await.map(AgentKey::new)
}

async fn secret(db: &Db, key: &'static str) -> Result<[u8; 32], AppError> {
    let fresh: [u8; 32] = random()?;
    db.write(Priority::Api, move |tx| {
        meta::set_first(tx, key, &hex::encode(fresh))?;
        let text = meta::get(tx, key)?.unwrap_or_default();
        let mut secret = [0; 32];
        hex::decode_to_slice(text, &mut secret)
            .map_err(|e| AppError::Db(DbError::Data(format!("meta.{key}: {e}"))))?;
        Ok(secret)
    })
    .await
}

/// Remembers what links begin with, for messages written by other commands and nodes.
///
/// # Errors
/// The database's.
pub async fn set_link_base(db: &Db, base: &str) -> Result<(), DbError> {
    let base = base.to_owned();
    db.write(Priority::Api, move |tx| meta::set(tx, LINK_BASE, &base)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::both;

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_stay() {
        both(|db| async move {
            assert!(take_key(&db).await.unwrap() == take_key(&db).await.unwrap());
            let carried = carry_key(&db).await.unwrap();
            assert!(carry_key(&db).await.unwrap() == carried && carried.0 != [0; 32]);
            set_link_base(&db, "http://a").await.unwrap();
            set_link_base(&db, "http://b").await.unwrap();
            let base = db.read(|tx| meta::get(tx, LINK_BASE)).await.unwrap();
            assert_eq!(base.as_deref(), Some("http://b"));
        })
        .await;
    }
}
