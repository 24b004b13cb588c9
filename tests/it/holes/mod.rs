//! Holes that proxies are known for. Each attack fails with the shipped files, and succeeds once the line is taken out
//! that closes it: so that line is needed, and it is enough.

mod attacks;
mod caddy;
mod careless;
pub mod descriptions;
mod edits;
mod envoy;
mod nginx;
mod traefik;

use crate::support::proxies::Kind;
use crate::support::stage::Stage;
use attacks::forged_names;
use careless::Careless;
use edits::{Edits, shipped};
pub use traefik::variants as traefik_variants;

/// The one that is there only where a resource wants it.
const ASSERTION: &str = "X-Identity-Assertion";

/// The identity headers, as upstreams read them.
pub const IDENTITY: [&str; 9] = [
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Scopes",
    "X-Auth-Subject",
    "X-Auth-Issuer",
    "X-Auth-Client",
    "X-Auth-Resource",
    ASSERTION,
];

/// The attack fails as shipped and succeeds with `edits`.
fn closed_by(kind: Kind, edits: &Edits, attack: impl Fn(&Stage) -> bool) {
    assert!(!attack(&Stage::start(kind)), "the shipped file leaves this hole open");
    opened_by(kind, edits, attack);
}

/// The attack succeeds with `edits`.
fn opened_by(kind: Kind, edits: &Edits, attack: impl Fn(&Stage) -> bool) {
    assert!(attack(&edits.open(kind)), "another line closes this hole too, or the attack is none");
}

/// The attack fails as shipped, and with `edits`, too: something else closes the hole as well.
fn closed_twice(kind: Kind, edits: &Edits, attack: impl Fn(&Stage) -> bool) {
    assert!(!attack(&Stage::start(kind)), "the shipped file leaves this hole open");
    assert!(!attack(&edits.open(kind)), "the second line of defence does not hold");
}

/// Taking out `lines` of some identity headers opens the hole for those headers and no other. Envoy is told by the service
/// to take away an assertion of the client, so that no line of the file opens that one.
fn closed_name_by_name<const N: usize>(kind: Kind, file: impl Fn() -> Edits, lines: impl Fn(&str) -> [String; N]) {
    assert_eq!(forged_names(&file().open(kind), "-"), [""; 0], "as shipped");
    for remainder in [0, 1] {
        let chosen: Vec<&str> = IDENTITY.into_iter().skip(remainder).step_by(2).collect();
        let edits = file().without_all(chosen.iter().flat_map(|name| lines(name)));
        let open: Vec<&str> = chosen.into_iter().filter(|name| kind != Kind::Envoy || *name != ASSERTION).collect();
        assert_eq!(forged_names(&edits.open(kind), "-"), open, "without the lines of these");
    }
}

/// Many frameworks read `X_Forwarded_User` and `x.forwarded.user` as `X-Forwarded-User`.
pub fn reads_as(spelling: &str, name: &str) -> bool {
    spelling.replace(['_', '.'], "-").eq_ignore_ascii_case(name)
}
