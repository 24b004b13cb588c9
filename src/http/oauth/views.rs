//! What several pages show, in the words of the pages.

use super::OAuthService;
use crate::domain::{Person, ScopeSet};
use crate::http::pages::{ProviderView, ScopeView};
use crate::oauth::ProviderChoice;

impl OAuthService {
    /// Scopes with what the operator says they mean.
    pub(super) fn scopes(&self, scopes: &ScopeSet) -> Vec<ScopeView> {
        let view = |scope: &crate::domain::Scope| ScopeView {
            scope: scope.to_string(),
            description: self.scope_descriptions.get(scope.as_str()).cloned(),
        };
        scopes.as_slice().iter().map(view).collect()
    }
}

/// By what people know themselves.
pub(super) fn name_of(person: &Person) -> String {
    let email = person.email.as_ref().map(ToString::to_string);
    email.or_else(|| person.user_name.clone()).unwrap_or_else(|| person.subject.clone())
}

/// Where one can sign in.
pub(super) fn providers(choices: Vec<ProviderChoice>) -> Vec<ProviderView> {
    choices.into_iter().map(|choice| ProviderView { name: choice.name, label: choice.label }).collect()
}
