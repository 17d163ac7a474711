//! Who may do what: roles, passwords, sessions and tokens. Nothing of HTTP is here.

pub mod common;
pub mod credential;
pub mod offline;
pub mod password;
pub mod role;
pub mod scope;
pub mod seal;
pub mod throttle;
pub mod totp;

pub use credential::{Caller, Via};
pub use role::Role;
pub use scope::TokenScope;
