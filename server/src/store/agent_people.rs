//! Which users may sign in on which agent.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::users::{may_come_in, role};
use crate::auth::Role;
use crate::db::{DbError, Tx, Value};

/// Somebody who is let in on an agent.
#[derive(Clone, Debug)]
pub struct AgentPersonRow {
    /// The user's name.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// Whether the user may sign in at all now.
    pub enabled: bool,
    /// The stored password.
    pub password_hash: String,
}

/// An agent's people, by name.
pub fn of(tx: &mut Tx<'_>, agent: Uuid, now: UnixMs) -> Result<Vec<AgentPersonRow>, DbError> {
    let sql = concat!(
        "SELECT u.name, u.role, u.password_hash, CASE WHEN ",
        may_come_in!(),
        " THEN 1 ELSE 0 END FROM agent_person p JOIN app_user u ON u.name = p.user_name WHERE p.agent = $1 ORDER BY u.name"
    );
    let rows = tx.query(sql, &[agent.into(), now.into()])?;
    rows.iter()
        .map(|row| {
            Ok(AgentPersonRow {
                name: row.get(0)?,
                role: role(row, 1)?,
                enabled: row.get::<i64>(3)? == 1,
                password_hash: row.get(2)?,
            })
        })
        .collect()
}

/// Lets users in on an agent.
pub fn add(tx: &mut Tx<'_>, agent: Uuid, users: &[String]) -> Result<(), DbError> {
    let sql = "INSERT INTO agent_person (agent, user_name) VALUES ($1, $2) ON CONFLICT (agent, user_name) DO NOTHING";
    tx.batch(sql, &rows(agent, users)).map(drop)
}

/// Keeps users out of an agent.
pub fn remove(tx: &mut Tx<'_>, agent: Uuid, users: &[String]) -> Result<(), DbError> {
    tx.batch("DELETE FROM agent_person WHERE agent = $1 AND user_name = $2", &rows(agent, users)).map(drop)
}

fn rows(agent: Uuid, users: &[String]) -> Vec<Vec<Value>> {
    users.iter().map(|user| vec![agent.into(), user.as_str().into()]).collect()
}

/// The names of the agents on which a user may sign in.
pub fn agents_of(tx: &mut Tx<'_>, user: &str) -> Result<Vec<String>, DbError> {
    let sql = "SELECT a.name FROM agent_person p JOIN agent a ON a.id = p.agent WHERE p.user_name = $1 ORDER BY a.name";
    tx.query(sql, &[user.into()])?.iter().map(|row| row.get(0)).collect()
}

/// The names of the agents on which a contractor's technicians may sign in.
pub fn agents_of_contractor(tx: &mut Tx<'_>, contractor: &str) -> Result<Vec<String>, DbError> {
    let sql = "SELECT DISTINCT a.name FROM agent_person p JOIN agent a ON a.id = p.agent \
         JOIN app_user u ON u.name = p.user_name WHERE u.contractor = $1 ORDER BY a.name";
    tx.query(sql, &[contractor.into()])?.iter().map(|row| row.get(0)).collect()
}
