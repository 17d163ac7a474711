//! The vault in SQL: `seal(value, purpose)`, `unseal(value, purpose)` and `veil(text, purpose)` on a connection.
//!
//! Text is sealed as its UTF-8 bytes, `unseal` always gives a blob, and NULL stays NULL. They may only be called by a
//! statement of ours, never by what is stored in the database (triggers, indexes, views).

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::{Vault, VaultError};

/// Gives a connection the three functions.
///
/// # Errors
/// When `SQLite` refuses.
pub fn attach(db: &Connection, vault: &Vault) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let own = vault.clone();
    db.create_scalar_function("seal", 2, flags, move |call| {
        given(call, |value, purpose| own.seal(purpose, value))
    })?;
    let own = vault.clone();
    db.create_scalar_function("unseal", 2, flags, move |call| {
        given(call, |value, purpose| own.unseal(purpose, value))
    })?;
    let own = vault.clone();
    db.create_scalar_function("veil", 2, flags, move |call| {
        given(call, |value, purpose| Ok(own.veil(purpose, value)))
    })
}

fn given<T>(
    call: &Context<'_>,
    work: impl FnOnce(&[u8], &str) -> Result<T, VaultError>,
) -> rusqlite::Result<Option<T>> {
    let purpose = call.get_raw(1).as_str()?;
    let value = match call.get_raw(0) {
        ValueRef::Null => return Ok(None),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        other => return Err(Error::InvalidFunctionParameterType(0, other.data_type())),
    };
    work(value, purpose).map(Some).map_err(|error| Error::UserFunctionError(Box::new(error)))
}
