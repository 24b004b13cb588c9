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
