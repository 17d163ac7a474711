//! Stories with real programs: what was written long ago, by a wrong clock, on a copied laptop, or fell due
//! while the server was down.

mod clock;
mod copy;
mod desk;
mod late;
mod overdue;
