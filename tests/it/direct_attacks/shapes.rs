//! Tokens of another shape than three base64url parts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::json;

use super::Bench;
use crate::support::issuer::encode;

#[test]
fn a_token_has_three_parts() {
    let bench = Bench::start();
    let good = bench.sign(&bench.token());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let encrypted = encode(json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "key-2" }).to_string());
    let direct = encode(json!({ "alg": "dir", "enc": "A128CBC-HS256", "zip": "DEF" }).to_string());
    let rows = [
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("two parts and a dot", format!("{header}.{claims}.")),
        ("four parts", format!("{good}.{signature}")),
        ("four parts, the last empty", format!("{good}.")),
        ("four parts, the first empty", format!(".{good}")),
        ("four parts, the second claims hidden", format!("{header}.{claims}.{claims}.{signature}")),
        ("five parts", format!("{good}.{claims}.{signature}")),
        ("a JWE", format!("{encrypted}.AAAA.AAAA.AAAA.AAAA")),
        ("a direct JWE", format!("{direct}..AAAA.AAAA.AAAA")),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("dots", "..".to_owned()),
        ("one dot", ".".to_owned()),
        ("many dots", ".".repeat(10_000)),
        ("header and claims swapped", format!("{claims}.{header}.{signature}")),
        ("a token in a token", format!("{header}.{}.{signature}", encode(&good))),
        ("standard base64 of it all", STANDARD.encode(&good)),
        ("encoded once more", encode(&good)),
        ("a name before it", format!("token={good}")),
        ("garbage", "garbage".to_owned()),
        ("an API key", format!("mfa_{}", "0".repeat(43))),
    ];
    bench.refuses("invalid_token", rows.to_vec());
}

/// The same bytes in another writing are another token to caches and revocation lists.
#[test]
fn parts_are_base64url_without_padding() {
    let bench = Bench::start();
    let token = bench.token().claim("jti", "??????");
    let (header, claims) = (token.header.to_string(), token.claims.to_string());
    let sign = |input: String| {
        let signature = bench.issuer.keys[0].sign(input.as_bytes());
        format!("{input}.{}", encode(signature))
    };
    let good = bench.sign(&token);
    let parts: Vec<&str> = good.split('.').collect();
    let (h, c, s) = (parts[0], parts[1], parts[2]);
    let raw_signature = bench.issuer.keys[0].sign(token.signing_input().as_bytes());
    let mut rows = vec![
        ("padded claims", sign(format!("{h}.{}", padded(&claims)))),
        ("standard alphabet in the claims", sign(format!("{h}.{}", STANDARD_NO_PAD.encode(&claims)))),
        ("padded signature", format!("{h}.{c}.{s}==")),
        ("half padded signature", format!("{h}.{c}.{s}=")),
        ("standard alphabet and padding in the signature", format!("{h}.{c}.{}", STANDARD.encode(&raw_signature))),
        ("a padded header", sign(format!("{}.{c}", padded(&header)))),
        ("other last bits in the signature", format!("{h}.{c}.{}", with_other_last_bits(s))),
        ("a sign more", format!("{h}.{c}.{s}A")),
        ("a sign less", format!("{h}.{c}.{}", &s[..s.len() - 1])),
    ];
    rows.extend(["~", "+", "/", "="].map(|sign| ("an odd sign", format!("{h}.{c}{sign}.{s}"))));
    assert!(rows[..6].iter().all(|(_, token)| token.contains(['=', '+', '/'])), "{rows:?}");
    bench.refuses("invalid_token", rows);
}

/// With spaces behind it, so that padding is due.
fn padded(json: &str) -> String {
    let spaces = (0..3).map(|count| URL_SAFE.encode(format!("{json}{}", " ".repeat(count))));
    spaces.into_iter().find(|text| text.contains('=')).unwrap()
}

/// 64 bytes are 86 signs, of which the last holds two bits only: four spellings decode to the same bytes.
fn with_other_last_bits(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (front, last) = text.split_at(text.len() - 1);
    let place = ALPHABET.iter().position(|sign| *sign == last.as_bytes()[0]).unwrap();
    format!("{front}{}", char::from(ALPHABET[place ^ 1]))
}

/// RFC 6750 names no limit; the service does.
const LIMIT: usize = 16 * 1024;

#[test]
fn tokens_end_at_their_largest_size() {
    let bench = Bench::start();
    let of_size = |size: usize| {
        let plain = bench.sign(&bench.token().claim("x", "")).len();
        let mut fill = (size - plain) / 4 * 3;
        loop {
            let token = bench.sign(&bench.token().claim("x", "x".repeat(fill)));
            if token.len() >= size {
                return token;
            }
            fill += 1;
        }
    };
    bench.refuses(
        "invalid_token",
        vec![
            ("just over the limit", of_size(LIMIT + 1)),
            ("17 KB", of_size(17 * 1024)),
            ("60 KB", of_size(60 * 1024)),
            ("17 KB of nothing", "a".repeat(17 * 1024)),
        ],
    );
    let within = of_size(LIMIT - 4);
    assert!(within.len() <= LIMIT);
    bench.accepts(vec![("just within it", within)]);
}
