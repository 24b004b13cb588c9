//! The operator's colour, and what can be read on it and beside it (WCAG 2.2 §1.4.3).

use std::fmt;

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    pub(super) const BLACK: Self = Self::new(0, 0, 0);
    pub(super) const WHITE: Self = Self::new(255, 255, 255);
    /// A little more than the 4.5 : 1 that text needs, for what rounding takes.
    const READABLE: f64 = 4.6;

    pub(super) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Takes `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self::new(red, green, blue))
    }

    /// Black or white, whichever is read better on this colour. One of them always has 4.5 : 1.
    pub(super) fn text_on_it(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// This colour, as far towards black or white as it must go to be read on `background`.
    pub(super) fn readable_on(self, background: Self) -> Self {
        let pole = background.text_on_it();
        let shades = (0..=100).step_by(2).map(|percent| self.towards(pole, percent));
        shades.into_iter().find(|shade| shade.contrast(background) >= Self::READABLE).unwrap_or(pole)
    }

    /// From 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn towards(self, other: Self, percent: u16) -> Self {
        let mix = |from: u8, to: u8| {
            let mixed = (u16::from(from) * (100 - percent) + u16::from(to) * percent) / 100;
            u8::try_from(mixed).unwrap_or(to)
        };
        Self::new(mix(self.red, other.red), mix(self.green, other.green), mix(self.blue, other.blue))
    }

    /// Relative luminance as WCAG 2.2 defines it.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_six_hexadecimal_digits_and_nothing_else() {
        assert_eq!(Colour::parse("#0B5fff").unwrap().to_string(), "#0b5fff");
        for text in ["", "#", "0b5fff", "#fff", "#0b5ff", "#0b5fff0", "#+b5fff", "#0b5ffg", "red", "#fff;} *{"] {
            assert_eq!(Colour::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn contrast_is_as_wcag_computes_it() {
        let cases = [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48)];
        for (one, other, expected) in cases {
            let contrast = Colour::parse(one).unwrap().contrast(Colour::parse(other).unwrap());
            assert!((contrast - expected).abs() < 0.01, "{one} on {other}: {contrast}");
        }
    }

    #[test]
    fn whatever_the_colour_text_on_it_and_in_it_can_be_read() {
        let steps = [0, 1, 64, 127, 128, 192, 254, 255];
        let all = steps.iter().flat_map(|red| steps.iter().map(move |green| (*red, *green)));
        for (red, green) in all {
            for blue in steps {
                let colour = Colour::new(red, green, blue);
                assert!(colour.contrast(colour.text_on_it()) >= 4.5, "on {colour}");
                for background in ["#ffffff", "#f4f5f7", "#171b21", "#000000"] {
                    let background = Colour::parse(background).unwrap();
                    let shade = colour.readable_on(background);
                    assert!(shade.contrast(background) >= 4.5, "{colour} became {shade} on {background}");
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue = Colour::parse("#1d4fc4").unwrap();
        assert_eq!(blue.readable_on(Colour::WHITE), blue);
    }
}
