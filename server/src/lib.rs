//! linewatch
