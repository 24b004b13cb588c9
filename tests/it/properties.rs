//! Properties of everything that takes attackers' bytes: no panic, no injection, reading back gives the same.

use std::time::Duration;

use mcp_forward_auth::authn::{Authentication, Authenticator, Credential, TokenFault};
use mcp_forward_auth::domain::original_request::RawRequest;
use mcp_forward_auth::domain::{Occurrence, OriginalRequest, RequestPath, ResourceUri, Scheme, UnixTime};
use mcp_forward_auth::proxy::head::RecordedHead;
use mcp_forward_auth::proxy::{Contract, Field};
use proptest::prelude::*;

/// Bytes that are likely to hurt, among all others.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        any::<Vec<u8>>(),
        "[a-zA-Z0-9/._-]{0,12}".prop_map(String::into_bytes),
        prop_oneof![
            Just("../"),
            Just("%2e"),
            Just("%2F"),
            Just("%5c"),
            Just("%25"),
            Just("//"),
            Just("\r\n"),
            Just("\0"),
            Just("?"),
            Just("#"),
            Just(";"),
            Just("\""),
            Just("http://"),
            Just(":8080"),
            Just("@"),
            Just("["),
            Just("]"),
            Just("Bearer "),
            Just(","),
            Just("mcp.example.com"),
            Just("/mcp"),
            Just("\u{e9}"),
        ]
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_accepted_path_reads_the_same_after_every_decoding_and_normalising(path in hostile()) {
        if let Ok(accepted) = RequestPath::parse(&path) {
            let text = accepted.as_str();
            prop_assert_eq!(text.as_bytes(), path.as_slice());
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
            let inner = &decoded[1..];
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            prop_assert!(inner.is_empty() || inner.split('/').all(|segment| !matches!(segment, "" | "." | "..")));
            prop_assert_eq!(decoded.matches('/').count(), text.matches('/').count());
            prop_assert!(!decoded.contains(['\\', '\0', ';', '%', '?', '#']));
            prop_assert!(!decoded.chars().any(|char| char.is_ascii_control()));
        }
    }

    #[test]
    fn an_original_request_never_panics_and_reparses_to_itself(
        method in hostile(), scheme in prop_oneof![Just(b"https".to_vec()), hostile()], authority in hostile(), target in hostile()
    ) {
        let raw = RawRequest {
            method: (&method, "method"), scheme: (&scheme, "scheme"), authority: (&authority, "authority"), target: &target,
        };
        if let Ok(request) = OriginalRequest::parse(&raw) {
            let (again, host) = (request.method().to_owned(), request.authority().to_string());
            let raw = RawRequest {
                method: (again.as_bytes(), "method"),
                scheme: (request.scheme().as_str().as_bytes(), "scheme"),
                authority: (host.as_bytes(), "authority"),
                target: request.path().as_str().as_bytes(),
            };
            prop_assert_eq!(OriginalRequest::parse(&raw).unwrap(), request.clone());
        }
    }

    #[test]
    fn every_contract_takes_any_bytes(
        contract in prop_oneof![Just(Contract::ForwardAuth), Just(Contract::ExtAuthz), Just(Contract::AuthRequest)],
        values in proptest::collection::vec((0..Field::ALL.len(), hostile()), 0..10), target in ".{0,40}"
    ) {
        let mut head = RecordedHead::new("GET", &format!("/auth/envoy{target}"));
        for (field, value) in values {
            head = head.with(Field::ALL[field], value);
        }
        let _ = contract.original_request(&head);
    }

    #[test]
    fn only_one_token_of_the_alphabet_is_ever_taken_apart(value in hostile()) {
        let authenticator = Authenticator::new(Vec::new(), Duration::ZERO, 0);
        let credential = Credential::from_authorization(Occurrence::Once(&value));
        let outcome = authenticator.authenticate(credential, UnixTime::from_secs(1));
        prop_assert!(matches!(outcome, Authentication::Anonymous | Authentication::Rejected(_)));
        if let (Credential::Bearer(_), Authentication::Rejected(fault)) = (credential, outcome) {
            let text = String::from_utf8_lossy(&value);
            let token = text.trim().split_once(' ').unwrap().1.trim_start();
            let sound = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
            prop_assert_eq!(fault == TokenFault::MalformedCredential, !sound);
        }
    }

    #[test]
    fn a_resource_prints_as_what_it_was_read_from(text in hostile()) {
        if let Ok(text) = std::str::from_utf8(&text) && let Ok(resource) = ResourceUri::parse(text) {
            prop_assert_eq!(ResourceUri::parse(&resource.to_string()).unwrap(), resource);
        }
    }

    #[test]
    fn schemes_are_never_guessed(text in hostile()) {
        if Scheme::parse(&text).is_some() {
            prop_assert!(["http", "https", "ws", "wss"].contains(&String::from_utf8(text).unwrap().to_lowercase().as_str()));
        }
    }
}

mod challenge {
    //! The challenge writer: whatever the configuration holds, one header, whose parameters read back as written.

    use mcp_forward_auth::authz::{PolicySet, RequestFacts, Verdict, decide};
    use mcp_forward_auth::config::Config;

    use super::*;

    /// A strict reader of RFC 9110 §11.2 parameters, independent of the writer.
    fn parameters(header: &str) -> Option<Vec<(String, String)>> {
        let mut rest = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("DPoP "))?;
        let mut found = Vec::new();
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let (value, after) = after.split_once('"')?;
            if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') || value.contains('\\') {
                return None;
            }
            found.push((name.to_owned(), value.to_owned()));
            match after.strip_prefix(", ") {
                Some(after) => rest = after,
                None => return after.is_empty().then_some(found),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reads_back_as_written(
            path in "(/[a-zA-Z0-9._~!$&'()*+,=:@-]{1,8}){0,3}", scopes in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..4), fault in 0..13_usize
        ) {
            let config = toml::toml! { [[issuers]] issuer = "https://idp.example.com" };
            let mut config = config;
            let resource = toml::Table::from_iter([
                ("url".to_owned(), toml::Value::from(format!("https://mcp.example.com{path}"))),
                ("required_scopes".to_owned(), toml::Value::Array(scopes.iter().map(|scope| scope.as_str().into()).collect())),
            ]);
            config.insert("resources".into(), toml::Value::Array(vec![resource.into()]));
            let Ok(config) = Config::from_toml(&config.to_string()) else { return Ok(()) };
            let set = PolicySet::new(config.policies, None);
            let request_path = if path.is_empty() { "/" } else { &path };
            let raw = RawRequest {
                method: (b"POST", "m"), scheme: (b"https", "s"), authority: (b"mcp.example.com", "a"), target: request_path.as_bytes(),
            };
            let Ok(request) = OriginalRequest::parse(&raw) else { return Ok(()) };
            let faults = [
                TokenFault::MalformedCredential, TokenFault::TooLong, TokenFault::NotJwt, TokenFault::ForbiddenHeader,
                TokenFault::NotAccessToken, TokenFault::AlgorithmNotAllowed, TokenFault::UnknownIssuer, TokenFault::UnknownKey,
                TokenFault::BadSignature, TokenFault::Expired, TokenFault::NotYetValid, TokenFault::BadClaims, TokenFault::SenderConstrained,
            ];
            let verdict = decide(&set.find(&request).unwrap(), RequestFacts::default(), &Authentication::Rejected(faults[fault]));
            let Verdict::Challenge(challenge) = verdict else { panic!("no challenge") };
            let header = challenge.header();
            prop_assert!(header.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            let parameters = parameters(header).expect("well formed");
            let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let metadata = format!("https://mcp.example.com/.well-known/oauth-protected-resource{path}");
            prop_assert_eq!(value("resource_metadata"), Some(metadata));
            let mut expected = scopes;
            expected.sort();
            expected.dedup();
            prop_assert_eq!(value("scope").unwrap_or_default(), expected.join(" "));
            let description = value("error_description").unwrap();
            prop_assert!(!description.contains("scope=") && !description.contains("error="));
        }
    }
}
