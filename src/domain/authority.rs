//! Scheme and authority of a request (RFC 3986 §3.1, §3.2).

use std::borrow::Cow;
use std::fmt;

/// `http` or `https`; WebSocket schemes are read as the HTTP scheme they start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// Reads `http`, `https`, `ws` or `wss` in any case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], Scheme); 4] =
            [(b"https", Scheme::Https), (b"http", Scheme::Http), (b"wss", Scheme::Https), (b"ws", Scheme::Http)];
        NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, scheme)| *scheme)
    }

    /// The port that this scheme means when none is written.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// The scheme in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Host and port, normalised once: lower case, no trailing dot, no default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority<'a> {
    host: Cow<'a, str>,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port` or `[v6]:port`. Anything else (lists, user info, odd bytes) is `None`.
    pub fn parse(text: &'a [u8], scheme: Scheme) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (host, port) = split_port(text)?;
        let host = host.strip_suffix('.').unwrap_or(host);
        if !is_host(host) {
            return None;
        }
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        };
        Some(Self { host, port: port.filter(|port| *port != scheme.default_port()) })
    }

    /// The host in lower case; an IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, unless it is the default of the scheme.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// An empty port (`host:`) is what Traefik hands on when the client wrote it so: no port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = match text.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_end)?;
    match rest.strip_prefix(':') {
        None => rest.is_empty().then_some((host, None)),
        Some("") => Some((host, None)),
        Some(port) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0)?;
            Some((host, Some(port)))
        }
    }
}

fn is_host(host: &str) -> bool {
    const MAX_HOST_LENGTH: usize = 253; // RFC 1035 §2.3.4
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    // No empty label: neither at the start nor between two dots.
    let mut label_open = false;
    let sound = host.bytes().all(|byte| {
        let dot = byte == b'.';
        let fits = if dot { label_open } else { byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') };
        label_open = !dot;
        fits
    });
    sound && label_open && host.len() <= MAX_HOST_LENGTH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, scheme: Scheme) -> Option<String> {
        Authority::parse(text.as_bytes(), scheme).map(|authority| authority.to_string())
    }

    #[test]
    fn normalises_case_dot_and_default_port() {
        for (text, scheme, expected) in [
            ("mcp.example.com", Scheme::Https, "mcp.example.com"),
            ("MCP.Example.COM.", Scheme::Https, "mcp.example.com"),
            ("mcp.example.com:443", Scheme::Https, "mcp.example.com"),
            ("mcp.example.com:443", Scheme::Http, "mcp.example.com:443"),
            ("mcp.example.com:", Scheme::Http, "mcp.example.com"),
            ("mcp.example.com.:8080", Scheme::Http, "mcp.example.com:8080"),
            ("[::1]:8080", Scheme::Http, "[::1]:8080"),
            ("[::1]", Scheme::Http, "[::1]"),
        ] {
            assert_eq!(shown(text, scheme).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_one_host() {
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a,b",
            "a b",
            "a/b",
            "user@a",
            "a:b",
            "a:70000",
            "a:0",
            "a:80:80",
            "[::1",
            "[::1]x",
            "::1",
            "a%2eb",
            "a\u{e9}",
            "a:+80",
            "[fe80::1%25eth0]",
        ] {
            assert_eq!(shown(text, Scheme::Http), None, "{text}");
        }
    }

    #[test]
    fn websocket_schemes_are_http_schemes() {
        assert_eq!(Scheme::parse(b"WSS"), Some(Scheme::Https));
        assert_eq!(Scheme::parse(b"ws"), Some(Scheme::Http));
        assert_eq!(Scheme::parse(b"ftp"), None);
        assert_eq!(Scheme::parse(b"https,http"), None);
    }
}
