//! A client that has too little for what it wants: the challenge, the person, and what comes of it.

mod clients;

use crate::sign_in::stage::{Setup, Stage};
use crate::support::proxies::{Kind, with_body};

/// A tool that needs two scopes more than the resource.
const RULES: &str = r#"
[[resources.tool_rules]]
names = ["read_note"]
required_scopes = ["notes:list", "notes:read"]
"#;

/// What the tool needs, together with what the client has.
const ALL: &str = "mcp:read notes:list notes:read";

fn stage(kind: Kind) -> Stage {
    Stage::start_edited(kind, with_body, |_| Setup { rules: RULES, ..Setup::default() })
}

/// The scopes of a parameter in order.
fn sorted(scope: &str) -> String {
    let mut scopes: Vec<&str> = scope.split(' ').collect();
    scopes.sort_unstable();
    scopes.join(" ")
}
