//! Identity assertions: JWTs by which an MCP server knows who calls without trusting the network. Signed with the keys of
//! our tokens and of a type of their own (RFC 8725 §3.11), so that neither passes for the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use serde::Serialize;

use super::AuthorizationServer;
use crate::authn::Identity;
use crate::authn::identity_headers::IdentityHeaders;
use crate::domain::{Email, Scope, UnixTime};

/// Makes assertions, and keeps each until it is time for a fresh one.
pub struct IdentityAssertions {
    server: Arc<AuthorizationServer>,
    made: Cache<Bytes, Arc<Made>, foldhash::quality::RandomState>,
    /// When somebody was last told that names are too long, in seconds.
    complained_at: AtomicU64,
}

impl std::fmt::Debug for IdentityAssertions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "IdentityAssertions({} made)", self.made.entry_count())
    }
}

/// An assertion, and how long it is handed out.
struct Made {
    assertion: Bytes,
    key_id: String,
    renew_at: UnixTime,
}

/// Everything that an assertion says but for its time.
#[derive(Serialize)]
struct Who<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    /// Who issued the token that was presented: `sub` is unique there and nowhere else.
    token_issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(flatten)]
    who: &'a Who<'a>,
    iat: UnixTime,
    exp: UnixTime,
}

impl IdentityAssertions {
    /// `typ`
    pub const TYPE: &'static str = "identity-assertion+jwt";
    /// From the first request that it is made for on; at least half of it is left to every other one.
    pub(super) const LIFETIME: Duration = Duration::from_secs(300);
    /// Bound of what is kept, in bytes: some ten thousand assertions.
    const CACHE_BYTES: u64 = 16 * 1024 * 1024;

    /// Signs with the keys of `server`, in its name.
    pub fn new(server: Arc<AuthorizationServer>) -> Self {
        let weigh =
            |who: &Bytes, made: &Arc<Made>| u32::try_from(who.len() + made.assertion.len() + 256).unwrap_or(u32::MAX);
        let made = Cache::builder()
            .max_capacity(Self::CACHE_BYTES)
            .weigher(weigh)
            .time_to_live(Self::LIFETIME)
            .build_with_hasher(foldhash::quality::RandomState::default());
        Self { server, made, complained_at: AtomicU64::new(0) }
    }

    /// The assertion about `identity`, who calls `resource`, for `audience`; none where it would not fit.
    ///
    /// What it says is the key under which it is kept, whole: nobody can be given what says anything else.
    pub fn about(&self, identity: &Identity, resource: &[u8], audience: &str, now: UnixTime) -> Option<Bytes> {
        let issuer = self.server.settings().issuer.as_str();
        let Some(who) = Who::is(identity, issuer, audience, room(identity.headers(), resource)) else {
            self.complain(now);
            return None;
        };
        let key = who.key(identity.expires_at())?;
        if let Some(made) = self.made.get(&*key).filter(|made| self.is_fresh(made, now)) {
            return Some(made.assertion.clone());
        }
        let made = Arc::new(self.make(&who, identity.expires_at(), now)?);
        self.made.insert(key.into(), Arc::clone(&made));
        Some(made.assertion.clone())
    }

    /// What another key than the present one signed is not handed out again: after a rotation at once nobody believes it.
    fn is_fresh(&self, made: &Made, now: UnixTime) -> bool {
        now < made.renew_at && self.server.keys().is_active(&made.key_id)
    }

    /// It does not outlive the token that proved the identity. One that ends with it cannot be renewed.
    fn make(&self, who: &Who<'_>, expires_at: UnixTime, now: UnixTime) -> Option<Made> {
        let ends = now.plus(Self::LIFETIME);
        let renew_at = if ends < expires_at { now.plus(Self::LIFETIME / 2) } else { UnixTime::from_secs(u64::MAX) };
        let claims = Claims { who, iat: now, exp: ends.min(expires_at) };
        // Read before it is used: a rotation in between makes the entry too old, never too new.
        let key_id = self.server.keys().active_id();
        match self.server.keys().sign(Self::TYPE, &claims) {
            Ok(token) => Some(Made { assertion: Bytes::from(token.expose().to_owned()), key_id, renew_at }),
            Err(error) => {
                tracing::error!(%error, "an identity assertion could not be signed, so the upstream gets none");
                None
            }
        }
    }

    /// The upstream refuses whoever comes without: this line says why, once a minute.
    fn complain(&self, now: UnixTime) {
        let due = |last| (now.as_secs() >= last + 60).then_some(now.as_secs());
        if self.complained_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok() {
            tracing::warn!("names of a caller are too long for an identity assertion, so the upstream gets none");
        }
    }
}

impl<'a> Who<'a> {
    /// In `room` bytes of JSON. Scopes and groups that do not fit are left out whole; names are never cut, since half a
    /// name could be somebody else's.
    fn is(identity: &'a Identity, issuer: &'a str, audience: &'a str, room: usize) -> Option<Self> {
        let mut who = Self {
            iss: issuer,
            aud: audience,
            sub: identity.subject(),
            token_issuer: identity.issuer().as_str(),
            email: identity.verified_email().map(Email::as_str),
            client_id: identity.client(),
            scope: String::new(),
            groups: Vec::new(),
        };
        let names = [who.iss, who.aud, who.sub, who.token_issuer];
        let names = names.into_iter().chain(who.email).chain(who.client_id);
        let mut left = room.checked_sub(SYNTAX + names.map(length_in_json).sum::<usize>())?;
        let scopes = identity.scopes().as_slice().iter().map(Scope::as_str);
        who.scope = fitting(scopes, &mut left).join(" ");
        who.groups = fitting(identity.groups().iter().map(String::as_str), &mut left);
        Some(who)
    }

    /// All of it, and when the token ends.
    fn key(&self, expires_at: UnixTime) -> Option<Vec<u8>> {
        let mut key = Vec::with_capacity(768);
        key.extend(expires_at.as_secs().to_be_bytes());
        serde_json::to_writer(&mut key, self).ok().map(|()| key)
    }
}

/// Member names, quotes, commas and two moments.
const SYNTAX: usize = 160;
/// Bytes of JSON for scopes, and as many for groups.
const MAX_LIST: usize = 768;

/// The items for which there is room. Empty ones say nothing.
fn fitting<'a>(items: impl Iterator<Item = &'a str>, left: &mut usize) -> Vec<&'a str> {
    let mut most = MAX_LIST.min(*left);
    let before = most;
    let fits = |item: &&str| {
        let cost = length_in_json(item) + "\"\",".len();
        let fits = !item.is_empty() && cost <= most;
        most -= if fits { cost } else { 0 };
        fits
    };
    let kept = items.filter(fits).collect();
    *left -= before - most;
    kept
}

/// At most so many bytes, as serde writes it (RFC 8259 §7).
fn length_in_json(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => "\\u0000".len(),
        _ => 1,
    };
    text.bytes().map(length).sum()
}

/// How long the claims may be, so that the answer stays under four kilobytes with everything else that it says: nginx
/// answers 500 to more by default.
fn room(headers: &IdentityHeaders, resource: &[u8]) -> usize {
    const ANSWER: usize = 4096;
    /// The status line, the names of all headers, and the values that we do not measure.
    const OTHERWISE: usize = 420;
    /// The header and the longest signature (RS256), in base64url with two dots.
    const HEADER_AND_SIGNATURE: usize = 112 + 342 + 2;
    let names = [&headers.user, &headers.email, &headers.subject, &headers.issuer, &headers.client];
    let values = names.into_iter().chain([&headers.groups, &headers.scopes]).map(Bytes::len).sum::<usize>();
    let others = values + resource.len() + OTHERWISE + HEADER_AND_SIGNATURE;
    ANSWER.saturating_sub(others) / 4 * 3
}
