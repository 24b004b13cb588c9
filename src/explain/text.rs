//! How what was compared is written: bounded, since a token may hold thousands of groups.

use std::fmt::Display;

const MOST_ITEMS: usize = 20;
const MOST_CHARS: usize = 256;

/// `[one, two]`
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let mut shown: Vec<String> = items.by_ref().take(MOST_ITEMS).map(|item| cut(&item.to_string())).collect();
    match items.count() {
        0 => {}
        more => shown.push(format!("and {more} more")),
    }
    format!("[{}]", shown.join(", "))
}

/// The beginning of a text that somebody else chose.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_items_are_bounded() {
        assert_eq!(list(["a", "b"]), "[a, b]");
        assert_eq!(list::<&str>([]), "[]");
        let long = list((0..5000).map(|number| number.to_string().repeat(100)));
        assert!(long.ends_with("…, and 4980 more]") || long.ends_with("and 4980 more]"));
        assert!(long.len() < 8000);
        assert_eq!(cut(&"é".repeat(300)).chars().count(), 257);
    }
}
