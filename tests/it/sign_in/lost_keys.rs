//! A token of ours that names a key we do not have.

use super::stage::Stage;
use crate::support::issuer::{SigningKey, TestIssuer};
use crate::support::process::eventually;
use crate::support::proxies::Kind;

/// Looking at the keys by the clock alone would take longer than the test waits.
const LOOKS: u64 = 5;

#[test]
fn the_keys_are_looked_at_when_a_token_of_ours_names_an_unknown_one() {
    let stage = Stage::start(Kind::Traefik);
    let issuer = TestIssuer::with_keys(vec![SigningKey::generate("key", "ES256")]);
    let token = issuer.sign(&issuer.token_for(&stage.url()).claim("iss", stage.issuer()));
    let looks = || stage.service().counted("mcp_forward_auth_issuer_keys_refreshes_total{");
    let before = looks();
    eventually("the keys were looked at again and again", || {
        assert_eq!(stage.ask(&token).status, 401, "it is older than our keys");
        looks() >= before + LOOKS
    });
}
