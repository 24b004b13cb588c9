//! DPoP (RFC 9449): a client signs each request with the key that its token is bound to, so that the token alone is
//! worth nothing.

mod key;
mod proof;
mod replays;

pub use proof::Expected;
pub use replays::{Remembered, Replays};

use proof::Proof;

use super::{Algorithm, Thumbprint};
use crate::domain::{Occurrence, UnixTime};

/// What proofs may be signed with; also in documents and challenges, in this order.
pub const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];

/// Why a proof is refused. The wording is what the client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProofFault {
    /// No `DPoP` header.
    #[error("the request carries no DPoP proof")]
    Missing,
    /// Two of them (RFC 9449 §4.3, item 1).
    #[error("the request must carry exactly one DPoP proof")]
    Repeated,
    /// Too long, no compact JWS, or without a member that it needs.
    #[error("the DPoP proof is malformed")]
    Malformed,
    /// Another `typ`.
    #[error("the DPoP header holds something else than a proof")]
    NotProof,
    /// `none`, a shared secret, or an algorithm that is not offered.
    #[error("the DPoP proof is signed with an algorithm that is not accepted")]
    AlgorithmNotAllowed,
    /// The proof tells its private key.
    #[error("the DPoP proof holds a private key")]
    PrivateKey,
    /// A key that cannot be used.
    #[error("the DPoP proof holds a key that is not accepted")]
    BadKey,
    /// Not the key that the token is bound to.
    #[error("the DPoP proof is made with another key than the one that the token is bound to")]
    OtherKey,
    /// The signature does not fit the key.
    #[error("the signature of the DPoP proof is not valid")]
    BadSignature,
    /// `htm`.
    #[error("the DPoP proof is for another method")]
    OtherMethod,
    /// `htu`.
    #[error("the DPoP proof is for another URL")]
    OtherUrl,
    /// `ath`.
    #[error("the DPoP proof is for another token")]
    OtherToken,
    /// `iat` is too long ago, or in the future.
    #[error("the DPoP proof was not made just now")]
    NotFresh,
    /// The proof was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// Whether it was used before cannot be told: our own trouble.
    #[error("too many DPoP proofs at once")]
    MemoryFull,
}

/// Judges the one proof in `header`, and remembers it: a second time it is refused. Tells the key that signed it.
pub fn prove(
    header: Occurrence<'_>,
    expected: &Expected<'_>,
    replays: &Replays,
    now: UnixTime,
) -> Result<Thumbprint, ProofFault> {
    let value = match header {
        Occurrence::Absent => return Err(ProofFault::Missing),
        Occurrence::Repeated => return Err(ProofFault::Repeated),
        Occurrence::Once(value) => value,
    };
    let proof = Proof::check(value, expected, now)?;
    match replays.remember(&proof.key, &proof.id, proof.until, now) {
        Remembered::New => Ok(proof.key),
        Remembered::Seen => Err(ProofFault::Replayed),
        Remembered::Full => Err(ProofFault::MemoryFull),
    }
}

#[cfg(test)]
mod tests;
