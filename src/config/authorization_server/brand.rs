//! What people see on the pages: the operator's name, logo and colour.

use super::{WrittenAuthorizationServer, key};
use crate::config::ConfigError;

/// The operator's look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name in the heading; the issuer's host when absent.
    pub name: Option<String>,
    /// The logo.
    pub logo: Option<Logo>,
    /// The accent colour, `#rrggbb`.
    pub color: Option<String>,
}

/// A picture that was read at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// `image/png`, `image/svg+xml` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

const MAX_LOGO: usize = 64 * 1024;
const MAX_NAME: usize = 80;

pub(super) fn read(written: &WrittenAuthorizationServer) -> Result<Brand, ConfigError> {
    Ok(Brand {
        name: written.name.as_deref().map(name).transpose()?,
        logo: written.logo_file.as_deref().map(logo).transpose()?,
        color: written.color.as_deref().map(color).transpose()?,
    })
}

fn name(text: &str) -> Result<String, ConfigError> {
    let sound = !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control);
    if sound {
        return Ok(text.trim().to_owned());
    }
    let rule = format!("it must be one line of 1 to {MAX_NAME} characters");
    Err(ConfigError::new(key("name"), Some(text), rule, "write it like \"Example Notes\""))
}

fn color(text: &str) -> Result<String, ConfigError> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let rule = "it must be a colour of six hexadecimal digits";
    Err(ConfigError::new(key("color"), Some(text), rule, "write it like \"#0b5fff\""))
}

fn logo(path: &str) -> Result<Logo, ConfigError> {
    let wrong = |rule: String, fix: &str| ConfigError::new(key("logo_file"), Some(path), rule, fix);
    let media_type = match path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => return Err(wrong("its name must end with .png, .svg or .jpg".into(), "name a picture of these kinds")),
    };
    let bytes = std::fs::read(path)
        .map_err(|error| wrong(format!("the file cannot be read: {error}"), "name a file that this user may read"))?;
    if bytes.len() > MAX_LOGO {
        return Err(wrong(format!("it is larger than {MAX_LOGO} bytes"), "use a smaller picture"));
    }
    Ok(Logo { media_type, bytes })
}
