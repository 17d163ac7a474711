//! What a transaction has asked of the database: counted, so that tests can hold cost against what it is for.

/// Counts since the beginning of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Statements run; each row of a batch is one.
    pub statements: u64,
    /// Rows that came back.
    pub rows_read: u64,
    /// Rows added, changed or removed.
    pub rows_written: u64,
    /// Steps of SQLite's virtual machine, which grow with the rows that were visited; none on PostgreSQL.
    pub steps: u64,
    /// Statements that SQLite made anew because their parameters were others; none on PostgreSQL.
    pub made_anew: u64,
}

impl std::ops::Sub for Work {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            statements: self.statements - earlier.statements,
            rows_read: self.rows_read - earlier.rows_read,
            rows_written: self.rows_written - earlier.rows_written,
            steps: self.steps - earlier.steps,
            made_anew: self.made_anew - earlier.made_anew,
        }
    }
}
