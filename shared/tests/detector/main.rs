//! The detector against a small simulated network: scenario files, and properties over random ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod properties;
mod scenarios;
mod sim;
