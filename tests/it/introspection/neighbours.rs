//! A question that hangs holds up whoever asked it, and nobody else.

use super::{Asked, Gate, RESOURCE, ask, config, outcome};
use crate::support::process::eventually;
use crate::support::service::Service;

#[test]
fn decisions_on_jwts_are_made_while_an_issuer_hangs() {
    let asked = Asked::start();
    let gate = Gate::default();
    asked.answers_behind(&gate);
    // One thread for all: whoever blocked it would block everybody.
    let service = Service::start(&format!("[server]\nworkers = 1\n{}", config(&asked.table(""))));
    let jwt = asked.issuer.sign(&asked.issuer.token_for(RESOURCE));
    let meanwhile = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| outcome(&ask(&service, "opaque")));
        eventually("the question is there", || asked.questions() == 1);
        let mut meanwhile = 0;
        while meanwhile < 50 && !waiting.is_finished() {
            assert_eq!(outcome(&ask(&service, &jwt)), "200");
            assert_eq!(outcome(&service.ask("POST", RESOURCE, None)), "401 missing_token");
            meanwhile += usize::from(!waiting.is_finished());
        }
        gate.open();
        assert_ne!(waiting.join().unwrap(), "200");
        meanwhile
    });
    assert!(meanwhile > 0, "no decision was made before the question ended");
}
