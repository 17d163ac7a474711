//! Stories with real programs: what was written long ago, by a wrong clock, on a copied laptop, or fell due
//! while the server was down.

#![expect(clippy::print_stdout, reason = "shown by the test harness when the test fails, or asked to")]

mod clock;
mod copy;
mod desk;
mod identity;
mod late;
mod locked;
mod overdue;
