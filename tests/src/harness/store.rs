//! A look into the server's database from outside, on either engine. Each look is a connection of its own,
//! so that nothing of ours is open when the server is killed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use uuid::Uuid;

use super::block_on;

/// Where the server keeps its data.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file.
    Sqlite(PathBuf),
    /// `postgres://…`
    Postgres(String),
}

impl Store {
    /// Runs a query without parameters whose only column is an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ids(&self, sql: &str) -> Result<Vec<Uuid>> {
        match self {
            Self::Sqlite(file) => {
                let db = rusqlite::Connection::open(file)?;
                let mut statement = db.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
                rows.map(|row| Ok(Uuid::from_slice(&row?)?)).collect()
            }
            Self::Postgres(url) => query(url, sql)?
                .iter()
                .map(|row| match row.try_get::<_, Uuid>(0) {
                    Ok(id) => Ok(id),
                    Err(_) => Ok(Uuid::from_slice(row.try_get::<_, &[u8]>(0)?)?),
                })
                .collect(),
        }
    }

    /// Runs a query without parameters that gives one whole number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn number(&self, sql: &str) -> Result<i64> {
        match self {
            Self::Sqlite(file) => {
                let db = rusqlite::Connection::open(file)?;
                Ok(db.query_row(sql, [], |row| row.get(0))?)
            }
            Self::Postgres(url) => {
                let rows = query(url, sql)?;
                Ok(rows.first().with_context(|| sql.to_owned())?.try_get(0)?)
            }
        }
    }
}

fn query(url: &str, sql: &str) -> Result<Vec<tokio_postgres::Row>> {
    block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let rows = client.query(sql, &[]).await?;
        drop(client);
        // What went wrong in it was told by the query.
        drop(connection.await);
        Ok(rows)
    })
}
