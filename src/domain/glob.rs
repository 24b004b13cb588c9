//! Names with `*` for any run of characters, as operators write them in rules.

/// A pattern; without `*` it means exactly this name. Case counts: names of tools do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    /// What stands between the stars.
    parts: Vec<Box<str>>,
}

impl Glob {
    /// Takes any text that is not empty.
    pub fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { parts: text.split('*').map(Into::into).collect() })
    }

    /// Whether `name` is meant. In time that grows with the length of both: the first fit of each part is the best one.
    pub fn matches(&self, name: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return name == &**first };
        let inner = name.strip_prefix(&**first).and_then(|name| name.strip_suffix(&**last));
        inner.is_some_and(|inner| in_order(inner, middle))
    }
}

fn in_order(mut name: &str, parts: &[Box<str>]) -> bool {
    for part in parts {
        let Some((_, after)) = name.split_once(&**part) else { return false };
        name = after;
    }
    true
}

impl std::fmt::Display for Glob {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.parts.join("*"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        for (pattern, name, fits) in [
            ("delete_*", "delete_user", true),
            ("delete_*", "delete_", true),
            ("delete_*", "delete", false),
            ("delete_*", "Delete_user", false),
            ("*_user", "delete_user", true),
            ("*", "", true),
            ("*", "anything at all", true),
            ("**", "x", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("aa*aa", "aaa", false),
            ("read", "read", true),
            ("read", "read ", false),
            ("file:///*/x", "file:///a/b/x", true),
            ("ü*", "über", true),
        ] {
            assert_eq!(Glob::parse(pattern).unwrap().matches(name), fits, "{pattern} {name}");
        }
        assert_eq!(Glob::parse(""), None);
    }

    #[test]
    fn a_hostile_name_takes_no_longer_than_its_length() {
        // Backtracking would take ages here.
        let pattern = Glob::parse(&"*a".repeat(200)).unwrap();
        assert!(!pattern.matches(&format!("{}b", "a".repeat(100_000))));
    }

    proptest! {
        #[test]
        fn filling_the_stars_gives_a_name_that_fits(parts in prop::collection::vec("[ab]{0,3}", 1..5), fill in "[ab]{0,3}") {
            let pattern = parts.join("*");
            prop_assume!(!pattern.is_empty());
            prop_assert!(Glob::parse(&pattern).unwrap().matches(&parts.join(&fill)));
        }
    }
}
