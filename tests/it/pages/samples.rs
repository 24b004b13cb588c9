//! Every page with something on it, as Alice would see it, and as an attacker would like it.

use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::http::pages::{
    Before, ClientOrigin, ClientView, Connection, Connections, Consent, Content, Destination, DevelopmentSignIn,
    Failure, Form, Forwarding, NotAllowed, Place, ProviderView, ResourceView, ScopeView, SignIn, SignedIn, SignedOut,
    Trouble,
};

pub type Sample = (&'static str, Box<dyn Content>);

/// The samples of `Trouble::ALL`, in its order.
pub const TROUBLES: [&str; Trouble::ALL.len()] = [
    "bad-request",
    "unknown-client",
    "client-document-unavailable",
    "client-document-refused",
    "unknown-redirect",
    "expired",
    "other-browser",
    "already-answered",
    "stale-form",
    "provider-unavailable",
    "provider-untrustworthy",
    "not-signed-in",
    "unavailable",
    "too-many-requests",
    "not-found",
    "internal",
];

const NOW: UnixTime = UnixTime::from_secs(1_780_473_909);
const HOUR: u64 = 3_600;

/// Every page in each of its forms. What comes from outside is `text` where that is given.
pub fn all(text: Option<&str>) -> Vec<Sample> {
    let mut all: Vec<Sample> = vec![
        ("consent", Box::new(consent(text))),
        ("consent-more", Box::new(consent_more(text))),
        ("consent-localhost", Box::new(consent_localhost(text))),
        ("consent-app", Box::new(consent_app(text))),
        ("sign-in", Box::new(sign_in(text))),
        ("development", Box::new(development(text, None))),
        ("development-again", Box::new(development(text, Some("Write an e-mail address, like alice@example.com.")))),
        ("forwarding", Box::new(forwarding("https://claude.ai/api/mcp/auth_callback?code=x&state=y", text))),
        ("forwarding-localhost", Box::new(forwarding("http://127.0.0.1:33418/?code=x&state=y", text))),
        ("forwarding-app", Box::new(forwarding("cursor://anysphere.cursor-mcp/oauth/callback?code=x&state=y", text))),
        ("not-allowed", Box::new(not_allowed(text))),
        ("connections", Box::new(connections(text))),
        ("connections-empty", Box::new(no_connections(text))),
        ("signed-in", Box::new(signed_in(text))),
        ("signed-out", Box::new(SignedOut)),
    ];
    all.extend(TROUBLES.iter().zip(Trouble::ALL).map(|(name, trouble)| failure(name, trouble, text)));
    all
}

/// Claude on the web, by its metadata document; one place to sign in.
pub fn consent(text: Option<&str>) -> Consent {
    Consent {
        form: Form::new("/consent", "csrf-of-alice").with("request", "request-of-alice"),
        client: client(text, "Claude", ClientOrigin::Website { host: "claude.ai".into() }),
        redirect: Place::of("https://claude.ai/api/mcp/auth_callback"),
        resource: resource(text),
        scopes: scopes(text),
        before: None,
        providers: vec![provider("google", "Google", text)],
    }
}

/// Claude wants more than it has.
pub fn consent_more(text: Option<&str>) -> Consent {
    let view = |scope: &str, words: &str| ScopeView { scope: or(text, scope), description: Some(or(text, words)) };
    Consent {
        scopes: vec![
            view("notes:delete", "Delete your notes"),
            ScopeView { scope: or(text, "notes:share"), description: None },
        ],
        before: Some(Before { person: or(text, "alice@example.com"), scopes: scopes(text) }),
        ..consent(text)
    }
}

/// A program on the device, which gave itself its name; several places to sign in.
pub fn consent_localhost(text: Option<&str>) -> Consent {
    Consent {
        client: client(text, "Claude Code (notes)", ClientOrigin::Itself),
        redirect: Place::of("http://localhost:33418/callback"),
        providers: vec![provider("google", "Google", text), provider("github", "GitHub", text)],
        ..consent(text)
    }
}

/// An app with a scheme of its own; its scopes have no words.
fn consent_app(text: Option<&str>) -> Consent {
    Consent {
        client: ClientView { name: text.map(Into::into), origin: ClientOrigin::Itself },
        redirect: Place::of("cursor://anysphere.cursor-mcp/oauth/callback"),
        scopes: vec![ScopeView { scope: or(text, "mcp:read"), description: None }],
        ..consent(text)
    }
}

fn sign_in(text: Option<&str>) -> SignIn {
    SignIn {
        form: Form::new("/sign-in", "csrf-of-alice"),
        purpose: or(text, "see your connections"),
        providers: vec![provider("google", "Google", text), provider("github", "GitHub", text)],
    }
}

fn development(text: Option<&str>, problem: Option<&str>) -> DevelopmentSignIn {
    DevelopmentSignIn {
        form: Form::new("/sign-in/development", "csrf-of-alice").with("state", "state-of-alice"),
        email: or(text, "alice@example.com"),
        name: or(text, "Alice"),
        groups: or(text, "staff, ops"),
        problem: problem.map(|problem| or(text, problem)),
    }
}

fn forwarding(uri: &str, text: Option<&str>) -> Forwarding {
    Forwarding { destination: Destination::parse(uri).unwrap(), to: text.map(Into::into) }
}

fn not_allowed(text: Option<&str>) -> NotAllowed {
    NotAllowed {
        form: Form::new("/sign-in", "csrf-of-alice").with("request", "request-of-alice"),
        person: or(text, "bob@example.com"),
        provider: or(text, "Google"),
        resource: resource(text),
        client: Some(or(text, "Claude")),
        request_id: or(text, "3f1c9a52e07b44d1-2a"),
    }
}

fn connections(text: Option<&str>) -> Connections {
    let connection = |id: &str, client: ClientView, redirect: &str, hours: Option<u64>| Connection {
        id: id.into(),
        client,
        redirect: Place::of(redirect),
        resource: resource(text),
        scopes: scopes(text),
        since: UnixTime::from_secs(1_777_000_000),
        last_used: hours.map(|hours| UnixTime::from_secs(NOW.as_secs() - hours * HOUR)),
    };
    let claude = client(text, "Claude", ClientOrigin::Website { host: "claude.ai".into() });
    let code = client(text, "Claude Code (notes)", ClientOrigin::Itself);
    let nameless = ClientView { name: None, origin: ClientOrigin::Operator };
    Connections {
        connections: vec![
            connection("grant-one-of-alice", claude, "https://claude.ai/api/mcp/auth_callback", Some(2)),
            connection("grant-two-of-alice", code, "http://localhost:33418/callback", Some(24 * 20)),
            connection("grant-three-of-alice", nameless, "cursor://anysphere.cursor-mcp/oauth/callback", None),
        ],
        more: Some("/connections?after=grant-three-of-alice".into()),
        notice: Some(or(text, "ChatGPT can no longer use Notes.")),
        ..no_connections(text)
    }
}

fn no_connections(text: Option<&str>) -> Connections {
    Connections {
        person: or(text, "alice@example.com"),
        connections: Vec::new(),
        more: None,
        notice: None,
        withdraw: Form::new("/connections", "csrf-of-alice"),
        sign_out: Form::new("/sign-out", "csrf-of-alice"),
        now: NOW,
    }
}

fn signed_in(text: Option<&str>) -> SignedIn {
    SignedIn {
        person: or(text, "alice@example.com"),
        provider: or(text, "Google"),
        sign_out: Form::new("/sign-out", "csrf-of-alice"),
    }
}

fn failure(name: &'static str, trouble: Trouble, text: Option<&str>) -> Sample {
    let detail = or(text, "redirect_uri is not registered: https://app.example.com/callback");
    (name, Box::new(Failure { trouble, detail: Some(detail), request_id: or(text, "3f1c9a52e07b44d1-2a") }))
}

fn client(text: Option<&str>, name: &str, origin: ClientOrigin) -> ClientView {
    ClientView { name: Some(or(text, name)), origin }
}

fn resource(text: Option<&str>) -> ResourceView {
    ResourceView { name: Some(or(text, "Notes")), uri: "https://mcp.example.com/mcp".into() }
}

fn provider(name: &str, label: &str, text: Option<&str>) -> ProviderView {
    ProviderView { name: name.into(), label: or(text, label) }
}

fn scopes(text: Option<&str>) -> Vec<ScopeView> {
    vec![
        ScopeView { scope: or(text, "mcp:read"), description: Some(or(text, "Read your notes")) },
        ScopeView { scope: or(text, "mcp:write"), description: Some(or(text, "Write and delete notes in your name")) },
        ScopeView { scope: or(text, "offline"), description: None },
    ]
}

fn or(text: Option<&str>, otherwise: &str) -> String {
    text.unwrap_or(otherwise).to_owned()
}
