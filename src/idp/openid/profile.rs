//! What a provider says about a person: claims of the ID token, completed by userinfo (OIDC Core §5.1).

use serde_json::{Map, Value};

use crate::domain::{Email, Person};

/// Claims about a person, in whatever form the provider writes them.
#[derive(Debug, Clone, Default)]
pub(in crate::idp) struct Profile(Map<String, Value>);

impl Profile {
    /// Longest name, and longest group, in bytes.
    const MAX_TEXT: usize = 256;
    /// More groups than any policy names; they are kept with every grant.
    const MAX_GROUPS: usize = 512;

    pub(super) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    pub(in crate::idp) fn has(&self, claim: &str) -> bool {
        self.0.get(claim).is_some_and(|value| !value.is_null())
    }

    /// A text that is short and has no control characters in it.
    pub(in crate::idp) fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim)?.as_str().filter(|text| is_sound(text))
    }

    pub(in crate::idp) fn email(&self, claim: &str) -> Option<Email> {
        self.text(claim).and_then(Email::parse)
    }

    /// `true`, or the forms in which some providers write it: `"true"`, `1`, `"1"`. Everything else is no.
    pub(in crate::idp) fn says(&self, claim: &str) -> bool {
        match self.0.get(claim) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    /// What stands at a JSON pointer (`/realm_access/roles`, RFC 6901), at a dotted path (`realm_access.roles`), or under
    /// that very name.
    fn at(&self, path: &str) -> Option<&Value> {
        let members: Vec<String> = match path.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect(),
            None => path.split('.').map(ToOwned::to_owned).collect(),
        };
        let (first, rest) = members.split_first()?;
        let nested = self.0.get(first).and_then(|value| rest.iter().try_fold(value, |value, member| value.get(member)));
        nested.or_else(|| self.0.get(path))
    }

    /// Whether anything stands at each of `paths`.
    pub(in crate::idp) fn has_all(&self, paths: &[String]) -> bool {
        paths.iter().all(|path| self.at(path).is_some())
    }

    /// The texts at all of `paths`, each once.
    pub(in crate::idp) fn groups(&self, paths: &[String]) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for value in paths.iter().filter_map(|path| self.at(path)) {
            let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for group in items.iter().filter_map(Value::as_str).filter(|text| is_sound(text)) {
                add_group(&mut groups, group);
            }
        }
        groups
    }

    /// This profile with what it lacks from `other`. The address and its verification are one statement: they come from
    /// the same document, or a verified address of one could vouch for another address of the other.
    #[must_use]
    pub(super) fn completed_by(mut self, other: Self) -> Self {
        const EMAIL: [&str; 2] = ["email", "email_verified"];
        let whole = EMAIL.iter().all(|claim| self.has(claim));
        if !whole && other.has("email") {
            for claim in EMAIL {
                self.0.remove(claim);
            }
        }
        let takes_email = !self.has("email");
        for (claim, value) in other.0 {
            if takes_email || !EMAIL.contains(&claim.as_str()) {
                self.0.entry(claim).or_insert(value);
            }
        }
        self
    }

    /// The person that these claims describe, as the standard claims go.
    pub(super) fn person(&self, provider: &str, subject: &str, groups_claims: &[String]) -> Person {
        Person {
            provider: provider.to_owned(),
            subject: subject.to_owned(),
            email: self.email("email"),
            // Absent means not verified: OIDC Core §5.1 promises nothing about an address without it.
            email_verified: self.says("email_verified"),
            user_name: self.text("preferred_username").map(ToOwned::to_owned),
            name: self.text("name").map(ToOwned::to_owned),
            groups: self.groups(groups_claims),
        }
    }
}

/// Adds a group that is not there yet. Left out are those over the limit: whoever is in so many has fewer rights for it.
pub(in crate::idp) fn add_group(groups: &mut Vec<String>, group: &str) {
    if groups.len() < Profile::MAX_GROUPS && !groups.iter().any(|known| known == group) {
        groups.push(group.to_owned());
    }
}

/// Short, and without control characters: fit for a page, a header and a log.
pub(in crate::idp) fn is_sound(text: &str) -> bool {
    !text.is_empty() && text.len() <= Profile::MAX_TEXT && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile(claims: &Value) -> Profile {
        Profile::new(claims.as_object().unwrap().clone())
    }

    #[test]
    fn groups_are_found_at_paths_and_under_names_with_dots() {
        let paths = ["groups", "realm_access.roles", "/access/a.b~1c/roles", "https://idp.example.com/roles"];
        let paths = paths.map(ToOwned::to_owned);
        let claims = json!({
            "groups": ["staff", "staff", 7, "a\nb", ""],
            "realm_access": { "roles": ["ops", "staff"] },
            "access": { "a.b/c": { "roles": ["editor"] } },
            "https://idp.example.com/roles": "admin",
        });
        assert_eq!(profile(&claims).groups(&paths), ["staff", "ops", "editor", "admin"]);
        assert!(profile(&json!({ "groups": null })).groups(&paths).is_empty());
    }

    #[test]
    fn groups_are_bounded() {
        let many: Vec<String> = (0..2000).map(|index| format!("group-{index}")).collect();
        assert_eq!(profile(&json!({ "groups": many })).groups(&["groups".to_owned()]).len(), Profile::MAX_GROUPS);
    }

    #[test]
    fn a_verification_never_vouches_for_an_address_of_another_document() {
        let merged = |token: &Value, userinfo: &Value| {
            let person = profile(token).completed_by(profile(userinfo)).person("idp", "s", &[]);
            (person.email.map(|email| email.to_string()), person.email_verified)
        };
        let alice = || Some("alice@example.com".to_owned());
        let bob = || Some("bob@example.com".to_owned());
        let (one, other) = (json!({ "email": "alice@example.com" }), json!({ "email": "bob@example.com" }));
        let verified = json!({ "email": "bob@example.com", "email_verified": true });
        assert_eq!(merged(&one, &json!({ "email_verified": true })), (alice(), false));
        assert_eq!(merged(&one, &verified), (bob(), true));
        assert_eq!(merged(&verified, &one), (bob(), true));
        assert_eq!(merged(&json!({ "email_verified": true }), &other), (bob(), false));
        assert_eq!(merged(&json!({}), &verified), (bob(), true));
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in [json!(true), json!("true"), json!(1), json!("1")] {
            assert!(profile(&json!({ "email_verified": yes })).says("email_verified"), "{yes}");
        }
        for no in [json!(false), json!("True"), json!("yes"), json!(2), json!(null), json!([true]), json!({})] {
            assert!(!profile(&json!({ "email_verified": no })).says("email_verified"), "{no}");
        }
    }
}
