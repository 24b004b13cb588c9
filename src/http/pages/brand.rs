//! The operator's name, logo and colour on the pages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::colour::Colour;
use super::text::one_line;

/// What people recognise the operator by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    name: String,
    logo: Option<Logo>,
    colour: Colour,
}

impl Brand {
    /// Longest name in characters.
    const MAX_NAME: usize = 80;
    const BLUE: Colour = Colour::new(0x1d, 0x4f, 0xc4);

    /// A name (the issuer's host, where the operator gave none), without a logo, in blue.
    pub fn new(name: &str) -> Self {
        Self { name: one_line(name, Self::MAX_NAME), logo: None, colour: Self::BLUE }
    }

    /// With a logo beside the name.
    #[must_use]
    pub fn with_logo(self, logo: Logo) -> Self {
        Self { logo: Some(logo), ..self }
    }

    /// With an accent colour. Text on it becomes black or white, and where the colour itself is text, it is made as dark
    /// or light as it must be.
    #[must_use]
    pub fn with_colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn colour(&self) -> Colour {
        self.colour
    }

    /// The logo as the address of an image.
    pub(super) fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(|logo| logo.0.as_str())
    }
}

/// A picture, as a `data:` URI. Shown with `<img>` only, in which an SVG runs no script and loads nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo(String);

/// Why a file is no logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// It travels with every page.
    #[error("it is larger than {} KiB", Logo::MAX_BYTES / 1024)]
    TooLarge,
    /// Neither of the pictures that every browser shows.
    #[error("it is neither a PNG nor a JPEG nor an SVG picture")]
    UnknownKind,
}

impl LogoError {
    /// What to do about it.
    pub const fn fix(self) -> &'static str {
        match self {
            Self::TooLarge => "use a smaller picture",
            Self::UnknownKind => "convert it to one of these",
        }
    }
}

impl Logo {
    /// Largest file in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Takes the bytes of a PNG, JPEG or SVG file; they tell themselves which it is.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogoError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(LogoError::TooLarge);
        }
        let media_type = media_type(bytes).ok_or(LogoError::UnknownKind)?;
        Ok(Self(format!("data:{media_type};base64,{}", STANDARD.encode(bytes))))
    }
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let opens = ["<svg", "<?xml", "<!--", "<!DOCTYPE svg"].iter().any(|start| text.starts_with(start));
    (opens && text.contains("<svg")).then_some("image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let cases: [(&[u8], &str); 4] = [
            (b"\x89PNG\r\n\x1a\n....", "data:image/png;base64,"),
            (b"\xff\xd8\xff\xe0....", "data:image/jpeg;base64,"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "data:image/svg+xml;base64,"),
            (b"<?xml version='1.0'?>\n<svg/>", "data:image/svg+xml;base64,"),
        ];
        for (bytes, start) in cases {
            let logo = Logo::from_bytes(bytes).unwrap();
            assert!(logo.0.starts_with(start), "{logo:?}");
        }
    }

    #[test]
    fn nothing_else_is_a_logo() {
        for bytes in [&b""[..], b"GIF89a", b"<html><svg/></html>", b"<?xml version='1.0'?><html/>", b"\xff\xfe<svg"] {
            assert_eq!(Logo::from_bytes(bytes), Err(LogoError::UnknownKind), "{bytes:?}");
        }
        assert_eq!(Logo::from_bytes(&vec![b'<'; Logo::MAX_BYTES + 1]), Err(LogoError::TooLarge));
    }
}
