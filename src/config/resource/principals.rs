//! Who may call.

use super::{Reader, read_email};
use crate::authz::policy::{AcceptedIssuer, Principals};
use crate::config::ConfigError;
use crate::config::file::Strings;

impl Reader<'_> {
    pub(super) fn principals(&self) -> Result<Principals, ConfigError> {
        let key = format!("resources[{}].allowed_emails", self.index);
        let email = |text: &String| read_email(&key, text);
        self.refuse_empty_lists()?;
        let list = |list: &Option<Strings>| list.clone().unwrap_or_default().0;
        let written = self.written;
        Ok(Principals {
            emails: list(&written.allowed_emails).iter().map(email).collect::<Result<_, _>>()?,
            groups: list(&written.allowed_groups),
            users: list(&written.allowed_users),
            subjects: list(&written.allowed_subjects),
            clients: list(&written.allowed_clients),
            anyone: written.allow_any_authenticated || self.names_nobody(),
        })
    }

    fn principal_lists(&self) -> [(&'static str, Option<&Strings>); 5] {
        let written = self.written;
        [
            ("allowed_emails", written.allowed_emails.as_ref()),
            ("allowed_groups", written.allowed_groups.as_ref()),
            ("allowed_users", written.allowed_users.as_ref()),
            ("allowed_subjects", written.allowed_subjects.as_ref()),
            ("allowed_clients", written.allowed_clients.as_ref()),
        ]
    }

    fn names_nobody(&self) -> bool {
        self.principal_lists().iter().all(|(_, list)| list.is_none())
    }

    /// A list that is written but empty names nobody, and must not be read as naming everybody.
    fn refuse_empty_lists(&self) -> Result<(), ConfigError> {
        let empty = self.principal_lists().into_iter().find(|(_, list)| list.is_some_and(|list| list.0.is_empty()));
        match empty {
            None => Ok(()),
            Some((name, _)) => Err(self.error(
                name,
                None,
                "the list is empty, so it names nobody",
                "name who may call, or remove the key",
            )),
        }
    }

    /// Without principals everybody with an account at the issuer may call: with an issuer where the whole world has
    /// one, that must be said in so many words.
    pub(super) fn refuse_open_door(
        &self,
        accepted: &[AcceptedIssuer],
        principals: &Principals,
    ) -> Result<(), ConfigError> {
        let written = self.written;
        if written.allow_any_authenticated && !self.names_nobody() {
            let rule = "the allowed_… lists would have no effect";
            let key = format!("resources[{}].allow_any_authenticated", self.index);
            return Err(ConfigError::unquoted(key, true, rule, "remove it or the lists"));
        }
        let open =
            self.issuers.read.iter().find(|known| {
                known.open_to_the_world && accepted.iter().any(|accepted| accepted.issuer == known.issuer)
            });
        match open {
            Some(issuer) if principals.anyone && !written.allow_any_authenticated => Err(self.error(
                "allowed_emails",
                None,
                format!("nobody is named, and anybody in the world can get a token from {}", issuer.issuer),
                "name who may call, or set allow_any_authenticated = true",
            )),
            _ => Ok(()),
        }
    }
}
