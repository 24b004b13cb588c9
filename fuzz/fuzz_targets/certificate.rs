//! What proxies say of a client's certificate (RFC 9440, Envoy's `x-forwarded-client-cert`, PEM, Base64): a token that is
//! bound to one counts only where the header tells of that certificate, and of no other.
#![no_main]

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use mcp_forward_auth::authn::{Authentication, Authenticator, Credential, Evidence, Identity};
use mcp_forward_auth::domain::original_request::{OriginalRequest, RawRequest};
use mcp_forward_auth::domain::{Occurrence, UnixTime};
use mcp_forward_auth_fuzz::caller::{self, NOW};
use percent_encoding::percent_decode;
use serde_json::json;

/// Nothing looks into a certificate, so any bytes do; these hold `+` and `/` in Base64.
const CERTIFICATE: [u8; 6] = [0xfb, 0xff, 0xbf, 0x30, 0x82, 0x01];

struct Bound {
    authenticator: Authenticator,
    identity: Arc<Identity>,
    request: OriginalRequest<'static>,
}

static BOUND: LazyLock<Bound> = LazyLock::new(|| {
    let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &CERTIFICATE));
    let (authenticator, identity) = caller::proven(&json!({"cnf": {"x5t#S256": thumbprint}}), false);
    let raw = RawRequest {
        method: (b"POST", "method"),
        scheme: (b"https", "scheme"),
        authority: (b"mcp.example.com", "authority"),
        target: b"/mcp",
    };
    Bound { authenticator, identity, request: OriginalRequest::parse(&raw).expect("the request is good") }
});

fuzz_target!(|value: &[u8]| {
    let evidence = Evidence {
        request: &BOUND.request,
        proof: Occurrence::Absent,
        certificate: Occurrence::Once(value),
        dpop_required: false,
    };
    let identity = Arc::clone(&BOUND.identity);
    let now = UnixTime::from_secs(NOW);
    if let Authentication::Verified(_) = BOUND.authenticator.prove(identity, Credential::None, &evidence, now) {
        let text = std::str::from_utf8(value).expect("what is read is text").trim();
        assert!(is_element_of_it(text) || is_it(text) || is_structured(text), "{text:?}");
    }
});

/// One byte sequence of a structured field (RFC 8941 §3.3.5).
fn is_structured(text: &str) -> bool {
    text == format!(":{}:", STANDARD.encode(CERTIFICATE))
}

/// Base64 or PEM, percent-encoded or not: without the lines around it and without white space there is nothing else.
fn is_it(text: &str) -> bool {
    let decoded = percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned();
    let bare = decoded.replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "");
    bare.split_whitespace().collect::<String>() == STANDARD.encode(CERTIFICATE)
}

/// One element of Envoy's: every pair that tells of a certificate tells of this one.
fn is_element_of_it(text: &str) -> bool {
    let Some(pairs) = pairs(text) else { return false };
    let hex: String = digest(&SHA256, &CERTIFICATE).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut told = pairs.iter().filter_map(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "hash" => Some(value.eq_ignore_ascii_case(&hex)),
        "cert" => Some(is_it(value)),
        _ => None,
    });
    told.next() == Some(true) && told.all(|is_it| is_it)
}

/// `Name=value;Name="value"`, where a backslash inside of quotes takes its meaning from what follows. None of several.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let (mut pairs, mut rest) = (Vec::new(), text);
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => after.split_at(after.find([';', ',']).unwrap_or(after.len())),
        };
        pairs.push((name.to_owned(), value.to_owned()));
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(pairs),
        }
    }
}

/// What stands before the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.find(|char| {
        let closes = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        closes
    })?;
    Some((&text[..end], &text[end + 1..]))
}
