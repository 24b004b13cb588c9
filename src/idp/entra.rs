//! Microsoft Entra ID, v2 endpoints: one tenant or many, whose addresses are not to be believed as they stand.

use std::sync::Arc;

use super::openid::{Dialect, GroupsClaims, IdToken, OpenIdProvider, OpenIdSettings, Profile};
use super::settings::{Kind, Named};
use super::{BuildError, IdentityProvider, IdpError, Registration, Surroundings};
use crate::domain::{Issuer, Person, ScopeSet};

/// What is to be said about Entra ID.
#[derive(Debug, Clone)]
pub struct EntraSettings {
    /// The tenant's id or one of its domains; or `organizations`, `consumers`, `common` for many.
    pub tenant: String,
    /// How we are registered there.
    pub registration: Registration,
    /// What is asked for besides `openid`; scopes of an API of one's own have the form `api://…/name`.
    pub scopes: ScopeSet,
    /// With many tenants: the ids of those whose people may sign in. Empty means all of them.
    pub allowed_tenants: Vec<String>,
    /// Where groups stand; when empty, `groups` (object ids) and `roles` (app roles).
    pub groups_claims: Vec<String>,
    /// Domains whose addresses count as verified: those that your own tenant has proven to Microsoft to be its own.
    pub verified_domains: Vec<String>,
    /// Take every address as verified: only if nobody else may write addresses into the tenant.
    pub assume_email_verified: bool,
    /// Ask for a refresh token (`offline_access`).
    pub offline_access: bool,
    /// Refuse people who are in more groups than a token holds, instead of taking them to be in none.
    pub refuse_groups_overage: bool,
    /// `https://login.microsoftonline.com`, or the address of a national cloud.
    pub authority: String,
}

/// The tenant of personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// What stands for the tenant's id in the metadata of many tenants.
const PLACEHOLDER: &str = "{tenantid}";

impl EntraSettings {
    /// What most operators want: one tenant, and being able to ask again.
    pub fn new(tenant: &str, registration: Registration) -> Self {
        Self {
            tenant: tenant.to_owned(),
            registration,
            scopes: ScopeSet::from_claim("email profile"),
            allowed_tenants: Vec::new(),
            groups_claims: Vec::new(),
            verified_domains: Vec::new(),
            assume_email_verified: false,
            offline_access: true,
            refuse_groups_overage: false,
            authority: "https://login.microsoftonline.com".to_owned(),
        }
    }

    fn tenants(&self) -> Tenants {
        match self.tenant.as_str() {
            "common" => Tenants::Many { consumers_too: true },
            "organizations" => Tenants::Many { consumers_too: false },
            "consumers" => Tenants::One(CONSUMERS.to_owned()),
            id if is_guid(id) => Tenants::One(id.to_lowercase()),
            _ => Tenants::OneOfDomain,
        }
    }

    fn issuer(&self) -> Result<Issuer, BuildError> {
        let issuer = format!("{}/{}/v2.0", self.authority.trim_end_matches('/'), self.tenant);
        let fix = "leave it out, or write it like \"https://login.microsoftonline.us\"";
        Issuer::parse(&issuer).map_err(|error| BuildError::new("authority", error.to_string(), fix))
    }

    fn check_tenants(&self) -> Result<(), BuildError> {
        const FIX: &str = "write the tenant's id, like \"11111111-2222-3333-4444-555555555555\"";
        let sound = |char: char| char.is_ascii_alphanumeric() || "-.".contains(char);
        if self.tenant.is_empty() || !self.tenant.chars().all(sound) {
            let reason = "it must be a tenant's id or domain, or organizations, consumers, common";
            return Err(BuildError::new("tenant", reason, FIX));
        }
        if !self.allowed_tenants.iter().all(|id| is_guid(id)) {
            return Err(BuildError::new("allowed_tenants", "each must be a tenant's id, not its name", FIX));
        }
        if !self.allowed_tenants.is_empty() && !matches!(self.tenants(), Tenants::Many { .. }) {
            let reason = "tenant names one tenant already";
            return Err(BuildError::new("allowed_tenants", reason, "remove it, or set tenant = \"organizations\""));
        }
        Ok(())
    }

    /// Any tenant can write any address into its directory: an address proves something only in one's own.
    fn check_addresses(&self) -> Result<(), BuildError> {
        let reason = "addresses of strangers' tenants prove nothing";
        let fix = "name one tenant, or allowed_tenants";
        match self.is_open_to_the_world() {
            true if self.assume_email_verified => Err(BuildError::new("assume_email_verified", reason, fix)),
            true if !self.verified_domains.is_empty() => Err(BuildError::new("verified_domains", reason, fix)),
            _ => Ok(()),
        }
    }
}

impl Kind for EntraSettings {
    fn label(&self) -> String {
        "Microsoft".to_owned()
    }

    fn is_open_to_the_world(&self) -> bool {
        self.tenant == "consumers"
            || (matches!(self.tenants(), Tenants::Many { .. }) && self.allowed_tenants.is_empty())
    }

    fn check(&self) -> Result<(), BuildError> {
        self.check_tenants()?;
        self.check_addresses()?;
        self.issuer().map(drop)
    }

    fn build(self, named: Named, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, BuildError> {
        let issuer = self.issuer()?;
        let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
        let dialect = Entra {
            tenants: self.tenants(),
            authority: self.authority.trim_end_matches('/').to_owned(),
            allowed_tenants: lower(&self.allowed_tenants),
            verified_domains: lower(&self.verified_domains),
            refuse_groups_overage: self.refuse_groups_overage,
        };
        let settings = OpenIdSettings {
            issuer,
            registration: self.registration,
            scopes: self.scopes,
            groups: GroupsClaims::new(self.groups_claims, ["groups", "roles"]),
            assume_email_verified: self.assume_email_verified,
            offline_access: self.offline_access,
            ask_consent: false,
        };
        Ok(Arc::new(OpenIdProvider::new(named, settings, dialect, surroundings)))
    }
}

/// Whose people sign in.
#[derive(Debug)]
enum Tenants {
    One(String),
    /// Named by a domain: the metadata tells its id.
    OneOfDomain,
    Many {
        consumers_too: bool,
    },
}

#[derive(Debug)]
struct Entra {
    tenants: Tenants,
    authority: String,
    allowed_tenants: Vec<String>,
    verified_domains: Vec<String>,
    refuse_groups_overage: bool,
}

impl Entra {
    /// The tenant of an issuer of this authority: an id, or the placeholder.
    fn tenant_of<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        issuer.strip_prefix(&self.authority)?.strip_prefix('/')?.strip_suffix("/v2.0")
    }

    fn admits_tenant(&self, tenant: &str) -> bool {
        let kind_fits = match self.tenants {
            Tenants::Many { consumers_too } => consumers_too || tenant != CONSUMERS,
            Tenants::One(_) | Tenants::OneOfDomain => true,
        };
        kind_fits && (self.allowed_tenants.is_empty() || self.allowed_tenants.iter().any(|known| known == tenant))
    }
}

impl Dialect for Entra {
    fn knows_select_account(&self) -> bool {
        true
    }

    /// The metadata of many tenants names a template, and that of a domain names the tenant's id.
    fn metadata_may_name(&self, _issuer: &Issuer, named: &str) -> bool {
        let Some(tenant) = self.tenant_of(named) else { return false };
        match &self.tenants {
            Tenants::One(id) => tenant.eq_ignore_ascii_case(id),
            Tenants::OneOfDomain => is_guid(tenant),
            Tenants::Many { .. } => tenant == PLACEHOLDER,
        }
    }

    fn answers_as(&self, metadata_issuer: &str, iss: &str) -> bool {
        let of_template = metadata_issuer.contains(PLACEHOLDER) && self.tenant_of(iss).is_some_and(is_guid);
        metadata_issuer == iss || of_template
    }

    /// The issuer is the metadata's, or its template with the token's own `tid`, and `tid` is the issuer's tenant. So is the
    /// key's, where it has one: the keys of personal accounts sign for their tenant only.
    fn issued(&self, metadata_issuer: &str, token: &IdToken, key_issuer: Option<&str>) -> bool {
        let Some(tenant) = token.profile.text("tid").filter(|tenant| is_guid(tenant)) else { return false };
        let is = |template: &str| template.replace(PLACEHOLDER, tenant) == token.issuer;
        self.tenant_of(&token.issuer) == Some(tenant) && is(metadata_issuer) && key_issuer.is_none_or(is)
    }

    fn admit(&self, token: &IdToken) -> Result<(), IdpError> {
        let tenant = token.profile.text("tid").unwrap_or_default().to_lowercase();
        if !self.admits_tenant(&tenant) {
            return Err(IdpError::Refused("the account is of another tenant".into()));
        }
        if has_too_many_groups(&token.profile) {
            if self.refuse_groups_overage {
                let reason = "the person is in more groups than a token holds; assign fewer to the application";
                return Err(IdpError::Refused(reason.into()));
            }
            tracing::warn!("somebody is in more groups than a token of Entra ID holds, and counts as being in none");
        }
        Ok(())
    }

    /// The ID token says all that userinfo could.
    fn asks_userinfo(&self) -> bool {
        false
    }

    /// `email` is what somebody wrote into a directory, so `email_verified` does not count here, only Microsoft's word on
    /// the owner of the domain (`xms_edov`) and the operator's. Many accounts have a user principal name only, whose
    /// domain is the tenant's own.
    fn correct(&self, profile: &Profile, mut person: Person) -> Person {
        let principal = || profile.email("upn").or_else(|| profile.email("preferred_username"));
        let written = profile.email("email");
        let owner_verified = written.is_some() && profile.says("xms_edov");
        person.email = written.or_else(principal);
        let domain = person.email.as_ref().and_then(|email| email.as_str().rsplit_once('@')).map(|(_, domain)| domain);
        let of_ours = domain.is_some_and(|domain| self.verified_domains.iter().any(|known| known == domain));
        person.email_verified = owner_verified || (of_ours && !is_guest(profile));
        person.user_name = person.user_name.or_else(|| profile.text("upn").map(ToOwned::to_owned));
        person
    }
}

/// A guest's address was written elsewhere. `idp` is there when somebody else than the tenant knows the person.
fn is_guest(profile: &Profile) -> bool {
    let tenant = profile.text("tid").unwrap_or_default();
    let known_elsewhere = profile.has("idp") && !profile.text("idp").is_some_and(|idp| idp.contains(tenant));
    let named_so = ["upn", "preferred_username"].iter().any(|name| profile.text(name).is_some_and(is_guest_name));
    known_elsewhere || named_so || profile.says("acct")
}

fn is_guest_name(name: &str) -> bool {
    name.to_uppercase().contains("#EXT#")
}

/// Over 200 groups, the token says only where to ask for them.
fn has_too_many_groups(profile: &Profile) -> bool {
    profile.says("hasgroups") || profile.has_all(&["_claim_names.groups".to_owned()])
}

fn is_guid(text: &str) -> bool {
    let sizes: Vec<usize> = text.split('-').map(str::len).collect();
    sizes == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
