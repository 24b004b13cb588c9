//! What a proof proves, at which moment, for which request. Time is handed in, so nothing waits.

use serde_json::{Value, json};

use super::*;
use crate::authn::testing::TestKey;
use crate::domain::{Authority, Scheme};

const NOW: UnixTime = UnixTime::from_secs(1_000_000);
const TOKEN: &[u8] = b"the.token.itself";

/// A client with a key, asking for `https://mcp.example.com/mcp`.
struct Client {
    key: TestKey,
    replays: Replays,
}

impl Client {
    fn new() -> Self {
        Self { key: TestKey::new("client"), replays: Replays::default() }
    }

    fn thumbprint(&self) -> Thumbprint {
        key::thumbprint(self.jwk().as_object().unwrap()).unwrap()
    }

    fn jwk(&self) -> Value {
        let mut jwk = self.key.jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// A good proof with some members of its header and claims replaced; `null` takes one away.
    fn proof(&self, header: &Value, claims: &Value) -> String {
        let mut good = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let ath = Thumbprint::of(TOKEN).to_string();
        let url = "https://mcp.example.com/mcp";
        let mut said = json!({ "jti": "one", "htm": "POST", "htu": url, "iat": NOW.as_secs(), "ath": ath });
        for (object, changes) in [(&mut good, header), (&mut said, claims)] {
            for (name, value) in changes.as_object().unwrap() {
                if value.is_null() {
                    object.as_object_mut().unwrap().remove(name);
                } else {
                    object[name] = value.clone();
                }
            }
        }
        self.key.sign(&good, &said)
    }

    fn judge(&self, proof: &str, now: UnixTime) -> Result<(), ProofFault> {
        let (authority, bound) = (Authority::parse(b"mcp.example.com", Scheme::Https).unwrap(), self.thumbprint());
        let expected = Expected {
            method: "POST",
            scheme: Scheme::Https,
            authority: &authority,
            path: "/mcp",
            token: Some(TOKEN),
            key: Some(&bound),
        };
        prove(Occurrence::Once(proof.as_bytes()), &expected, &self.replays, now).map(|_| ())
    }
}

#[test]
fn every_parameter_of_the_header_counts() {
    use ProofFault::*;
    let other_key = TestKey::new("other").jwk();
    let unreadable = |client: &Client| {
        let mut jwk = client.jwk();
        jwk["use"] = json!(7);
        jwk
    };
    let client = Client::new();
    let judged = client.judge(&client.proof(&json!({ "jwk": unreadable(&client) }), &json!({})), NOW);
    assert_eq!(judged, Err(BadKey));
    for (changes, expected) in [
        (json!({ "typ": "DPoP+JWT" }), Ok(())),
        (json!({ "typ": "application/dpop+jwt" }), Ok(())),
        (json!({ "typ": "jwt" }), Err(NotProof)),
        (json!({ "typ": "at+jwt" }), Err(NotProof)),
        (json!({ "typ": null }), Err(Malformed)),
        (json!({ "alg": "none" }), Err(AlgorithmNotAllowed)),
        (json!({ "alg": "HS256" }), Err(AlgorithmNotAllowed)),
        (json!({ "alg": "ES512" }), Err(AlgorithmNotAllowed)),
        (json!({ "alg": "RS512" }), Err(AlgorithmNotAllowed)),
        (json!({ "alg": "es256" }), Err(AlgorithmNotAllowed)),
        (json!({ "alg": "ES384" }), Err(BadKey)),
        (json!({ "alg": "EdDSA" }), Err(BadKey)),
        (json!({ "alg": null }), Err(Malformed)),
        (json!({ "jwk": null }), Err(Malformed)),
        (json!({ "jwk": "x" }), Err(Malformed)),
        (json!({ "jwk": other_key }), Err(OtherKey)),
        (json!({ "crit": ["b64"], "b64": false }), Err(Malformed)),
        (json!({ "jku": "https://evil.example/keys" }), Err(Malformed)),
        (json!({ "x5u": "https://evil.example/key" }), Err(Malformed)),
        (json!({ "kid": "any" }), Ok(())),
    ] {
        let client = Client::new();
        assert_eq!(client.judge(&client.proof(&changes, &json!({})), NOW), expected, "{changes}");
    }
}

#[test]
fn every_claim_counts() {
    use ProofFault::*;
    let now = NOW.as_secs();
    for (changes, expected) in [
        (json!({ "jti": null }), Err(Malformed)),
        (json!({ "jti": "" }), Err(Malformed)),
        (json!({ "jti": 7 }), Err(Malformed)),
        (json!({ "jti": "x".repeat(256) }), Ok(())),
        (json!({ "jti": "x".repeat(257) }), Err(Malformed)),
        (json!({ "htm": "GET" }), Err(OtherMethod)),
        (json!({ "htm": "post" }), Err(OtherMethod)),
        (json!({ "htm": null }), Err(Malformed)),
        (json!({ "htu": null }), Err(Malformed)),
        (json!({ "iat": null }), Err(Malformed)),
        (json!({ "iat": "now" }), Err(Malformed)),
        (json!({ "iat": now - 59 }), Ok(())),
        (json!({ "iat": now - 60 }), Err(NotFresh)),
        (json!({ "iat": now + 60 }), Ok(())),
        (json!({ "iat": now + 61 }), Err(NotFresh)),
        (json!({ "iat": 0 }), Err(NotFresh)),
        (json!({ "iat": u64::MAX }), Err(NotFresh)),
        (json!({ "exp": now }), Err(NotFresh)),
        (json!({ "exp": now + 1 }), Ok(())),
        (json!({ "nbf": now + 60 }), Ok(())),
        (json!({ "nbf": now + 61 }), Err(NotFresh)),
        (json!({ "ath": null }), Err(OtherToken)),
        (json!({ "ath": "" }), Err(OtherToken)),
        (json!({ "ath": Thumbprint::of(b"another").to_string() }), Err(OtherToken)),
        (json!({ "nonce": "never asked for" }), Ok(())),
    ] {
        let client = Client::new();
        assert_eq!(client.judge(&client.proof(&json!({}), &changes), NOW), expected, "{changes}");
    }
}

#[test]
fn a_date_that_is_null_is_malformed_and_not_absent() {
    for claim in ["exp", "nbf"] {
        let client = Client::new();
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": client.jwk() });
        let ath = Thumbprint::of(TOKEN).to_string();
        let url = "https://mcp.example.com/mcp";
        let claims =
            json!({ "jti": "one", "htm": "POST", "htu": url, "iat": NOW.as_secs(), "ath": ath, (claim): null });
        assert_eq!(client.judge(&client.key.sign(&header, &claims), NOW), Err(ProofFault::Malformed), "{claim}");
    }
}

#[test]
fn the_url_is_compared_in_one_spelling_and_without_its_query() {
    for (url, good) in [
        ("https://mcp.example.com/mcp", true),
        ("HTTPS://MCP.EXAMPLE.COM/mcp", true),
        ("https://mcp.example.com:443/mcp", true),
        ("https://mcp.example.com/mcp?x=1", true),
        ("https://mcp.example.com/mcp#x", true),
        ("http://mcp.example.com/mcp", false),
        ("http://mcp.example.com:443/mcp", false),
        ("https://mcp.example.com:80/mcp", false),
        ("https://mcp.example.com:8443/mcp", false),
        ("https://mcp.example.com/MCP", false),
        ("https://mcp.example.com/mcp/", false),
        ("https://mcp.example.com/", false),
        ("https://mcp.example.com", false),
        ("https://mcp.example.com/other/../mcp", false),
        ("https://mcp.example.com/%6dcp", false),
        ("https://mcp.example.com.evil.example/mcp", false),
        ("https://evil.example/mcp", false),
        ("https://evil.example?https://mcp.example.com/mcp", false),
        ("https://user@mcp.example.com/mcp", false),
        ("//mcp.example.com/mcp", false),
        ("/mcp", false),
        ("", false),
    ] {
        let client = Client::new();
        let judged = client.judge(&client.proof(&json!({}), &json!({ "htu": url })), NOW);
        assert_eq!(judged, if good { Ok(()) } else { Err(ProofFault::OtherUrl) }, "{url}");
    }
}

/// The empty path of a URL is `/` (RFC 9110 §4.2.3).
#[test]
fn the_root_is_named_with_and_without_its_slash() {
    for (url, path, good) in [
        ("https://mcp.example.com", "/", true),
        ("https://mcp.example.com/", "/", true),
        ("https://mcp.example.com?x=1", "/", true),
        ("https://mcp.example.com/mcp", "/", false),
        ("https://mcp.example.com", "/mcp", false),
    ] {
        let (client, authority) = (Client::new(), Authority::parse(b"mcp.example.com", Scheme::Https).unwrap());
        let expected =
            Expected { method: "POST", scheme: Scheme::Https, authority: &authority, path, token: None, key: None };
        let proof = client.proof(&json!({}), &json!({ "htu": url }));
        let judged = prove(Occurrence::Once(proof.as_bytes()), &expected, &client.replays, NOW);
        assert_eq!(judged.is_ok(), good, "{url} at {path}: {judged:?}");
    }
}

#[test]
fn a_proof_of_eight_kilobytes_is_read_and_no_longer_one() {
    let client = Client::new();
    let proof = |kid: usize, pad: usize| {
        client.proof(&json!({ "kid": "x".repeat(kid) }), &json!({ "pad": "x".repeat(pad), "jti": pad.to_string() }))
    };
    // Three letters more are four more in base64; the key's name makes up for what is left over.
    let short = 8192 - proof(0, 1000).len();
    let of_length = |length: usize| {
        let sizes =
            (0..4).flat_map(|kid| (1000 + short * 3 / 4 - 4..1000 + short * 3 / 4 + 4).map(move |pad| (kid, pad)));
        sizes.map(|(kid, pad)| proof(kid, pad)).find(|proof| proof.len() == length).unwrap()
    };
    assert_eq!(client.judge(&of_length(8192), NOW), Ok(()));
    assert_eq!(client.judge(&of_length(8193), NOW), Err(ProofFault::Malformed));
}

#[test]
fn private_members_of_the_key_are_refused() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let client = Client::new();
        let mut jwk = client.jwk();
        jwk[member] = json!("AA");
        let judged = client.judge(&client.proof(&json!({ "jwk": jwk }), &json!({})), NOW);
        assert_eq!(judged, Err(ProofFault::PrivateKey), "{member}");
    }
}

#[test]
fn what_is_no_proof_at_all_is_refused() {
    let client = Client::new();
    let good = client.proof(&json!({}), &json!({}));
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    for bad in [
        String::new(),
        "x".into(),
        "..".into(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}.x"),
        format!("{good},{good}"),
        format!("{good}="),
        format!(" {good}"),
        format!("{}.{claims}.{signature}", "x".repeat(8 * 1024)),
    ] {
        assert_eq!(client.judge(&bad, NOW), Err(ProofFault::Malformed), "{bad:.60}");
    }
    let unsigned = format!("{header}.{claims}.");
    let other = client.proof(&json!({}), &json!({ "jti": "two" }));
    let swapped = format!("{header}.{claims}.{}", other.rsplit_once('.').unwrap().1);
    for bad in [unsigned, swapped] {
        assert_eq!(client.judge(&bad, NOW), Err(ProofFault::BadSignature), "{bad:.60}");
    }
    assert_eq!(client.judge(&good, NOW), Ok(()));
}

#[test]
fn a_proof_counts_once_and_only_in_its_time() {
    let client = Client::new();
    let proof = client.proof(&json!({}), &json!({}));
    assert_eq!(client.judge(&proof, NOW), Ok(()));
    assert_eq!(client.judge(&proof, NOW), Err(ProofFault::Replayed));
    assert_eq!(client.judge(&proof, UnixTime::from_secs(NOW.as_secs() + 59)), Err(ProofFault::Replayed));
    assert_eq!(client.judge(&proof, UnixTime::from_secs(NOW.as_secs() + 60)), Err(ProofFault::NotFresh));
    assert_eq!(client.judge(&client.proof(&json!({}), &json!({ "jti": "two" })), NOW), Ok(()));
}

#[test]
fn a_refused_proof_takes_no_place_in_the_memory() {
    let client = Client { replays: Replays::new(1, 1), ..Client::new() };
    let refused = client.proof(&json!({}), &json!({ "htm": "GET" }));
    assert_eq!(client.judge(&refused, NOW), Err(ProofFault::OtherMethod));
    assert_eq!(client.judge(&client.proof(&json!({}), &json!({})), NOW), Ok(()));
    let next = client.proof(&json!({}), &json!({ "jti": "two" }));
    assert_eq!(client.judge(&next, NOW), Err(ProofFault::MemoryFull));
}

#[test]
fn exactly_one_header_is_a_proof() {
    let authority = Authority::parse(b"mcp.example.com", Scheme::Https).unwrap();
    let expected =
        Expected { method: "POST", scheme: Scheme::Https, authority: &authority, path: "/mcp", token: None, key: None };
    let replays = Replays::default();
    let judge = |header| prove(header, &expected, &replays, NOW);
    assert_eq!(judge(Occurrence::Absent), Err(ProofFault::Missing));
    assert_eq!(judge(Occurrence::Repeated), Err(ProofFault::Repeated));
    let client = Client::new();
    let proof = client.proof(&json!({}), &json!({ "ath": null }));
    assert_eq!(judge(Occurrence::Once(proof.as_bytes())), Ok(client.thumbprint()));
}
