//! Names that a rule would compare as one thing and a server could take for another.

use super::body::BodyFault;
use crate::domain::operation::NamedBy;

/// Refuses control characters and white space at the ends, which some servers drop, and dot segments in the URI of a
/// resource: `file:///public/../secret` fits a rule about `file:///public/*`, and a server may open another file.
pub fn check(named_by: NamedBy, name: &str) -> Result<(), BodyFault> {
    let ambiguous = name.chars().any(char::is_control)
        || name.trim().len() != name.len()
        || (named_by == NamedBy::Uri && has_dot_segments(name));
    if ambiguous { Err(BodyFault::Name) } else { Ok(()) }
}

/// Looks as deep as anybody could decode: `%2e`, `%252e`, backslashes, and parameters after a `;`.
fn has_dot_segments(uri: &str) -> bool {
    let mut text = uri.to_ascii_lowercase();
    while text.contains("%25") {
        text = text.replace("%25", "%");
    }
    let text = text.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("%3b", ";");
    let dots = |segment: &str| matches!(segment.split([';', '?', '#']).next(), Some("." | ".."));
    text.split(['/', '\\']).any(dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_server_could_read_otherwise_are_refused() {
        for (named_by, name) in [
            (NamedBy::Name, "delete_note\0"),
            (NamedBy::Name, "delete\nnote"),
            (NamedBy::Name, "delete_note "),
            (NamedBy::TaskId, "\u{a0}7"),
            (NamedBy::Uri, "file:///public/../secret"),
            (NamedBy::Uri, "file:///public/./secret"),
            (NamedBy::Uri, "file:///public/.."),
            (NamedBy::Uri, "file:///public\\..\\secret"),
            (NamedBy::Uri, "file:///public/%2E%2e/secret"),
            (NamedBy::Uri, "file:///public%2f..%5csecret"),
            (NamedBy::Uri, "file:///public/%25252e./secret"),
            (NamedBy::Uri, "file:///public/..;x/secret"),
            (NamedBy::Uri, "file:///public/%2e%2e%3bx/secret"),
            (NamedBy::Uri, "file:///public/..?x"),
            (NamedBy::Uri, "file:///public/..#x"),
            (NamedBy::Uri, "../secret"),
        ] {
            assert_eq!(check(named_by, name), Err(BodyFault::Name), "{name:?}");
        }
    }

    #[test]
    fn ordinary_names_pass() {
        for (named_by, name) in [
            (NamedBy::Name, "delete_note"),
            (NamedBy::Name, "delete note"),
            (NamedBy::Name, "../delete"),
            (NamedBy::Name, "über"),
            (NamedBy::Uri, "file:///a/.hidden/b..c/...?x=1#y"),
            (NamedBy::Uri, "repo://owner%2Fname/100%25"),
            (NamedBy::TaskId, "786512e2-9e0d-44bd-8f29-789f320fe840"),
        ] {
            assert_eq!(check(named_by, name), Ok(()), "{name:?}");
        }
    }
}
