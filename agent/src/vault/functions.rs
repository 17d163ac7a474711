//! The vault in SQL: `seal(value, purpose)`, `unseal(value, purpose)` and `veil(text, purpose)` on a connection. With the
//! value alone, the purpose is that of the tables that do not name one of their own.
//!
//! Text is sealed as its UTF-8 bytes, `unseal` always gives a blob, and NULL stays NULL. They may only be called by a
//! statement of ours, never by what is stored in the database (triggers, indexes, views).

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::{Vault, VaultError};

/// What is sealed as when the statement does not say.
const PURPOSE: &str = "row";

/// Gives a connection the three functions.
///
/// # Errors
/// When `SQLite` refuses.
pub fn attach(db: &Connection, vault: &Vault) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    for arguments in [1, 2] {
        let own = vault.clone();
        db.create_scalar_function("seal", arguments, flags, move |call| {
            given(call, |value, purpose| own.seal(purpose, value))
        })?;
        let own = vault.clone();
        db.create_scalar_function("unseal", arguments, flags, move |call| {
            given(call, |value, purpose| own.unseal(purpose, value))
        })?;
    }
    let own = vault.clone();
    db.create_scalar_function("veil", 2, flags, move |call| {
        given(call, |value, purpose| Ok(own.veil(purpose, value)))
    })
}

fn given<T>(
    call: &Context<'_>,
    work: impl FnOnce(&[u8], &str) -> Result<T, VaultError>,
) -> rusqlite::Result<Option<T>> {
    let purpose = if call.len() > 1 { call.get_raw(1).as_str()? } else { PURPOSE };
    let value = match call.get_raw(0) {
        ValueRef::Null => return Ok(None),
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        other => return Err(Error::InvalidFunctionParameterType(0, other.data_type())),
    };
    work(value, purpose).map(Some).map_err(|error| Error::UserFunctionError(Box::new(error)))
}
