//! A token that is bound to something counts only from who proves to hold that (RFC 9449 §7, RFC 8705 §3).

use std::sync::Arc;

use super::dpop::{self, Expected, ProofFault, Replays};
use super::{Authentication, Credential, Identity, TokenFault, certificate};
use crate::domain::{Occurrence, OriginalRequest, UnixTime};

/// What a request says besides its token.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the client asked of the proxy.
    pub request: &'a OriginalRequest<'a>,
    /// `DPoP`.
    pub proof: Occurrence<'a>,
    /// What the proxy says of the client's certificate, where it is trusted to.
    pub certificate: Occurrence<'a>,
    /// Only tokens that are bound to a key and proven with DPoP are taken.
    pub dpop_required: bool,
}

/// The caller, when all is proven that the token is bound to.
pub(super) fn check(
    identity: Arc<Identity>,
    credential: Credential<'_>,
    evidence: &Evidence<'_>,
    (replays, now): (&Replays, UnixTime),
) -> Authentication {
    match prove(&identity, credential, evidence, (replays, now)) {
        Ok(()) => Authentication::Verified(identity),
        Err(fault) => Authentication::Rejected(fault),
    }
}

fn prove(
    identity: &Identity,
    credential: Credential<'_>,
    evidence: &Evidence<'_>,
    (replays, now): (&Replays, UnixTime),
) -> Result<(), TokenFault> {
    let bound = identity.confirmation();
    if bound.certificate.is_some() && bound.certificate != certificate::thumbprint(evidence.certificate) {
        return Err(TokenFault::NoCertificate);
    }
    match (credential, &bound.key) {
        (Credential::Dpop(token), Some(key)) => {
            let request = evidence.request;
            let expected = Expected {
                method: request.method(),
                scheme: request.scheme(),
                authority: request.authority(),
                path: request.path().as_str(),
                token: Some(token.as_bytes()),
                key: Some(key),
            };
            dpop::prove(evidence.proof, &expected, replays, now)?;
            Ok(())
        }
        (Credential::Dpop(_), None) => Err(TokenFault::NotBound),
        (_, Some(_)) => Err(TokenFault::SenderConstrained),
        (_, None) if evidence.dpop_required => Err(TokenFault::NotBound),
        (_, None) => Ok(()),
    }
}

impl From<ProofFault> for TokenFault {
    fn from(fault: ProofFault) -> Self {
        Self::Proof(fault)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Thumbprint;
    use super::super::testing::TestKey;
    use super::*;
    use crate::domain::original_request::RawRequest;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);
    /// `AAAA` in base64.
    const CERTIFICATE: &[u8] = &[0, 0, 0];

    fn request() -> OriginalRequest<'static> {
        let raw = RawRequest {
            method: (b"POST", "method"),
            scheme: (b"https", "scheme"),
            authority: (b"mcp.example.com", "authority"),
            target: b"/mcp?x=1",
        };
        OriginalRequest::parse(&raw).unwrap()
    }

    fn bound_to(binding: &serde_json::Value) -> Arc<Identity> {
        let mut claims = json!({ "iss": "https://idp.example.com", "sub": "alice", "exp": 2_000_000 });
        if !binding.is_null() {
            claims["cnf"] = binding.clone();
        }
        Arc::new(Identity::for_test("https://idp.example.com", &claims.to_string()))
    }

    /// A client's key, its thumbprint, and a proof of it for the usual request with `token`.
    fn proven(token: &str) -> (String, String) {
        let key = TestKey::new("client");
        let jwk = key.jwk();
        let member = |name: &str| jwk[name].as_str().unwrap().to_owned();
        let named = format!(
            r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#,
            member("crv"),
            member("kty"),
            member("x"),
            member("y")
        );
        let public = json!({ "kty": member("kty"), "crv": member("crv"), "x": member("x"), "y": member("y") });
        let claims = json!({
            "jti": "one", "htm": "POST", "htu": "https://mcp.example.com/mcp", "iat": NOW.as_secs(),
            "ath": Thumbprint::of(token.as_bytes()).to_string(),
        });
        let proof = key.sign(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": public }), &claims);
        (Thumbprint::of(named.as_bytes()).to_string(), proof)
    }

    fn judge(scheme: &str, identity: &Arc<Identity>, evidence: &Evidence<'_>) -> Option<TokenFault> {
        let header = format!("{scheme} the.token.itself");
        let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
        match check(Arc::clone(identity), credential, evidence, (&Replays::default(), NOW)) {
            Authentication::Verified(_) => None,
            Authentication::Rejected(fault) => Some(fault),
            other @ (Authentication::Anonymous
            | Authentication::Undecidable { .. }
            | Authentication::NotIntrospected { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_that_a_token_is_bound_to_must_be_proven() {
        let request = request();
        let (key, proof) = proven("the.token.itself");
        let (_, of_another) = proven("the.token.itself");
        let (proof, of_another) = (Occurrence::Once(proof.as_bytes()), Occurrence::Once(of_another.as_bytes()));
        let certificate = Thumbprint::of(CERTIFICATE).to_string();
        let [free, by_key, by_certificate, by_both] = [
            json!(null),
            json!({ "jkt": key }),
            json!({ "x5t#S256": certificate }),
            json!({ "jkt": key, "x5t#S256": certificate }),
        ]
        .map(|binding| bound_to(&binding));
        let (absent, shown) = (Occurrence::Absent, Occurrence::Once(&b"AAAA"[..]));
        let other = Occurrence::Once(&b"AAAB"[..]);
        let (missing, foreign) = (ProofFault::Missing.into(), ProofFault::OtherKey.into());
        for (sentence, scheme, identity, proof, certificate, dpop_required, expected) in [
            ("nothing to prove", "Bearer", &free, absent, absent, false, None),
            ("nothing to prove, though shown", "Bearer", &free, absent, shown, false, None),
            ("nothing proven where it must be", "Bearer", &free, proof, absent, true, Some(TokenFault::NotBound)),
            ("nothing to prove by a proof", "DPoP", &free, proof, absent, false, Some(TokenFault::NotBound)),
            ("a key, proven", "DPoP", &by_key, proof, absent, true, None),
            ("a key, not proven", "DPoP", &by_key, absent, absent, false, Some(missing)),
            ("a key, proven by another", "DPoP", &by_key, of_another, absent, false, Some(foreign)),
            ("a key, not asked for", "Bearer", &by_key, proof, absent, false, Some(TokenFault::SenderConstrained)),
            ("a certificate, shown", "Bearer", &by_certificate, absent, shown, false, None),
            ("none", "Bearer", &by_certificate, absent, absent, false, Some(TokenFault::NoCertificate)),
            ("another", "Bearer", &by_certificate, absent, other, false, Some(TokenFault::NoCertificate)),
            ("a certificate is no key", "Bearer", &by_certificate, absent, shown, true, Some(TokenFault::NotBound)),
            ("both", "DPoP", &by_both, proof, shown, true, None),
            ("of both the key alone", "DPoP", &by_both, proof, absent, true, Some(TokenFault::NoCertificate)),
            ("of both the certificate", "DPoP", &by_both, absent, shown, true, Some(missing)),
        ] {
            let evidence = Evidence { request: &request, proof, certificate, dpop_required };
            assert_eq!(judge(scheme, identity, &evidence), expected, "{sentence}");
        }
    }
}
