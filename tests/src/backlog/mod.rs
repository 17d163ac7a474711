//! A laptop that was away for long: the minutes of its lines, and their way home.

mod laptop;
mod lines;

pub use laptop::{Away, Database, Returned};
pub use lines::Lines;
