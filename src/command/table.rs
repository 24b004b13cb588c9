//! Tables for people. What stands in them was chosen by strangers: it is shown on one line, without anything that moves
//! a terminal's cursor or turns text around.

use std::fmt;

use serde_json::Value;

use crate::http::pages::text::one_line;

/// Columns under their headings.
pub struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    const MAX_WIDTH: usize = 160;

    /// No rows yet.
    pub const fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// One more row.
    pub fn add(&mut self, row: [String; N]) {
        self.rows.push(row.map(|cell| match one_line(&cell, Self::MAX_WIDTH) {
            empty if empty.is_empty() => "-".to_owned(),
            text => text,
        }));
    }

    fn widths(&self) -> [usize; N] {
        let mut widths = self.headings.map(str::len);
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |cells: [&str; N]| {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        formatter.write_str(&line(self.headings))?;
        for row in &self.rows {
            write!(formatter, "\n{}", line(row.each_ref().map(String::as_str)))?;
        }
        Ok(())
    }
}

/// The text of a member; empty when it has none.
pub fn text(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A moment to the minute, in UTC: `2026-11-21 10:20`.
pub fn moment(object: &Value, name: &str) -> String {
    text(object, name).get(..16).unwrap_or_default().replace('T', " ")
}

/// An id with the name that goes with it, which anybody may have chosen.
pub fn named(id: String, name: &str) -> String {
    if name.is_empty() { id } else { format!("{id} ({name})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_strangers_cannot_move_the_cursor() {
        let mut table = Table::new(["USER", "CLIENT"]);
        table.add(["alice@example.com".into(), "one\u{1b}[2J\ntwo\u{202e}".into()]);
        table.add([String::new(), "x".into()]);
        assert_eq!(table.to_string(), "USER               CLIENT\nalice@example.com  one[2J two\n-                  x");
    }

    #[test]
    fn long_cells_are_cut() {
        let mut table = Table::new(["NAME"]);
        table.add(["x".repeat(1000)]);
        assert_eq!(table.to_string().lines().last().unwrap().chars().count(), 160);
    }
}
