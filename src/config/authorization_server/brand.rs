//! What people see on the pages: the operator's name, logo and colour.

use std::fs::File;
use std::io::{self, Read as _};

use super::{WrittenAuthorizationServer, key};
use crate::config::ConfigError;
use crate::http::pages::{Colour, Logo};

/// The operator's look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name in the heading; the issuer's host when absent.
    pub name: Option<String>,
    /// The logo, as it was read at the start.
    pub logo: Option<Logo>,
    /// The accent colour.
    pub color: Option<Colour>,
}

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

fn color(text: &str) -> Result<Colour, ConfigError> {
    Colour::parse(text).ok_or_else(|| {
        let rule = "it must be a colour of six hexadecimal digits";
        ConfigError::new(key("color"), Some(text), rule, "write it like \"#0b5fff\"")
    })
}

fn logo(path: &str) -> Result<Logo, ConfigError> {
    let wrong = |rule: String, fix: &str| ConfigError::new(key("logo_file"), Some(path), rule, fix);
    let bytes = read_bounded(path)
        .map_err(|error| wrong(format!("the file cannot be read: {error}"), "name a file that this user may read"))?;
    Logo::from_bytes(&bytes).map_err(|error| wrong(error.to_string(), error.fix()))
}

/// A little more than a logo may have, so that one that is too large is told as such.
fn read_bounded(path: &str) -> io::Result<Vec<u8>> {
    let most = u64::try_from(Logo::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
