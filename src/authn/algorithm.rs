//! Signature algorithms (RFC 7518 §3.1, RFC 8037). Asymmetric only: a shared secret or `none` cannot be expressed.

use std::fmt;

use aws_lc_rs::signature as lc;

/// An algorithm that a token may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

/// The kind of key that an algorithm needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `RSA`
    Rsa,
    /// `EC`, curve `P-256`
    P256,
    /// `EC`, curve `P-384`
    P384,
    /// `EC`, curve `P-521`
    P521,
    /// `OKP`, curve `Ed25519`
    Ed25519,
}

impl Algorithm {
    /// Every algorithm; also what an issuer may use when its configuration names none.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    /// Reads the JWA name, exactly. `Ed25519` is the newer name of `EdDSA` with that curve (RFC 9864 §2.2).
    pub fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The JWA name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The kind of key it needs.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyType::Rsa,
            Self::Es256 => KeyType::P256,
            Self::Es384 => KeyType::P384,
            Self::Es512 => KeyType::P521,
            Self::EdDsa => KeyType::Ed25519,
        }
    }

    /// RSA keys as aws-lc-rs wants them: 2048 to 8192 bits.
    pub(super) const fn rsa_parameters(self) -> Option<&'static lc::RsaParameters> {
        match self {
            Self::Rs256 => Some(&lc::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&lc::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&lc::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&lc::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&lc::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&lc::RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::Es512 | Self::EdDsa => None,
        }
    }

    /// Elliptic-curve verification and the exact signature length in bytes (RFC 7518 §3.4, RFC 8032 §5.1.6).
    pub(super) fn curve(self) -> Option<(&'static dyn lc::VerificationAlgorithm, usize)> {
        match self {
            Self::Es256 => Some((&lc::ECDSA_P256_SHA256_FIXED, 64)),
            Self::Es384 => Some((&lc::ECDSA_P384_SHA384_FIXED, 96)),
            Self::Es512 => Some((&lc::ECDSA_P521_SHA512_FIXED, 132)),
            Self::EdDsa => Some((&lc::ED25519, 64)),
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_symmetric_ones_do_not_exist() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
        }
        for name in ["none", "None", "", "HS256", "HS384", "HS512", "rs256", "ES256K", "RS1", "Ed448"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
