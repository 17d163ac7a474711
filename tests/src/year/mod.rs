//! A year of a maintenance desk's life, made up from a seed: lines, faults, complaints, rounds, planned work, what people
//! did about them, and the orders in which all that may arrive.

mod act;
mod complaint;
mod deeds;
mod desk;
mod differs;
mod life;
mod order;
mod story;

pub use deeds::{Deed, typed_in};
pub use desk::YearDesk;
pub use differs::{first_figure, first_line};
pub use life::{Life, Scale};
pub use order::{Arrival, Order, arrivals};
