//! A look into the server's database from outside, on either engine. Each look is a connection of its own,
//! so that nothing of ours is open when the server is killed.

#[cfg(feature = "attacks")]
use std::collections::BTreeMap;
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

    /// What each table holds, as its rows' texts in order; `ignored` names columns (`table.column`) and whole tables that
    /// are of no interest.
    ///
    /// # Errors
    /// When the database cannot be read.
    #[cfg(feature = "attacks")]
    pub fn contents(&self, ignored: &[&str]) -> Result<BTreeMap<String, Vec<String>>> {
        let look = Look::into(self)?;
        let tables = look.texts(match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            }
            Self::Postgres(_) => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
        })?;
        let mut contents = BTreeMap::new();
        for table in tables.into_iter().filter(|table| !ignored.contains(&table.as_str())) {
            let columns = look.texts(&match self {
                Self::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
                Self::Postgres(_) => format!(
                    "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
                     AND table_schema = current_schema() ORDER BY ordinal_position"
                ),
            })?;
            let kept =
                columns.iter().filter(|column| !ignored.contains(&format!("{table}.{column}").as_str()));
            let texts: Vec<String> = match self {
                Self::Sqlite(_) => kept.map(|column| format!("quote({column})")).collect(),
                Self::Postgres(_) => {
                    kept.map(|column| format!("COALESCE(quote_literal({column}::text), 'NULL')")).collect()
                }
            };
            let row = if texts.is_empty() { "''".to_owned() } else { texts.join(" || ',' || ") };
            contents.insert(table.clone(), look.texts(&format!("SELECT {row} FROM {table} ORDER BY 1"))?);
        }
        Ok(contents)
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

/// One connection for many queries.
#[cfg(feature = "attacks")]
enum Look {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

#[cfg(feature = "attacks")]
impl Look {
    fn into(store: &Store) -> Result<Self> {
        match store {
            Store::Sqlite(file) => Ok(Self::Sqlite(rusqlite::Connection::open(file)?)),
            Store::Postgres(url) => block_on(async {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
                // It ends with the client.
                tokio::spawn(connection);
                Ok(Self::Postgres(client))
            }),
        }
    }

    /// Runs a query without parameters whose only column is a text.
    fn texts(&self, sql: &str) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(db) => {
                let mut statement = db.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Self::Postgres(client) => {
                let rows = block_on(client.query(sql, &[]))?;
                rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
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
