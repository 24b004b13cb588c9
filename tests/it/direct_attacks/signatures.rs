//! Signatures that are none, or another's, or written in another way.

use super::Bench;
use crate::support::issuer::{Token, encode};

/// The order of P-256 (FIPS 186-4 §D.1.2.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn ecdsa_signatures_are_two_numbers_of_fixed_length() {
    let bench = Bench::start();
    let token = bench.token();
    let good = bench.key("ES256").sign(token.signing_input().as_bytes());
    let (r, s) = good.split_at(32);
    let zero = [0_u8; 32];
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("zeros", vec![0; 64]),
        ("one zero", vec![0]),
        ("a zero r", [&zero, s].concat()),
        ("a zero s", [r, &zero].concat()),
        ("the order twice", [ORDER, ORDER].concat()),
        ("r is the order", [&ORDER, s].concat()),
        ("s is the order", [r, &ORDER].concat()),
        ("ones", vec![0xff; 64]),
        ("r is 1, s is 1", [&zero[..31], &[1], &zero[..31], &[1]].concat()),
        ("DER", der(r, s)),
        ("DER of zeros", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        ("DER, cut to 64 bytes", der(r, s)[..64].to_vec()),
        ("r only", r.to_vec()),
        ("one byte less", good[..63].to_vec()),
        ("one byte more", [&good[..], &[0]].concat()),
        ("a zero in front", [&[0], &good[..]].concat()),
        ("twice", good.repeat(2)),
        ("s before r", [s, r].concat()),
        ("one bit changed", good.iter().enumerate().map(|(index, byte)| byte ^ u8::from(index == 63)).collect()),
        ("of 96 bytes", [&zero[..16], r, &zero[..16], s].concat()),
    ];
    bench.refuses("invalid_token", rows.iter().map(|(name, bytes)| (*name, token.with_signature(bytes))).collect());
}

#[test]
fn signatures_of_others_are_refused() {
    let bench = Bench::start();
    let other = bench.sign(&bench.token().claim("jti", "another token"));
    let mut tokens: Vec<(String, String)> = Vec::new();
    for (key, stranger) in bench.issuer.keys.iter().zip(&bench.attacker.keys) {
        let token = || bench.token().parameter("alg", key.algorithm).parameter("kid", &*key.kid);
        tokens.push((format!("{} of a stranger", key.algorithm), token().signed_by(stranger)));
        tokens.push((format!("{} of nothing", key.algorithm), token().with_signature(b"")));
        tokens.push((format!("{} of zeros", key.algorithm), token().with_signature(&vec![0; key.sign(b"").len()])));
        tokens.push((format!("{} of the empty text", key.algorithm), token().with_signature(&key.sign(b""))));
        tokens.push((
            format!("{} of the claims alone", key.algorithm),
            token().with_signature(&key.sign(claims(&token()).as_bytes())),
        ));
        tokens.push((
            format!("{} of the JSON itself", key.algorithm),
            token().with_signature(&key.sign(token().claims.to_string().as_bytes())),
        ));
    }
    let signature = other.rsplit_once('.').unwrap().1;
    tokens.push((
        "of another token".into(),
        format!("{}.{signature}", bench.token().claim("sub", "root").signing_input()),
    ));
    tokens.push(("of the same token, before a claim changed".into(), {
        let good = bench.sign(&bench.token());
        let signature = good.rsplit_once('.').unwrap().1.to_owned();
        format!("{}.{signature}", bench.token().claim("exp", 9_999_999_999_u64).signing_input())
    }));
    bench.refuses("invalid_token", tokens);
}

fn claims(token: &Token) -> String {
    encode(token.claims.to_string())
}

/// ASN.1: a sequence of two integers, as most libraries sign by default.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let number: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let padding: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
        [&[2, u8::try_from(padding.len() + number.len()).unwrap()], padding, &number].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}
