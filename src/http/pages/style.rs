//! The one stylesheet, and the policy that allows exactly it (CSP Level 3 §6.7.3.3).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::colour::Colour;

const SHEET: &str = include_str!("../../../templates/style.css");
/// The backgrounds of the sheet on which the accent is read: the darkest light one and the lightest dark one.
const LIGHT: Colour = Colour::new(0xf3, 0xf4, 0xf7);
const DARK: Colour = Colour::new(0x1a, 0x1e, 0x25);

/// What stands between `<style>` and `</style>`, and its policy.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub(super) text: String,
    pub(super) policy: String,
}

impl Style {
    /// In the operator's colour.
    pub(super) fn new(accent: Colour) -> Self {
        let (on_accent, light, dark) = (accent.text_on_it(), accent.readable_on(LIGHT), accent.readable_on(DARK));
        let text = format!(
            ":root{{--accent:{accent};--on-accent:{on_accent};--accent-text:{light}}}\n\
             @media (prefers-color-scheme:dark){{:root{{--accent-text:{dark}}}}}\n{SHEET}"
        );
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
        // `form-action` holds for the whole chain of redirects that a form starts. That is why no form of ours is ever
        // answered with a redirect to another origin, but with a page that goes on by itself.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        Self { text, policy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_stays_inside_its_element_and_loads_nothing() {
        for forbidden in ["</", "<!--", "@import", "url(", "expression"] {
            assert!(!SHEET.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_backgrounds_are_those_of_the_sheet() {
        for background in [LIGHT, DARK] {
            assert!(SHEET.contains(&background.to_string()), "{background}");
        }
    }

    #[test]
    fn another_colour_is_another_policy() {
        assert_ne!(Style::new(Colour::BLACK).policy, Style::new(Colour::WHITE).policy);
    }
}
