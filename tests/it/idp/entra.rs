//! Entra ID, as its documentation records it: <https://learn.microsoft.com/entra/identity-platform/>.

use mcp_forward_auth::domain::{Person, ScopeSet};
use mcp_forward_auth::idp::ProviderSettings;
use mcp_forward_auth::idp::entra::EntraSettings;
use serde_json::{Value, json};

use super::fake::{Client, Fake, callback, change, outcome, registration, run, start};
use crate::support::issuer::{SigningKey, Token};
use crate::support::report::Report;
use crate::support::web::Answer;

const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const OTHER: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The authority with the metadata of `tenant`, whose issuer names `named`.
fn authority(tenant: &str, named: &str) -> Fake {
    let fake = Fake::with_key("RS256");
    let metadata = json!({
        "issuer": fake.at(&format!("/{named}/v2.0")),
        "authorization_endpoint": fake.at("/authorize"),
        "token_endpoint": fake.at("/token"),
        "userinfo_endpoint": fake.at("/userinfo"),
        "jwks_uri": fake.at("/jwks"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": null,
    });
    fake.web.answer(&format!("/{tenant}/v2.0/.well-known/openid-configuration"), Answer::Json(metadata.to_string()));
    fake
}

fn one_tenant() -> Fake {
    authority(TENANT, TENANT)
}

fn settings(fake: &Fake, tenant: &str) -> EntraSettings {
    EntraSettings { authority: fake.url(), ..EntraSettings::new(tenant, registration()) }
}

fn client(settings: EntraSettings) -> Client {
    Client::new(ProviderSettings::Entra(settings))
}

/// The ID token of the documentation: no `email_verified`, `tid`, pairwise `sub`, `preferred_username`.
fn id_token(fake: &Fake, tenant: &str) -> Token {
    let token = fake.id_token().without("email_verified").without("groups");
    let token = token.claim("iss", fake.at(&format!("/{tenant}/v2.0"))).claim("tid", tenant).claim("ver", "2.0");
    token.claim("oid", "00001111-aaaa-2222-bbbb-3333cccc4444").claim("preferred_username", "alice@corp.example")
}

fn signed_in(fake: &Fake, settings: EntraSettings, token: &Token) -> (&'static str, Option<Person>) {
    fake.gives(token);
    let result = client(settings).redeem();
    (outcome(&result).0, result.ok().map(|signed_in| signed_in.person))
}

#[test]
fn one_tenant_signs_in_its_own_people_only() {
    let fake = one_tenant();
    let settings = || settings(&fake, TENANT);
    let good = || id_token(&fake, TENANT);
    let (outcome, person) = signed_in(&fake, settings(), &good());
    let person = person.unwrap();
    assert_eq!((outcome, &*person.subject), ("accepted", "alice-subject"));
    assert_eq!(person.user_name.as_deref(), Some("alice@corp.example"));
    let rows = [
        ("another tenant", id_token(&fake, OTHER)),
        ("another tid", good().claim("tid", OTHER)),
        ("no tid", good().without("tid")),
        ("the issuer of v1", good().claim("iss", format!("https://sts.windows.net/{TENANT}/"))),
        ("the issuer with a slash", good().claim("iss", fake.at(&format!("/{TENANT}/v2.0/")))),
    ];
    let mut report = Report::new("tenants");
    for (name, token) in rows {
        report.row(name);
        report.equal("outcome", signed_in(&fake, settings(), &token).0, "untrustworthy");
    }
    report.finish();
}

#[test]
fn metadata_may_name_a_template_or_a_tenants_id_only_where_it_is_asked_for() {
    let rows = [
        (TENANT, TENANT, "accepted"),
        (TENANT, OTHER, "untrustworthy"),
        (TENANT, "{tenantid}", "untrustworthy"),
        ("corp.example", TENANT, "accepted"),
        ("corp.example", "{tenantid}", "untrustworthy"),
        ("corp.example", "corp.example", "untrustworthy"),
        ("common", "{tenantid}", "accepted"),
        ("common", "common", "untrustworthy"),
        ("common", TENANT, "untrustworthy"),
        ("organizations", "{tenantid}", "accepted"),
        ("consumers", CONSUMERS, "untrustworthy"),
    ];
    let mut report = Report::new("metadata");
    for (tenant, named, expected) in rows {
        report.row(format!("{tenant} names {named}"));
        let fake = authority(tenant, named);
        report.equal("outcome", signed_in(&fake, settings(&fake, tenant), &id_token(&fake, TENANT)).0, expected);
    }
    report.row("consumers");
    let fake = authority("consumers", CONSUMERS);
    let outcome = signed_in(&fake, settings(&fake, "consumers"), &id_token(&fake, CONSUMERS)).0;
    report.equal("outcome", outcome, "accepted");
    report.finish();
}

#[test]
fn with_many_tenants_the_issuer_is_the_template_with_the_tokens_tenant() {
    let fake = authority("common", "{tenantid}");
    let good = || id_token(&fake, TENANT);
    let rows = [
        ("its own", good(), "accepted"),
        ("personal", id_token(&fake, CONSUMERS), "accepted"),
        ("another tid", good().claim("tid", OTHER), "untrustworthy"),
        ("the placeholder itself", id_token(&fake, "{tenantid}"), "untrustworthy"),
        ("a tid that is a path", id_token(&fake, "x/../y"), "untrustworthy"),
        ("another authority", good().claim("iss", format!("https://evil.example.com/{TENANT}/v2.0")), "untrustworthy"),
    ];
    let mut report = Report::new("many tenants");
    for (name, token, expected) in rows {
        report.row(name);
        report.equal("outcome", signed_in(&fake, settings(&fake, "common"), &token).0, expected);
    }
    report.finish();
}

#[test]
fn the_tenants_that_may_sign_in_can_be_named() {
    let mut report = Report::new("tenants");
    for (tenant, allowed, token, expected) in [
        ("organizations", vec![], TENANT, "accepted"),
        ("organizations", vec![], CONSUMERS, "refused"),
        ("common", vec![TENANT], TENANT, "accepted"),
        ("common", vec![TENANT], OTHER, "refused"),
        ("common", vec![TENANT], CONSUMERS, "refused"),
    ] {
        report.row(format!("{tenant} {allowed:?} {token}"));
        let fake = authority(tenant, "{tenantid}");
        let mut settings = settings(&fake, tenant);
        settings.allowed_tenants = allowed.iter().map(|id| id.to_uppercase()).collect();
        report.equal("outcome", signed_in(&fake, settings, &id_token(&fake, token)).0, expected);
    }
    report.finish();
}

/// A key of the set may belong to one tenant: those of personal accounts do. It signs for that tenant only.
#[test]
fn a_key_signs_only_for_the_tenant_that_it_belongs_to() {
    let fake = authority("common", "{tenantid}");
    for (named, expected) in [("{tenantid}", "accepted"), (TENANT, "accepted"), (CONSUMERS, "untrustworthy")] {
        let mut key = fake.keys[0].jwk();
        key["issuer"] = json!(fake.at(&format!("/{named}/v2.0")));
        fake.web.answer("/jwks", Answer::Json(json!({ "keys": [key] }).to_string()));
        let outcome = signed_in(&fake, settings(&fake, "common"), &id_token(&fake, TENANT)).0;
        assert_eq!(outcome, expected, "{named}");
    }
}

#[test]
fn iss_of_the_answer_must_be_of_the_authority() {
    let fake = authority("common", "{tenantid}");
    fake.gives(&id_token(&fake, TENANT));
    let answered = |iss: &str| outcome(&client(settings(&fake, "common")).redeem_answer(callback(Some(iss)))).0;
    assert_eq!(answered(&fake.at(&format!("/{TENANT}/v2.0"))), "accepted");
    assert_eq!(answered(&format!("https://evil.example.com/{TENANT}/v2.0")), "untrustworthy");
    assert_eq!(answered(&fake.at("/x/v2.0")), "untrustworthy");
}

/// Entra answers AADSTS9010010 to `resource` beside `scope`; an API's scope has its own form.
#[test]
fn no_resource_is_asked_for_and_scopes_of_an_api_are_passed_as_they_stand() {
    let fake = one_tenant();
    let mut settings = settings(&fake, TENANT);
    settings.scopes = ScopeSet::from_claim("email profile api://notes-app/Notes.Read");
    let request = client(settings).request(&start());
    assert_eq!(request["resource"], Value::Null);
    assert_eq!(request["scope"], "openid api://notes-app/Notes.Read email profile offline_access");
    assert_eq!(request["prompt"], Value::Null);
}

#[test]
fn the_account_can_be_chosen() {
    let fake = one_tenant();
    let chosen = mcp_forward_auth::idp::SignInStart { choose_account: true, ..start() };
    assert_eq!(client(settings(&fake, TENANT)).request(&chosen)["prompt"], "select_account");
}

/// With a scope of an API the access token is for that API, and Graph's userinfo would not take it. It says no more
/// than the ID token in any case.
#[test]
fn userinfo_is_never_asked() {
    let fake = one_tenant();
    assert_eq!(signed_in(&fake, settings(&fake, TENANT), &id_token(&fake, TENANT).without("email")).0, "accepted");
    assert_eq!(fake.web.requests_for("/userinfo"), 0);
}

/// Any tenant may write any address into its directory, so addresses are not verified as they stand.
#[test]
fn addresses_count_as_verified_by_the_owner_of_the_domain_or_by_the_operators_word() {
    let email = json!({ "email": "alice@corp.example" });
    let with = |more: Value| {
        let mut claims = email.clone();
        change(&mut claims, &more);
        claims
    };
    let upn = json!({ "email": null, "upn": "alice@corp.example" });
    let (none, corp) = (Vec::new(), vec!["Corp.Example".to_owned()]);
    let alice = Some("alice@corp.example");
    let rows = [
        ("as it stands", email.clone(), &none, (alice, false)),
        ("email_verified, which nobody promises", with(json!({ "email_verified": true })), &none, (alice, false)),
        ("owner verified", with(json!({ "xms_edov": true })), &none, (alice, true)),
        ("owner verified, as a number", with(json!({ "xms_edov": "1" })), &none, (alice, true)),
        ("owner not verified", with(json!({ "xms_edov": false })), &none, (alice, false)),
        ("the tenant's domain", email.clone(), &corp, (alice, true)),
        ("another domain", json!({ "email": "alice@evil.example" }), &corp, (Some("alice@evil.example"), false)),
        ("a subdomain", json!({ "email": "alice@x.corp.example" }), &corp, (Some("alice@x.corp.example"), false)),
        ("a guest", with(json!({ "idp": "https://sts.windows.net/x/" })), &corp, (alice, false)),
        ("a guest by name", with(json!({ "upn": "a_evil.example#EXT#@corp.example" })), &corp, (alice, false)),
        ("a guest by account", with(json!({ "acct": 1 })), &corp, (alice, false)),
        ("a member by account", with(json!({ "acct": 0 })), &corp, (alice, true)),
        ("the principal name", upn.clone(), &corp, (alice, true)),
        ("the principal name, not ours", upn.clone(), &none, (alice, false)),
        (
            "the principal name, owner of nothing",
            {
                let mut claims = upn;
                claims["xms_edov"] = json!(true);
                claims
            },
            &none,
            (alice, false),
        ),
        ("the preferred name", json!({ "email": null }), &corp, (alice, true)),
    ];
    let mut report = Report::new("addresses");
    let fake = one_tenant();
    for (name, changes, domains, expected) in rows {
        report.row(name);
        let mut settings = settings(&fake, TENANT);
        settings.verified_domains.clone_from(domains);
        let mut token = id_token(&fake, TENANT);
        change(&mut token.claims, &changes);
        let person = signed_in(&fake, settings, &token).1.unwrap();
        let email = person.email.as_ref().map(mcp_forward_auth::domain::Email::as_str);
        report.equal("address", (email, person.email_verified), expected);
    }
    report.finish();
}

#[test]
fn groups_and_app_roles_are_read_and_too_many_groups_are_none_or_a_refusal() {
    let fake = one_tenant();
    let groups = |settings: EntraSettings, changes: Value| {
        let mut token = id_token(&fake, TENANT);
        change(&mut token.claims, &changes);
        let (outcome, person) = signed_in(&fake, settings, &token);
        (outcome, person.map(|person| person.groups).unwrap_or_default())
    };
    let settings = || settings(&fake, TENANT);
    let some = json!({ "groups": ["0760b6cf-170e-4a14-91b3-4b78e0739963"], "roles": ["Notes.Editor"] });
    let both = vec!["0760b6cf-170e-4a14-91b3-4b78e0739963".to_owned(), "Notes.Editor".to_owned()];
    assert_eq!(groups(settings(), some), ("accepted", both));
    let overage = json!({
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": fake.at("/graph/getMemberObjects") } },
    });
    for overage in [overage, json!({ "hasgroups": true })] {
        assert_eq!(groups(settings(), overage.clone()), ("accepted", vec![]));
        let strict = EntraSettings { refuse_groups_overage: true, ..settings() };
        assert_eq!(groups(strict, overage), ("refused", vec![]));
    }
    assert_eq!(fake.web.requests_for("/graph/getMemberObjects"), 0, "no address out of a token is fetched");
}

/// Entra tells what went wrong in a number that support asks for, and a refresh that needs a browser from one that does
/// not.
#[test]
fn errors_carry_their_number_and_mean_what_they_say() {
    let fake = one_tenant();
    let error = |error: &str, number: u32| {
        let body = json!({ "error": error, "error_description": format!("AADSTS{number}: text\r\nTrace ID: x"),
            "error_codes": [number], "suberror": "bad_token" });
        fake.web.answer("/token", Answer::StatusJson(400, body.to_string()));
        outcome(&client(settings(&fake, TENANT)).ask_again(&super::fake::alice()))
    };
    let rows = [
        ("invalid_grant", 700_082, "refused"),
        ("invalid_grant", 50057, "refused"),
        ("interaction_required", 50076, "refused"),
        ("invalid_client", 7_000_215, "unavailable"),
        ("invalid_request", 900_144, "unavailable"),
    ];
    for (name, number, expected) in rows {
        let (kind, text) = error(name, number);
        assert_eq!(kind, expected, "{name}");
        assert!(text.contains(&format!("AADSTS{number}")) && !text.contains('\n'), "{text}");
    }
}

#[test]
fn settings_that_would_believe_strangers_are_refused() {
    let surroundings = super::fake::surroundings(&super::fake::TestClock::new());
    let base = |tenant: &str| EntraSettings::new(tenant, registration());
    let corp = || vec!["corp.example".to_owned()];
    let rows = [
        ("verified_domains", EntraSettings { verified_domains: corp(), ..base("common") }),
        ("assume_email_verified", EntraSettings { assume_email_verified: true, ..base("organizations") }),
        ("assume_email_verified", EntraSettings { assume_email_verified: true, ..base("consumers") }),
        ("allowed_tenants", EntraSettings { allowed_tenants: corp(), ..base("common") }),
        ("allowed_tenants", EntraSettings { allowed_tenants: vec![OTHER.into()], ..base(TENANT) }),
        ("tenant", base("")),
        ("tenant", base("a/b")),
        ("tenant", base("{tenantid}")),
        ("authority", EntraSettings { authority: "http://login.example.com".into(), ..base(TENANT) }),
    ];
    for (key, settings) in rows {
        let shown = format!("{settings:?}");
        let error = ProviderSettings::Entra(settings).build("entra", None, &surroundings).unwrap_err();
        assert_eq!(error.key, key, "{shown}");
    }
    let named = EntraSettings { verified_domains: corp(), allowed_tenants: vec![TENANT.into()], ..base("common") };
    assert!(ProviderSettings::Entra(named).build("entra", None, &surroundings).is_ok());
}

#[test]
fn the_world_can_sign_in_where_any_tenant_can() {
    let open = |settings: EntraSettings| ProviderSettings::Entra(settings).is_open_to_the_world();
    let base = |tenant: &str| EntraSettings::new(tenant, registration());
    assert!(open(base("common")) && open(base("organizations")) && open(base("consumers")));
    assert!(!open(base(TENANT)) && !open(base("corp.example")));
    assert!(!open(EntraSettings { allowed_tenants: vec![TENANT.into()], ..base("common") }));
}

/// Entra's key sets hold more keys than one, and certificates beside them.
#[test]
fn keys_are_chosen_by_their_id_among_many() {
    let mut fake = one_tenant();
    fake.keys.push(SigningKey::generate("key-2", "RS256"));
    let mut keys: Vec<Value> = fake.keys.iter().map(SigningKey::jwk).collect();
    for key in &mut keys {
        change(key, &json!({ "alg": null, "x5t": "x", "x5c": ["MIIC"] }));
    }
    fake.web.answer("/jwks", Answer::Json(json!({ "keys": keys }).to_string()));
    let token = id_token(&fake, TENANT).parameter("kid", "key-2").signed_by(&fake.keys[1]);
    fake.gives_tokens(&json!({ "id_token": token }));
    let client = client(settings(&fake, TENANT));
    assert_eq!(
        outcome(&run(client.provider.redeem(callback(None), {
            use mcp_forward_auth::clock::Clock as _;
            client.clock.now()
        })))
        .0,
        "accepted"
    );
}
