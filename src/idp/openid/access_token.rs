//! Reading a provider's access token, for the one kind of provider that keeps roles nowhere else. To everybody else it is
//! opaque (RFC 6749 §1.4).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::profile::Profile;
use crate::authn::claims::NumericDate;
use crate::domain::UnixTime;

/// Claims of an access token as presented.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    azp: String,
    exp: NumericDate,
    #[serde(flatten)]
    about: Map<String, Value>,
}

impl Claims {
    /// What it says about `subject`, if it was made by the same issuer, for us, and is still good.
    pub(super) fn profile_of(self, subject: &str, issuer: &str, client_id: &str, now: UnixTime) -> Option<Profile> {
        let good =
            self.iss == issuer && self.azp == client_id && self.sub == subject && UnixTime::from_secs(self.exp.0) > now;
        good.then(|| Profile::new(self.about))
    }
}
