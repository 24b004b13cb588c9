//! What an issuer says of a token (RFC 7662 §2.2): read strictly, then judged by the very checks that JWTs go through.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::binding;
use crate::authn::authenticator::groups_at;
use crate::authn::claims::Claims;
use crate::authn::confirmation::WrittenConfirmation;
use crate::authn::jwt::{self, VerifiedClaims};
use crate::authn::unverified::UnverifiedToken;
use crate::authn::{Identity, IssuerSettings, TokenFault};
use crate::domain::UnixTime;

/// An answer that can be read.
#[derive(Debug)]
pub(super) enum Said {
    /// `"active": true`, what else was said, and what of it binds the token.
    Active(Members, WrittenConfirmation),
    /// `"active": false`: whatever else was said does not count.
    Inactive,
}

/// The members of one JSON object. One that occurs twice is an error: readers disagree on which one counts.
#[derive(Debug)]
pub(super) struct Members(Map<String, Value>);

/// What an answer is measured by.
#[derive(Debug)]
pub(super) struct Terms<'t> {
    pub(super) issuer: &'t IssuerSettings,
    pub(super) leeway: Duration,
    /// What stands in for an `exp` that is missing.
    pub(super) remembered_for: Duration,
    pub(super) vouches_for_audience: bool,
    pub(super) keeps_claims: bool,
}

impl Said {
    /// Reads `body`. `active` must be there, and a boolean: `"true"` is no answer.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let Members(mut members) = serde_json::from_str(text).ok()?;
        match members.remove("active")? {
            Value::Bool(true) => Some(Self::Active(Members(members), binding::read(text)?)),
            Value::Bool(false) => Some(Self::Inactive),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Members {
    /// Who the token stands for, if all that is said of it passes. Whoever presents it has to prove what `bound` names.
    pub(super) fn into_identity(
        mut self,
        bound: WrittenConfirmation,
        terms: &Terms<'_>,
        now: UnixTime,
    ) -> Result<Identity, TokenFault> {
        self.refuse_other_issuers(terms)?;
        // Only who vouches for the audience may leave it out; `[]` names nobody.
        let vouched = terms.vouches_for_audience && !self.has("aud");
        self.refuse_other_tokens(vouched, bound)?;
        let paths = &terms.issuer.groups_claims;
        // As they were said, before anything is filled in.
        let said = terms.keeps_claims.then(|| self.0.clone());
        self.fill_in(terms, now);
        let members = Value::Object(self.0);
        let groups = (!paths.is_empty()).then(|| groups_at(&members, paths));
        let claims: Claims = serde_json::from_value(members).map_err(|_| TokenFault::BadClaims)?;
        let claims = Claims { cnf: bound, ..claims };
        let token = UnverifiedToken::of_answer(claims);
        jwt::check_claims(&token, now, terms.leeway)?;
        let claims = VerifiedClaims::said_by_issuer(token.into_claims());
        let issuer = terms.issuer.issuer.clone();
        let identity = Identity::new(issuer, claims, groups, terms.issuer.assume_email_verified)?;
        let identity = said.into_iter().fold(identity, keeping);
        Ok(if vouched { identity.with_vouched_audience() } else { identity })
    }

    /// `iss` may be missing, and must be this issuer where it is not.
    fn refuse_other_issuers(&self, terms: &Terms<'_>) -> Result<(), TokenFault> {
        match self.0.get("iss") {
            None => Ok(()),
            Some(Value::String(issuer)) if issuer == terms.issuer.issuer.as_str() => Ok(()),
            Some(_) => Err(TokenFault::UnknownIssuer),
        }
    }

    /// Issuers call refresh tokens active, too. Those say so in `token_use`, or say no `token_type`, and they have no `aud` of
    /// ours: where neither is there, nothing tells them from access tokens. A token of the type DPoP (RFC 9449 §6.2) is worth
    /// nothing to whoever has no key, so an answer that does not tell which key opens nothing.
    fn refuse_other_tokens(&self, vouched: bool, bound: WrittenConfirmation) -> Result<(), TokenFault> {
        match self.0.get("token_use") {
            None | Some(Value::Null) => {}
            Some(Value::String(of)) if of == "access_token" || of == "access" => {}
            Some(_) => return Err(TokenFault::NotAccessToken),
        }
        match self.0.get("token_type") {
            None | Some(Value::Null) if !vouched => Ok(()),
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("bearer") => Ok(()),
            Some(Value::String(kind)) if kind.eq_ignore_ascii_case("dpop") => match bound.known().key {
                Some(_) => Ok(()),
                None => Err(TokenFault::SenderConstrained),
            },
            _ => Err(TokenFault::NotAccessToken),
        }
    }

    /// What JWTs must hold and answers may leave out. A client in its own name is its own subject (RFC 9068 §2.2).
    fn fill_in(&mut self, terms: &Terms<'_>, now: UnixTime) {
        let at_once = Duration::from_secs(1);
        let ends = now.plus(terms.remembered_for.max(at_once)).as_secs();
        self.0.entry("iss").or_insert_with(|| terms.issuer.issuer.as_str().into());
        self.0.entry("exp").or_insert_with(|| ends.into());
        self.copy("client_id", "sub");
        self.copy("username", "preferred_username");
    }

    fn copy(&mut self, from: &str, to: &str) {
        if let Some(value) = self.0.get(from).filter(|_| !self.has(to)).cloned() {
            self.0.insert(to.to_owned(), value);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member occurs twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// `identity` with everything that was said of its token.
fn keeping(identity: Identity, said: Map<String, Value>) -> Identity {
    let bytes = serde_json::to_vec(&said).map_or(0, |text| text.len());
    identity.with_claims(said, bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authn::{Algorithm, Confirmation, IssuerKeys, Thumbprint};
    use crate::domain::Issuer;

    const NOW: u64 = 1000;
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn judge(body: &str, vouches_for_audience: bool) -> Result<Identity, TokenFault> {
        judge_keeping(false, body, vouches_for_audience)
    }

    fn judge_keeping(keeps_claims: bool, body: &str, vouches_for_audience: bool) -> Result<Identity, TokenFault> {
        let issuer = IssuerSettings {
            issuer: Issuer::parse("https://idp.example.com").unwrap(),
            algorithms: Algorithm::ALL.to_vec(),
            groups_claims: Vec::new(),
            assume_email_verified: false,
            keys: std::sync::Arc::new(IssuerKeys::default()),
        };
        let (leeway, remembered_for) = (Duration::from_secs(30), Duration::from_secs(60));
        let terms = Terms { issuer: &issuer, leeway, remembered_for, vouches_for_audience, keeps_claims };
        match Said::read(body.as_bytes()) {
            Some(Said::Active(members, bound)) => members.into_identity(bound, &terms, UnixTime::from_secs(NOW)),
            said => panic!("{body}: {said:?}"),
        }
    }

    #[test]
    fn everything_that_was_said_is_kept_for_conditions_that_ask_for_it() {
        let said =
            r#"{"active":true,"sub":"alice","aud":"https://mcp.example.com/mcp","exp":9999,"department":"sales"}"#;
        let department =
            |keeps| judge_keeping(keeps, said, false).unwrap().claims().map(|claims| claims["department"].clone());
        assert_eq!(department(true), Some(json!("sales")));
        assert_eq!(department(false), None);
    }

    #[test]
    fn only_one_object_with_a_boolean_active_is_an_answer() {
        for body in [
            "",
            "true",
            "null",
            "[]",
            "[true]",
            "{}",
            r#"{"sub":"a"}"#,
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":null}"#,
            r#"{"active":[true]}"#,
            r#"{"active":{}}"#,
            r#"{"Active":true}"#,
            r#"[{"active":true}]"#,
            r#"{"active":false,"active":true}"#,
            r#"{"active":true,"sub":"a","sub":"b"}"#,
            r#"{"active":true}{}"#,
            r#"{"active":true"#,
        ] {
            assert!(Said::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(Said::read(b"{\"active\":true,\"x\":\"\xff\"}").is_none());
        let deep = format!(r#"{{"active":true,"x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(Said::read(deep.as_bytes()).is_none());
        for body in [r#"{"active":false}"#, r#"{"active":false,"sub":"alice","exp":9999,"aud":"x"}"#] {
            assert!(matches!(Said::read(body.as_bytes()), Some(Said::Inactive)), "{body}");
        }
    }

    /// Judges a good answer with these changes: `null` takes a member away, but for those three.
    fn judge_but(changes: &Value, vouches: bool) -> Option<TokenFault> {
        let aud = "https://mcp.example.com/mcp";
        let mut answer = json!({ "active": true, "sub": "alice", "aud": aud, "token_type": "Bearer" });
        let members = answer.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|name, value| !value.is_null() || ["iss", "exp", "cnf"].contains(&&**name));
        judge(&answer.to_string(), vouches).err()
    }

    #[test]
    fn every_claim_is_judged_as_that_of_a_jwt() {
        use TokenFault::*;
        for (changes, expected) in [
            (json!({}), None),
            (json!({ "iss": "https://idp.example.com", "exp": 2000, "iat": 990, "nbf": 990 }), None),
            (json!({ "token_type": null, "cnf": null }), None),
            (json!({ "sub": null, "client_id": "job" }), None),
            (json!({ "iss": "https://idp.example.com/" }), Some(UnknownIssuer)),
            (json!({ "iss": null }), Some(UnknownIssuer)),
            (json!({ "iss": ["https://idp.example.com"] }), Some(UnknownIssuer)),
            (json!({ "exp": 970 }), Some(Expired)),
            (json!({ "exp": 971 }), None),
            (json!({ "exp": "2000" }), Some(BadClaims)),
            (json!({ "exp": null }), Some(BadClaims)),
            (json!({ "nbf": 1031 }), Some(NotYetValid)),
            (json!({ "iat": 1031 }), Some(NotYetValid)),
            (json!({ "iat": 1030 }), None),
            (json!({ "sub": null }), Some(BadClaims)),
            (json!({ "sub": "" }), Some(BadClaims)),
            (json!({ "sub": "a\u{7}" }), Some(BadClaims)),
            (json!({ "sub": ["alice"] }), Some(BadClaims)),
            (json!({ "sub": 7 }), Some(BadClaims)),
            (json!({ "aud": [1] }), Some(BadClaims)),
            (json!({ "scope": { "a": 1 } }), Some(BadClaims)),
            (json!({ "username": 7 }), Some(BadClaims)),
        ] {
            assert_eq!(judge_but(&changes, false), expected, "{changes}");
        }
    }

    #[test]
    fn tokens_of_another_kind_are_refused() {
        use TokenFault::*;
        for (changes, vouches, expected) in [
            (json!({ "token_type": "bearer", "token_use": "access_token" }), false, None),
            (json!({ "cnf": { "jkt": "x" } }), false, Some(SenderConstrained)),
            (json!({ "cnf": "x" }), false, Some(SenderConstrained)),
            (json!({ "token_type": "DPoP" }), false, Some(SenderConstrained)),
            (json!({ "token_type": "DPoP", "cnf": null }), false, Some(SenderConstrained)),
            (json!({ "token_type": "DPoP", "cnf": { "x5t#S256": THUMBPRINT } }), false, Some(SenderConstrained)),
            (json!({ "token_type": "N_A", "cnf": { "jkt": THUMBPRINT } }), false, Some(NotAccessToken)),
            (json!({ "aud": null, "token_type": null, "cnf": { "jkt": THUMBPRINT } }), true, Some(NotAccessToken)),
            (json!({ "token_type": "N_A" }), false, Some(NotAccessToken)),
            (json!({ "token_type": "refresh_token" }), false, Some(NotAccessToken)),
            (json!({ "token_type": ["Bearer"] }), false, Some(NotAccessToken)),
            (json!({ "token_use": "refresh_token" }), false, Some(NotAccessToken)),
            (json!({ "typ": "Refresh" }), false, Some(NotAccessToken)),
            (json!({ "typ": "ID" }), false, Some(NotAccessToken)),
            // Without an audience nothing but the type tells a refresh token from an access token.
            (json!({ "aud": null, "token_type": null }), true, Some(NotAccessToken)),
            (json!({ "aud": null }), true, None),
            (json!({ "token_type": null }), true, None),
            (json!({ "sub": "x".repeat(300) }), false, Some(BadClaims)),
            (json!({ "email": format!("{}@example.com", "x".repeat(400)) }), false, None),
        ] {
            assert_eq!(judge_but(&changes, vouches), expected, "{changes} {vouches}");
        }
    }

    #[test]
    fn what_the_token_is_bound_to_has_to_be_proven_by_whoever_presents_it() {
        let thumbprint = Thumbprint::parse(THUMBPRINT);
        let to = |key, certificate| Confirmation { key, certificate };
        for (kind, cnf, expected) in [
            (json!("DPoP"), json!({ "jkt": THUMBPRINT }), to(thumbprint, None)),
            (json!("dpop"), json!({ "jkt": THUMBPRINT, "x5t#S256": THUMBPRINT }), to(thumbprint, thumbprint)),
            // Against RFC 9449 §6.2, and bound all the same.
            (json!("Bearer"), json!({ "jkt": THUMBPRINT }), to(thumbprint, None)),
            (json!("Bearer"), json!({ "x5t#S256": THUMBPRINT }), to(None, thumbprint)),
            (json!(null), json!({ "jkt": THUMBPRINT }), to(thumbprint, None)),
            (json!("Bearer"), json!(null), to(None, None)),
        ] {
            let answer = json!({ "active": true, "sub": "alice", "aud": "a", "token_type": kind, "cnf": cnf });
            assert_eq!(*judge(&answer.to_string(), false).unwrap().confirmation(), expected, "{answer}");
        }
    }

    #[test]
    fn an_answer_becomes_the_identity_that_a_jwt_with_the_same_claims_would() {
        let answer = json!({
            "active": true, "sub": "alice-subject", "aud": ["a", "b"], "scope": "mcp:read mcp:write", "client_id": "c",
            "username": "alice", "email": "alice@example.com", "email_verified": true, "groups": ["staff"],
        });
        let identity = judge(&answer.to_string(), false).unwrap();
        assert_eq!(
            (identity.subject(), identity.client(), identity.user_name()),
            ("alice-subject", Some("c"), Some("alice"))
        );
        assert_eq!(identity.issuer().as_str(), "https://idp.example.com");
        assert!(identity.verified_email().is_some() && identity.own_token().is_none());
        assert_eq!(
            (identity.groups(), identity.audiences()),
            (&["staff".to_owned()][..], &["a".to_owned(), "b".to_owned()][..])
        );
        assert_eq!(identity.scopes().to_string(), "mcp:read mcp:write");
        assert_eq!(identity.expires_at(), UnixTime::from_secs(NOW + 60));
        assert!(!identity.audience_is_vouched());
        for (aud, vouches, vouched) in [
            (json!("a"), true, false),
            (json!([]), true, false),
            (json!(null), true, true),
            (json!(null), false, false),
        ] {
            let mut answer = answer.clone();
            answer["aud"] = aud.clone();
            answer["token_type"] = json!("Bearer");
            assert_eq!(judge(&answer.to_string(), vouches).unwrap().audience_is_vouched(), vouched, "{aud} {vouches}");
        }
        let client = judge(r#"{"active":true,"client_id":"job","aud":"a"}"#, false).unwrap();
        assert_eq!((client.subject(), client.client()), ("job", Some("job")));
    }
}
