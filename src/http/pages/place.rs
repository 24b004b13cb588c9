//! Where an answer goes, in words that people can judge.

use url::{Host, Url};

use super::text::one_line;

/// What stands behind a redirect URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A web site. The host is what nobody else can claim; it is shown whole, and in its ASCII form.
    Website {
        /// `claude.ai`, with the port where it is an unusual one.
        host: String,
    },
    /// A program on the device at which the browser runs: any program there can take this place.
    ThisDevice {
        /// `localhost`, `127.0.0.1` or `[::1]`.
        host: String,
    },
    /// An app that the device opens for links of its own.
    App {
        /// `cursor`
        scheme: String,
    },
}

impl Place {
    /// Where `uri` leads; the core has checked it before.
    pub fn of(uri: &str) -> Self {
        let scheme = || uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match Url::parse(uri) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Self::of_url(&url),
            Ok(_) | Err(_) => Self::App { scheme: scheme() },
        }
    }

    fn of_url(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_loopback = match url.host() {
            // `localhost.` and names below it never leave the device either (RFC 6761 §6.3).
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.port() {
            _ if is_loopback => Self::ThisDevice { host },
            Some(port) => Self::Website { host: format!("{host}:{port}") },
            None => Self::Website { host },
        }
    }

    /// The text that is shown large. Longer than any host name may be, so that none is ever cut.
    pub fn shown(&self) -> String {
        const MAX: usize = 300;
        match self {
            Self::Website { host: text } | Self::ThisDevice { host: text } | Self::App { scheme: text } => {
                one_line(text, MAX)
            }
        }
    }
}

/// An address that a page of ours may send the browser to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination(String);

impl Destination {
    /// Schemes that are no place: they run what they hold, or open what is the browser's or the device's own.
    const NO_PLACES: [&'static str; 12] = [
        "javascript",
        "data",
        "vbscript",
        "blob",
        "filesystem",
        "file",
        "about",
        "view-source",
        "chrome",
        "intent",
        "content",
        "jar",
    ];

    /// Takes an absolute URI that the core has accepted. What it must have refused is refused here once more: a link on
    /// our page is a link that people trust.
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        // RFC 3986 §2: whatever is not visible ASCII, and quotes, angle brackets and backslashes, is percent-encoded.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`');
        let is_place = !Self::NO_PLACES.contains(&scheme.to_ascii_lowercase().as_str());
        let sound = is_scheme && is_place && !rest.is_empty() && rest.bytes().all(is_plain) && Url::parse(uri).is_ok();
        sound.then(|| Self(uri.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind it.
    pub fn place(&self) -> Place {
        Place::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_what_nobody_else_can_claim() {
        let cases = [
            ("https://claude.ai/api/mcp/auth_callback", "claude.ai"),
            ("https://claude.ai:8443/cb", "claude.ai:8443"),
            ("https://claude.ai@evil.example/cb", "evil.example"),
            ("https://сlaude.example/cb", "xn--laude-0ye.example"),
            ("https://claude.ai.evil.example/", "claude.ai.evil.example"),
            ("http://127.0.0.1:33418/cb", "127.0.0.1"),
            ("http://[::1]:33418/cb", "[::1]"),
            ("http://localhost/cb", "localhost"),
            ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor"),
            ("com.example.app:/cb", "com.example.app"),
        ];
        for (uri, shown) in cases {
            assert_eq!(Place::of(uri).shown(), shown, "{uri}");
        }
    }

    #[test]
    fn only_loopback_is_this_device() {
        for uri in
            ["http://localhost:1/", "http://app.localhost/", "http://127.9.9.9/", "http://[::1]/", "http://0x7f.1/"]
        {
            assert!(matches!(Place::of(uri), Place::ThisDevice { .. }), "{uri}");
        }
        for uri in ["https://localhost.example.com/", "https://127.0.0.1.example.com/", "https://notlocalhost/"] {
            assert!(matches!(Place::of(uri), Place::Website { .. }), "{uri}");
        }
    }

    #[test]
    fn a_destination_is_a_plain_absolute_address() {
        for uri in [
            "https://claude.ai/cb?code=a%20b&state=x'y&iss=https%3A%2F%2Fauth.example.com",
            "http://127.0.0.1:1234/cb?code=x",
            "cursor://anysphere.cursor-mcp/oauth/callback?code=x&state=y",
            "com.example.app:/cb?code=x",
        ] {
            assert_eq!(Destination::parse(uri).unwrap().as_str(), uri);
        }
        for uri in [
            "",
            "/cb",
            "//evil.example",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://a/b",
            "file:///etc/passwd",
            "about:blank",
            "intent://x#Intent;end",
            "view-source:https://a/",
            "https://a/\"><script>",
            "https://a/ b",
            "https://a/\r\nb",
            "https://a/\u{202e}",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "https:",
            "1https://a/",
            "https://a/\\b",
            "https://[::1/",
        ] {
            assert_eq!(Destination::parse(uri), None, "{uri:?}");
        }
    }
}
