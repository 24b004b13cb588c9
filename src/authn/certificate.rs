//! The client certificate of the TLS handshake, as the proxy that ended it tells of it (RFC 8705 §3). Its chain is the
//! proxy's business: what counts here is that the client holds the certificate that its token is bound to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use super::Thumbprint;
use crate::domain::Occurrence;

/// Longest value that is read, in bytes. A certificate takes one or two thousand.
const MAX_LENGTH: usize = 16 * 1024;

/// The digest of the one certificate that `header` tells of; none when it tells of none, of several, or of something else.
///
/// Four forms are known, and none can be taken for another: what Envoy says begins with a name and `=`, what RFC 9440 §2.1
/// says is a base64 text between colons, nginx sends PEM and percent-encodes it, Traefik and Caddy send base64 alone.
pub(super) fn thumbprint(header: Occurrence<'_>) -> Option<Thumbprint> {
    let value = header.once().filter(|value| value.len() <= MAX_LENGTH)?;
    let text = std::str::from_utf8(value).ok()?.trim_ascii();
    match text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
        Some(inner) => of_base64(inner),
        None if is_element(text) => of_element(text),
        None => of_encoded(text),
    }
}

/// Base64, with or without the lines around it that make it PEM, percent-encoded where the proxy does so.
fn of_encoded(text: &str) -> Option<Thumbprint> {
    let text = percent_decode(text.as_bytes()).decode_utf8().ok()?;
    let text = text.trim_ascii();
    let inner = match text.strip_prefix("-----BEGIN CERTIFICATE-----") {
        Some(rest) => rest.strip_suffix("-----END CERTIFICATE-----")?,
        None => text,
    };
    of_base64(&inner.split_ascii_whitespace().collect::<String>())
}

/// A comma or a second PEM block is no base64: a header that tells of several certificates tells of none.
fn of_base64(text: &str) -> Option<Thumbprint> {
    let certificate = STANDARD.decode(text).ok().filter(|certificate| !certificate.is_empty())?;
    Some(Thumbprint::of(&certificate))
}

/// `x-forwarded-client-cert` of Envoy: `Hash=…;Cert="…";Subject="…"`.
fn is_element(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        ["By", "Hash", "Cert", "Chain", "Subject", "URI", "DNS"].iter().any(|known| name.eq_ignore_ascii_case(known))
    })
}

/// One element, in which `Hash` or `Cert` stands once. A second element would be that of another proxy, or of the client.
fn of_element(text: &str) -> Option<Thumbprint> {
    let pairs = pairs(text)?;
    let mut found = pairs.iter().filter_map(|(name, value)| {
        if name.eq_ignore_ascii_case("hash") {
            Some(of_hex(value))
        } else if name.eq_ignore_ascii_case("cert") {
            Some(of_encoded(value))
        } else {
            None
        }
    });
    let first = found.next()??;
    found.all(|other| other == Some(first)).then_some(first)
}

/// The parts between semicolons; none when a comma starts another element.
fn pairs<'t>(text: &'t str) -> Option<Vec<(&'t str, &'t str)>> {
    let (mut quoted, mut escaped, mut several) = (false, false, false);
    let between = |char: char| {
        let ends = !quoted && char == ';';
        several |= !quoted && char == ',';
        quoted ^= char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        ends
    };
    let parts: Vec<&str> = text.split(between).collect();
    if several || quoted {
        return None;
    }
    let pair = |part: &'t str| part.split_once('=').and_then(|(name, value)| Some((name, unquoted(value)?)));
    parts.into_iter().map(pair).collect()
}

/// A value that is quoted as a whole, or not at all.
fn unquoted(value: &str) -> Option<&str> {
    let Some(quoted) = value.strip_prefix('"') else { return (!value.contains('"')).then_some(value) };
    let (inner, mut escaped) = (quoted.strip_suffix('"')?, false);
    let ends_early = inner.chars().any(|char| {
        let ends = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        ends
    });
    (!ends_early).then_some(inner)
}

fn of_hex(text: &str) -> Option<Thumbprint> {
    let mut digest = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0_u8, |value, digit| {
            let digit = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            Some(value << 4 | digit)
        })?;
    }
    Some(Thumbprint::from_digest(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any bytes do: nothing here looks into a certificate. These hold `+` and `/` in base64.
    const DER: [u8; 6] = [0xfb, 0xff, 0xbf, 0x30, 0x82, 0x01];
    const HASH: &str = "fb8b32d5ffc0";

    fn read(value: &str) -> Option<Thumbprint> {
        thumbprint(Occurrence::Once(value.as_bytes()))
    }

    fn hex() -> String {
        Thumbprint::of(&DER).as_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    #[test]
    fn every_proxy_s_form_tells_the_same_certificate() {
        let (base64, hex) = (STANDARD.encode(DER), hex());
        let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A");
        let encoded = base64.replace('+', "%2B").replace('/', "%2F");
        for value in [
            base64.clone(),
            encoded.clone(),
            pem.clone(),
            pem.replace('+', "%2B").replace('/', "%2f"),
            format!(":{base64}:"),
            format!("Hash={hex}"),
            format!("Hash={};Subject=\"CN=a,O=b;c\"", hex.to_uppercase()),
            format!("By=spiffe://a/b;Hash={hex};Cert=\"{pem}\";URI=spiffe://a/c"),
            format!("Cert=\"{pem}\""),
            format!("hash={hex};Subject=\"a\\\",Hash=x\""),
        ] {
            assert_eq!(read(&value), Some(Thumbprint::of(&DER)), "{value}");
        }
        for first in ["By", "Chain", "Subject", "URI", "DNS", "dns"] {
            let value = format!("{first}=x;Hash={hex}");
            assert_eq!(read(&value), Some(Thumbprint::of(&DER)), "{value}");
        }
        let ends_in_a_backslash = format!(r#"Hash={hex};Subject="a\\\\";DNS=x"#);
        assert_eq!(read(&ends_in_a_backslash), Some(Thumbprint::of(&DER)));
        assert_eq!(read("+w=="), Some(Thumbprint::of(&[0xfb])), "padding makes no pair of a name and a value");
        let longest = "A".repeat(16 * 1024);
        assert_eq!(read(&longest), Some(Thumbprint::of(&vec![0; 12 * 1024])));
    }

    #[test]
    fn what_tells_of_none_of_several_or_of_something_else_tells_of_none() {
        let (base64, hex, other) = (STANDARD.encode(DER), hex(), HASH.repeat(5) + "abcd");
        let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A");
        for value in [
            String::new(),
            "::".into(),
            format!("{base64},{base64}"),
            format!("{base64}%2C{base64}"),
            format!("{pem}{pem}"),
            format!(":{base64}:, :{base64}:"),
            format!("Hash={hex},Hash={hex}"),
            format!("Hash={hex};Hash={other}"),
            format!("Hash={hex};Cert=\"{}\"", STANDARD.encode(b"another")),
            format!("Hash={hex}00"),
            // Another proxy's element, or the client's own, after one that would do.
            format!("Hash={hex};Subject=\"a\",By=x"),
            format!("Hash={hex};Subject=\"a"),
            format!("Hash={}", "g".repeat(64)),
            "Hash=".into(),
            "Subject=\"CN=a\"".into(),
            format!("Subject=\"CN=a;Hash={hex}\""),
            format!("Subject=\"CN=a;Hash={hex}"),
            // A certificate's own names, which Envoy hands on as they are.
            format!("Hash={other};URI=urn:x;Hash={hex}"),
            format!("Hash={other};Subject=\"CN=a\";URI=urn:x;Cert=\"{pem}\""),
            format!("Hash={other};URI=urn:x,Hash={hex}"),
            format!("Hash={other};DNS=\";Hash={hex}"),
            format!("Hash={other};URI=urn:x\",Hash={hex};URI=\""),
            format!("Hash=\"\"{hex}\"\""),
            format!("Hash={hex};Subject=\"CN=a\"b"),
            format!("Hash={hex};Subject=CN=\"a\""),
            "MII=%".into(),
            "x".repeat(MAX_LENGTH + 4),
        ] {
            assert_eq!(read(&value), None, "{value:.80}");
        }
        assert_eq!(thumbprint(Occurrence::Absent), None);
        assert_eq!(thumbprint(Occurrence::Repeated), None);
        assert_eq!(thumbprint(Occurrence::Once(b"\xff")), None);
    }
}
