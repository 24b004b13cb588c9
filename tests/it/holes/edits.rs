//! Takes lines out of a shipped file, or replaces them, and fails when a line is not there any more.

use std::cell::Cell;

use crate::support::proxies::Kind;
use crate::support::stage::Stage;
use crate::support::tools;

/// Changes to one shipped file. Lines are named without their indentation and extra spaces, and with their comment only
/// where it tells two lines apart.
pub struct Edits {
    file: &'static str,
    /// The line, and what stands in its place.
    changes: Vec<(String, Option<String>)>,
    /// What is used under the name of `file` instead of it.
    instead: Option<String>,
    found: Cell<bool>,
}

impl Edits {
    pub fn of(file: &'static str) -> Self {
        Self { file, changes: Vec::new(), instead: None, found: Cell::new(false) }
    }

    /// Uses this text in the place of the file's.
    #[must_use]
    pub fn using(mut self, text: String) -> Self {
        self.instead = Some(text);
        self
    }

    #[must_use]
    pub fn without(mut self, line: &str) -> Self {
        self.changes.push((line.to_owned(), None));
        self
    }

    #[must_use]
    pub fn without_all(self, lines: impl IntoIterator<Item = String>) -> Self {
        lines.into_iter().fold(self, |edits, line| edits.without(&line))
    }

    #[must_use]
    pub fn replacing(mut self, line: &str, by: &str) -> Self {
        self.changes.push((line.to_owned(), Some(by.to_owned())));
        self
    }

    /// Starts the proxy with the shipped files so changed.
    pub fn open(&self, kind: Kind) -> Stage {
        self.open_with(kind, &Self::of("no further file"))
    }

    /// The same with changes to a second file.
    pub fn open_with(&self, kind: Kind, more: &Self) -> Stage {
        let stage = Stage::start_edited(kind, &|name, text| more.apply(name, self.apply(name, text)));
        for edits in [self, more] {
            assert!(edits.found.get() || edits.changes.is_empty(), "there is no file {}", edits.file);
        }
        stage
    }

    /// The text of the file `name` with the changes, if it is this file. Each line must occur exactly once.
    pub fn apply(&self, name: &str, text: String) -> String {
        if name != self.file {
            return text;
        }
        self.found.set(true);
        let text = self.instead.clone().unwrap_or(text);
        self.changes.iter().fold(text, |text, (line, by)| change(name, &text, line, by.as_deref()))
    }
}

/// The text of a shipped file.
pub fn shipped(path: &str) -> String {
    std::fs::read_to_string(tools::project().join(path)).unwrap()
}

fn change(name: &str, text: &str, line: &str, by: Option<&str>) -> String {
    let occurrences = text.lines().filter(|known| is(known, line)).count();
    assert_eq!(occurrences, 1, "{name} should hold this line once: {line}");
    let changed = text.lines().filter_map(|known| {
        if !is(known, line) {
            return Some(known.to_owned());
        }
        let indentation = &known[..known.len() - known.trim_start().len()];
        by.map(|by| format!("{indentation}{by}"))
    });
    changed.collect::<Vec<_>>().join("\n") + "\n"
}

/// Indentation and runs of spaces do not count, nor does a comment unless `line` has one.
fn is(known: &str, line: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = if line.contains(" #") { known } else { known.split(" #").next().unwrap_or_default() };
    squeezed(known) == squeezed(line)
}

#[test]
fn a_line_is_found_without_its_comment_and_spaces() {
    let edits = Edits::of("a").without("x: 1").replacing("y", "z");
    assert_eq!(edits.apply("a", "  x:  1   # why\n  y\nw\n".into()), "  z\nw\n");
    assert_eq!(edits.apply("b", "x: 1\n".into()), "x: 1\n");
}

#[test]
#[should_panic(expected = "a should hold this line once: x: 1")]
fn a_line_that_is_not_there_is_a_failure() {
    Edits::of("a").without("x: 1").apply("a", "# x: 1\n".into());
}
