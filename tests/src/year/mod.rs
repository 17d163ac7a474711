//! A year of a maintenance desk's life, made up from a seed: lines, faults, what people did about them, and the
//! orders in which all that may arrive.

mod desk;
mod life;
mod order;
mod story;

pub use desk::YearDesk;
pub use life::{Life, Scale};
pub use order::{Arrival, Order, arrivals};
