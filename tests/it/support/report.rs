//! A table of cases that tells everything that is wrong, not only the first thing.

use std::fmt::Debug;

/// What went wrong so far, row by row.
pub struct Report {
    table: String,
    row: String,
    rows: usize,
    failures: Vec<String>,
}

impl Report {
    pub fn new(table: impl Debug) -> Self {
        Self { table: format!("{table:?}"), row: String::new(), rows: 0, failures: Vec::new() }
    }

    /// Starts a row: what is found from here on is about it.
    pub fn row(&mut self, name: impl Into<String>) {
        self.row = name.into();
        self.rows += 1;
    }

    #[allow(clippy::needless_pass_by_value, reason = "a row should read `equal(what, actual, expected)`, without `&`")]
    pub fn equal<A: Debug + PartialEq<E>, E: Debug>(&mut self, what: &str, actual: A, expected: E) {
        if actual != expected {
            self.fail(format!("{what} is {actual:?}, expected {expected:?}"));
        }
    }

    pub fn holds(&mut self, condition: bool, otherwise: impl FnOnce() -> String) {
        if !condition {
            self.fail(otherwise());
        }
    }

    pub fn fail(&mut self, message: impl AsRef<str>) {
        self.failures.push(format!("{}: {}", self.row, message.as_ref()));
    }

    /// Fails the test when any row failed, and when there was none.
    pub fn finish(self) {
        assert!(self.rows > 0, "{}: the table is empty", self.table);
        self.stop_if_failed();
    }

    /// Fails the test when any row failed: what follows would only hide what it was.
    pub fn stop_if_failed(&self) {
        let (count, all) = (self.failures.len(), self.failures.join("\n  "));
        assert!(self.failures.is_empty(), "{}: {count} failures in {} rows:\n  {all}", self.table, self.rows);
    }
}
