//! Text that came from outside: one line, bounded, without characters that hide something or turn the line around.

use std::fmt::{self, Write};
use std::ops::RangeInclusive;

use askama::filters::{Escaper, Html};

/// The escaper of every template: takes hidden characters out and escapes the rest for HTML text and attributes.
#[derive(Debug, Clone, Copy, Default)]
pub struct CleanHtml;

impl Escaper for CleanHtml {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        text.chars().filter_map(visible).try_for_each(|char| Html.write_escaped_char(&mut dest, char))
    }
}

/// `text` as one line of at most `max` characters, the last of them an ellipsis where something was cut.
pub fn one_line(text: &str, max: usize) -> String {
    // Far more than is shown, and little enough that megabytes of nothing cost nothing.
    let mut kept = spaced_once(text.chars().take(max.saturating_mul(8)).filter_map(visible));
    let is_cut = kept.chars().nth(max).is_some() || text.chars().nth(max.saturating_mul(8)).is_some();
    if is_cut {
        kept = kept.chars().take(max.saturating_sub(1)).collect();
        kept.truncate(kept.trim_end().len());
        kept.push('…');
    }
    kept
}

/// The same, unless nothing visible is left.
pub(super) fn visible_line(text: &str, max: usize) -> Option<String> {
    let line = one_line(text, max);
    line.chars().any(|char| !char.is_whitespace() && !is_joiner(char) && !is_mark(char) && char != '…').then_some(line)
}

/// Runs of spaces become one; runs of combining marks, which climb over the lines above, end after the third.
fn spaced_once(chars: impl Iterator<Item = char>) -> String {
    const MAX_MARKS: usize = 3;
    let mut line = String::new();
    let mut marks = 0;
    for char in chars {
        marks = if is_mark(char) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS && !(char == ' ' && (line.is_empty() || line.ends_with(' '))) {
            line.push(char);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters that show nothing and change how their neighbours are read. The two joiners are not among them: Persian,
/// Hindi and families of emoji are written with them.
const HIDDEN: [RangeInclusive<char>; 18] = [
    // Soft hyphen, Arabic letter mark, Hangul fillers, Khmer inherent vowels, Mongolian selectors and separator.
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    // Zero-width space, bidirectional marks, embeddings, overrides and isolates, invisible operators.
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    // Braille blank, Hangul fillers, byte order mark, annotations, object replacement.
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffc}',
    // Invisible music, shorthand and notation controls; private use; tags, selectors and private planes.
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e000}'..='\u{f8ff}',
    '\u{e0000}'..='\u{10ffff}',
];

/// The character as it is shown: spaces of all kinds as a space, hidden ones not at all.
fn visible(char: char) -> Option<char> {
    if char.is_whitespace() {
        return Some(' ');
    }
    let is_hidden = char.is_control() || HIDDEN.iter().any(|range| range.contains(&char));
    (!is_hidden).then_some(char)
}

fn is_joiner(char: char) -> bool {
    matches!(char, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// The combining blocks of all scripts, and the selectors that go with emoji.
fn is_mark(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut html = String::new();
        CleanHtml.write_escaped_str(&mut html, text).unwrap();
        html
    }

    #[test]
    fn markup_is_escaped_for_text_and_for_attributes_in_either_quotes() {
        assert_eq!(escaped("<script>&\"'"), "&#60;script&#62;&#38;&#34;&#39;");
    }

    #[test]
    fn characters_that_hide_or_turn_are_gone() {
        let hidden = [
            "\u{0}",
            "\u{7}",
            "\u{1b}",
            "\u{7f}",
            "\u{85}x",
            "\u{ad}",
            "\u{61c}",
            "\u{200b}",
            "\u{200e}",
            "\u{200f}",
            "\u{202a}",
            "\u{202d}",
            "\u{202e}",
            "\u{2060}",
            "\u{2066}",
            "\u{2069}",
            "\u{206a}",
            "\u{feff}",
            "\u{fff9}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{e000}",
            "\u{f0000}",
            "\u{10fffd}",
            "\u{3164}",
            "\u{2800}",
            "\u{115f}",
        ];
        for text in hidden {
            let name = format!("ab{text}cd");
            let line = one_line(&name, 80);
            assert!(line == "abcd" || line == "ab xcd", "{text:?} left {line:?}");
            assert_eq!(escaped(&name), line, "{text:?}");
        }
    }

    #[test]
    fn letters_of_every_script_and_emoji_stay() {
        for text in
            ["Zürich", "Привет", "日本語", "می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}💻", "❤\u{fe0f}", "é\u{323}"]
        {
            assert_eq!(one_line(text, 80), text);
        }
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("  a\r\n\tb \u{2028}\u{3000} c  ", 80), "a b c");
        assert_eq!(one_line("a\u{2029}b", 80), "a b");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("abcd  efg", 6), "abcd…");
        let long = one_line(&"ü".repeat(10_000), 60);
        assert_eq!(long.chars().count(), 60);
        assert_eq!(one_line(&"\u{202e}".repeat(10_000), 60), "…");
    }

    #[test]
    fn marks_cannot_climb() {
        let line = one_line(&format!("a{}b", "\u{30d}".repeat(500)), 60);
        assert!(line.chars().filter(|char| is_mark(*char)).count() <= 3, "{line:?}");
    }

    #[test]
    fn a_name_of_nothing_is_no_name() {
        for text in ["", "  ", "\u{200b}", "\u{200d}\u{200d}", "\u{202e}", "\u{301}", &"\u{202e}".repeat(10_000)] {
            assert_eq!(visible_line(text, 60), None, "{text:?}");
        }
        assert_eq!(visible_line(" Claude ", 60).as_deref(), Some("Claude"));
    }
}
