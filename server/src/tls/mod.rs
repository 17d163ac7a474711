//! The server's own private authority, the certificates it signs, and the listeners.
//!
//! The authority is made on first start and kept in `data_dir/tls`. The server's certificate lives in
//! memory only and is made anew at each start and every month. Agents trust the authority, whose hash
//! came with their enrolment token, and nothing else.

mod authorities;
mod authority;
mod listener;
mod notice;
mod places;
mod request;
mod server;
mod serving;
mod shown;

pub use authorities::{Authorities, Set};
pub use authority::{Authority, SignedAgent};
pub use listener::{Bounds, LimitedListener, Peer, TlsListener};
pub use notice::Notice;
pub use places::{Place, Places, neighbourhood};
pub use request::SigningRequest;
pub use server::ServerTls;
pub use serving::{Manner, serve};
pub use shown::Shown;
