//! Removing a client: everything that people let it do ends, and it has to begin anew.

use super::stage::{CONFIGURED, Stage};
use crate::support::proxies::Kind;

#[test]
fn a_deleted_client_is_out_and_must_register_again() {
    let stage = Stage::behind(Kind::Traefik);
    let (gone, stays) = (stage.register("Gone"), stage.register("Stays"));
    let lost = stage.let_in("alice@example.com", &gone, "/mcp");
    let kept = stage.let_in("alice@example.com", &stays, "/mcp");
    let said = stage.operator(&["clients", "delete", &gone]);
    assert_eq!((said.code, said.text.as_str()), (0, "deleted; 1 of its grants ended\n"), "{said:?}");
    assert!(!stage.is_good(&lost) && stage.is_good(&kept));
    // "invalid_client" is the word on which clients register again (RFC 6749 §5.2).
    assert_eq!(stage.refresh_error(&lost), "invalid_client");
    let page = stage.walk("alice@example.com", &gone, "/mcp", "approve");
    assert_eq!(page.status, 400, "{page:?}");
    let again = stage.register("Gone");
    assert_ne!(again, gone);
    assert!(stage.is_good(&stage.let_in("alice@example.com", &again, "/mcp")));
}

#[test]
fn what_cannot_be_deleted_is_said_and_changes_nothing() {
    let stage = Stage::start();
    let said = stage.operator(&["clients", "delete", "mfc_nobody"]);
    assert_eq!(
        (said.code, said.complaint.as_str()),
        (1, "mcp-forward-auth: nobody is known by this client id\n"),
        "{said:?}"
    );
    let said = stage.operator(&["clients", "delete", CONFIGURED]);
    let expected = "mcp-forward-auth: the client stands in the configuration: take it out there, and restart\n";
    assert_eq!((said.code, said.complaint.as_str()), (1, expected), "{said:?}");
    let client = stage.register("One");
    assert_eq!(stage.operator(&["clients", "delete", &client]).code, 0);
    assert_eq!(stage.operator(&["clients", "delete", &client]).code, 1, "twice is once");
}
