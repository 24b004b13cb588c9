//! Thousands of bent tokens, judged by the service's own code and by `jsonwebtoken` with every check switched on:
//! what the library refuses is never accepted.
//!
//! The other way round there are rules that only we have; they are listed in [`STRICTER`], and nothing else may explain
//! a refusal of what the library accepts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as Known, DecodingKey, Validation};
use mcp_forward_auth::authn::key_set::KeySet;
use mcp_forward_auth::authn::{
    Algorithm, Authentication, Authenticator, Credential, IssuerKeys, IssuerSettings, TokenFault,
};
use mcp_forward_auth::domain::{Issuer, Occurrence, UnixTime};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::issuer::{SigningKey, encode, key_set, now};

const ISSUER: &str = "https://idp.example.com/realms/main";
const AUDIENCE: &str = "https://mcp.example.com/mcp";
const LEEWAY: u64 = 30;
const CASES: u32 = 10_000;

/// Faults that a token may have in our eyes though the library accepts it:
/// - `ForbiddenHeader`: `crit`, `jku`, `jwk` and `x5u` are refused whatever they say;
/// - `NotAccessToken`: `typ` must be `at+jwt`, `JWT` or absent, and ID tokens and refresh tokens are refused;
/// - `SenderConstrained`: `cnf` binds the token to a key that a bearer request does not prove;
/// - `NotYetValid`: `iat` in the future;
/// - `BadClaims`: an empty or overlong `sub`, an array as `iss`, claims of a wrong type, claims twice.
const STRICTER: [TokenFault; 5] = [
    TokenFault::ForbiddenHeader,
    TokenFault::NotAccessToken,
    TokenFault::SenderConstrained,
    TokenFault::NotYetValid,
    TokenFault::BadClaims,
];

/// What both sides know of the issuer.
struct Judges {
    keys: Vec<SigningKey>,
    ours: Authenticator,
    library: Vec<(String, Known, DecodingKey)>,
}

impl Judges {
    fn new() -> Self {
        // ES512 is missing: the library does not know it.
        let keys: Vec<SigningKey> = ["RS256", "PS384", "ES256", "ES384", "EdDSA"]
            .map(|algorithm| SigningKey::generate(&format!("key-{algorithm}"), algorithm))
            .into();
        let published = Arc::new(IssuerKeys::default());
        let set = KeySet::parse(key_set(&keys).as_bytes(), &Algorithm::ALL).unwrap();
        published.replace(set, UnixTime::from_secs(now()));
        let settings = IssuerSettings {
            issuer: Issuer::parse(ISSUER).unwrap(),
            algorithms: Algorithm::ALL.to_vec(),
            groups_claims: Vec::new(),
            assume_email_verified: false,
            keys: published,
        };
        let library = keys.iter().map(|key| {
            let jwk: Jwk = serde_json::from_value(key.jwk()).unwrap();
            (key.kid.clone(), key.algorithm.parse().unwrap(), DecodingKey::from_jwk(&jwk).unwrap())
        });
        let ours = Authenticator::new(vec![settings], Duration::from_secs(LEEWAY), 1 << 20);
        Self { library: library.collect(), ours, keys }
    }

    /// The fault that we find, if any. The audience is a rule of policy here, so it is checked besides.
    fn ours(&self, token: &str) -> Result<(), TokenFault> {
        let header = format!("Bearer {token}");
        let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
        match self.ours.authenticate(credential, UnixTime::from_secs(now())) {
            Authentication::Verified(identity) if identity.audiences().iter().any(|aud| aud == AUDIENCE) => Ok(()),
            Authentication::Verified(_) => Err(TokenFault::BadClaims),
            Authentication::Rejected(fault) => Err(fault),
            // A token newer than our keys: not accepted, and its key is not known.
            Authentication::Undecidable { .. } | Authentication::NotIntrospected { .. } => Err(TokenFault::UnknownKey),
            Authentication::Anonymous => Err(TokenFault::MalformedCredential),
        }
    }

    /// Whether the library accepts the token with the key that it names, or with any when it names none.
    #[allow(clippy::disallowed_methods, reason = "this is the oracle, with every check switched on")]
    fn library(&self, token: &str) -> bool {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return false };
        let named = self.library.iter().filter(|(kid, ..)| header.kid.as_ref().is_none_or(|named| named == kid));
        named.into_iter().any(|(_, algorithm, key)| {
            let mut validation = Validation::new(*algorithm);
            validation.leeway = LEEWAY;
            validation.validate_nbf = true;
            validation.set_issuer(&[ISSUER]);
            validation.set_audience(&[AUDIENCE]);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            jsonwebtoken::decode::<Value>(token, key, &validation).is_ok()
        })
    }
}

/// One way to bend a token. Those of the first kinds are signed afterwards, so they reach the checks behind the signature.
#[derive(Debug, Clone)]
enum Change {
    Claim(&'static str, Value),
    NoClaim(&'static str),
    /// A moment relative to now, far enough from the leeway that a second more or less decides nothing.
    Date(&'static str, i64),
    Parameter(&'static str, Value),
    NoParameter(&'static str),
    /// Raw JSON after the claims: a member that occurs twice.
    TwiceClaim(&'static str),
    /// Signed by the key at this place of the list, whatever the header says.
    SignedBy(usize),
    /// Signed by nobody whom the issuer knows.
    Forged,
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Signature(Vec<u8>),
    SwapParts,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let json_values = || {
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(""),
            json!("x"),
            json!(ISSUER),
            json!(AUDIENCE),
            json!([]),
            json!([ISSUER]),
            json!([AUDIENCE]),
            json!([AUDIENCE, "x"]),
            json!([AUDIENCE, 1]),
            json!({}),
            json!("a".repeat(300)),
            json!("ID"),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!("9999999999"),
            json!(format!("{ISSUER}/")),
        ])
    };
    let claims = || {
        prop::sample::select(vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "scope",
            "scp",
            "client_id",
            "azp",
            "email",
            "email_verified",
            "groups",
            "preferred_username",
            "typ",
            "cnf",
            "nonce",
            "at_hash",
            "c_hash",
            "jti",
            "anything",
        ])
    };
    let parameters = prop::sample::select(vec!["alg", "kid", "typ", "crit", "jku", "jwk", "x5u", "b64", "anything"]);
    let header_values = prop::sample::select(vec![
        json!(null),
        json!(false),
        json!(1),
        json!(""),
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("RS256"),
        json!("PS384"),
        json!("ES256"),
        json!("ES384"),
        json!("EdDSA"),
        json!("ES512"),
        json!("JWT"),
        json!("at+jwt"),
        json!("application/at+jwt"),
        json!("dpop+jwt"),
        json!("key-RS256"),
        json!("key-ES256"),
        json!("key-EdDSA"),
        json!("../key"),
        json!(["b64"]),
        json!({}),
        json!("https://attacker.example/jwks"),
    ]);
    let moments = prop::sample::select(vec![-1_000_000, -3600, -100, -45, -15, 0, 15, 45, 100, 3600, 1_000_000]);
    let index = any::<prop::sample::Index>;
    let change = prop_oneof![
        4 => (claims(), json_values()).prop_map(|(name, value)| Change::Claim(name, value)),
        2 => claims().prop_map(Change::NoClaim),
        4 => (prop::sample::select(vec!["exp", "nbf", "iat"]), moments).prop_map(|(name, by)| Change::Date(name, by)),
        3 => (parameters.clone(), header_values).prop_map(|(name, value)| Change::Parameter(name, value)),
        1 => parameters.prop_map(Change::NoParameter),
        1 => claims().prop_map(Change::TwiceClaim),
        2 => (0..5_usize).prop_map(Change::SignedBy),
        1 => Just(Change::Forged),
        2 => (index(), 1..=255_u8).prop_map(|(place, mask)| Change::Flip(place, mask)),
        1 => index().prop_map(Change::Cut),
        1 => (index(), prop::sample::select(b".=A-_+/~".to_vec())).prop_map(|(place, byte)| Change::Insert(place, byte)),
        1 => prop::collection::vec(any::<u8>(), 0..140).prop_map(Change::Signature),
        1 => Just(Change::SwapParts),
    ];
    prop::collection::vec(change, 0..4)
}

/// The token that `changes` make of a good one signed by the key at `signer`.
#[allow(clippy::wildcard_enum_match_arm, reason = "`damage` makes the other changes")]
fn bend(keys: &[SigningKey], signer: usize, changes: &[Change]) -> String {
    let mut signing = &keys[signer];
    let stranger;
    let mut header = json!({ "alg": signing.algorithm, "kid": signing.kid, "typ": "at+jwt" });
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now() - 60, "exp": now() + 600 });
    let mut twice = String::new();
    for change in changes {
        match change {
            Change::Claim(name, value) => claims[*name] = value.clone(),
            Change::NoClaim(name) => drop(claims.as_object_mut().unwrap().remove(*name)),
            Change::Date(name, by) => claims[*name] = json!(now().saturating_add_signed(*by)),
            Change::Parameter(name, value) => header[*name] = value.clone(),
            Change::NoParameter(name) => drop(header.as_object_mut().unwrap().remove(*name)),
            Change::TwiceClaim(name) => twice = format!(",{}:{}", json!(name), claims[*name]),
            Change::SignedBy(place) => signing = &keys[*place],
            _ => {}
        }
    }
    if changes.iter().any(|change| matches!(change, Change::Forged)) {
        stranger = SigningKey::generate("stranger", if signing.algorithm == "EdDSA" { "EdDSA" } else { "ES256" });
        signing = &stranger;
    }
    let claims = claims.to_string();
    let claims = format!("{}{twice}}}", claims.strip_suffix('}').unwrap());
    let input = format!("{}.{}", encode(header.to_string()), encode(claims));
    let mut token = format!("{input}.{}", encode(signing.sign(input.as_bytes())));
    for change in changes {
        damage(&mut token, change);
    }
    token
}

/// Changes to the signed text.
#[allow(clippy::wildcard_enum_match_arm, reason = "`bend` makes the other changes")]
fn damage(token: &mut String, change: &Change) {
    let mut bytes = std::mem::take(token).into_bytes();
    match change {
        Change::Flip(place, mask) if !bytes.is_empty() => {
            let place = place.index(bytes.len());
            bytes[place] = (bytes[place] ^ mask) & 0x7f;
        }
        Change::Cut(place) if !bytes.is_empty() => bytes.truncate(place.index(bytes.len())),
        Change::Insert(place, byte) => bytes.insert(place.index(bytes.len() + 1), *byte),
        Change::Signature(signature) => {
            let end = bytes.iter().rposition(|byte| *byte == b'.').unwrap_or(0);
            bytes.truncate(end);
            bytes.extend(format!(".{}", encode(signature)).bytes());
        }
        Change::SwapParts => {
            let mut parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'.').collect();
            parts.reverse();
            bytes = parts.join(&b'.');
        }
        _ => {}
    }
    *token = String::from_utf8(bytes).unwrap();
}

#[test]
fn what_the_library_refuses_is_never_accepted() {
    let judges = Judges::new();
    let (mut accepted, mut refused) = (0, 0);
    let mut stricter: BTreeMap<String, u32> = BTreeMap::new();
    let strategy = (0..judges.keys.len(), changes());
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let counts = std::cell::RefCell::new((&mut accepted, &mut refused, &mut stricter));
    let outcome = TestRunner::new(config).run(&strategy, |(signer, changes)| {
        let token = bend(&judges.keys, signer, &changes);
        let (library, ours) = (judges.library(&token), judges.ours(&token));
        let mut counts = counts.borrow_mut();
        match (library, ours) {
            (true, Ok(())) => *counts.0 += 1,
            (false, Err(_)) => *counts.1 += 1,
            (false, Ok(())) => prop_assert!(false, "we accept what the library refuses: {token}"),
            (true, Err(fault)) => {
                prop_assert!(STRICTER.contains(&fault), "the library accepts it, we say {fault:?}: {token}");
                *counts.2.entry(format!("{fault:?}")).or_default() += 1;
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // The table of changes must neither be harmless nor destroy every token, and it must reach every stricter rule.
    assert!(accepted > CASES / 20 && refused > CASES / 5, "{accepted} accepted, {refused} refused");
    assert_eq!(stricter.len(), STRICTER.len(), "every rule that is stricter was met: {stricter:?}");
}
