//! The detector against a small simulated network: scenario files, and properties over random ones.

mod properties;
mod scenarios;
mod sim;
