//! Schemes of applications that may receive answers (RFC 8252 §7.1): an allow-list, because any application on a
//! machine may claim any scheme, and some schemes are programs or documents rather than addresses.

/// Schemes that native applications answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomSchemes(Vec<Box<str>>);

/// Why a scheme cannot be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadScheme {
    /// Not `[a-z][a-z0-9+.-]*`.
    #[error("a scheme is written in lower case, begins with a letter, and has no colon")]
    NotScheme,
    /// A scheme that browsers or systems treat in their own way.
    #[error("this scheme runs, shows or sends content by itself and can never receive answers")]
    NeverAllowed,
}

/// What browsers and systems handle themselves: script, content, files, other protocols.
const NEVER: [&str; 36] = [
    "about",
    "android-app",
    "blob",
    "cdp",
    "chrome",
    "chrome-extension",
    "cid",
    "content",
    "data",
    "dns",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "gopher",
    "http",
    "https",
    "intent",
    "jar",
    "javascript",
    "ldap",
    "livescript",
    "mailto",
    "mid",
    "mocha",
    "moz-extension",
    "resource",
    "sftp",
    "sms",
    "ssh",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

impl CustomSchemes {
    /// MCP clients that register a scheme of their own.
    pub const DEFAULT: [&str; 4] = ["cursor", "vscode", "vscode-insiders", "windsurf"];

    /// Takes the names of schemes, without the colon.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, BadScheme> {
        names.into_iter().map(scheme).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `scheme`, as written, may receive answers.
    pub fn contains(&self, scheme: &str) -> bool {
        self.0.iter().any(|allowed| **allowed == *scheme)
    }
}

impl Default for CustomSchemes {
    fn default() -> Self {
        Self(Self::DEFAULT.into_iter().map(Into::into).collect())
    }
}

/// RFC 3986 §3.1, in lower case: one spelling.
fn scheme(name: &str) -> Result<Box<str>, BadScheme> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(plain) {
        return Err(BadScheme::NotScheme);
    }
    if NEVER.contains(&name) { Err(BadScheme::NeverAllowed) } else { Ok(name.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_that_run_or_show_content_can_never_be_allowed() {
        for name in ["javascript", "data", "file", "blob", "about", "vbscript", "http", "https", "view-source"] {
            assert_eq!(CustomSchemes::parse([name]), Err(BadScheme::NeverAllowed), "{name}");
        }
        for name in ["", "Cursor", "cursor:", "1password", "a b", "java\tscript", "JavaScript", "ｊavascript", "-a"] {
            assert_eq!(CustomSchemes::parse([name]), Err(BadScheme::NotScheme), "{name:?}");
        }
    }

    #[test]
    fn the_default_is_a_list_that_could_be_configured() {
        assert_eq!(CustomSchemes::parse(CustomSchemes::DEFAULT), Ok(CustomSchemes::default()));
        let own = CustomSchemes::parse(["com.example.app"]).unwrap();
        assert!(own.contains("com.example.app") && !own.contains("cursor"));
    }
}
