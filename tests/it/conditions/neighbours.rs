//! The worst conditions that are accepted cost a bounded number of steps, and others are served meanwhile.

use super::{ORIGIN, ask, resource, start};
use crate::support::issuer::TestIssuer;

/// Each takes all its steps with the claims below.
const WORST: [&str; 5] = [
    "identity.claims.many.exists(number, 99 in identity.claims.many)",
    "identity.claims.many.all(number, identity.claims.many == identity.claims.many)",
    "identity.groups.exists(group, identity.claims.long.contains('b'))",
    "identity.groups.map(group, identity.claims.long + identity.claims.long).exists(text, text.endsWith('b'))",
    "identity.claims.long.matches('(a?){30}(a?){30}b')",
];

#[test]
fn the_worst_conditions_are_refused_and_neighbours_are_served_meanwhile() {
    let issuer = TestIssuer::start();
    let worst = WORST.iter().enumerate().map(|(index, source)| resource(&format!("worst{index}"), source, ""));
    let quick = resource("quick", "identity.subject == 'alice-subject'", "");
    let service = start(&issuer, &(worst.collect::<String>() + &quick));
    let many: Vec<u8> = (0..2000).map(|number: u32| u8::try_from(number % 10).unwrap()).collect();
    let groups: Vec<String> = (0..600).map(|number| format!("{number}")).collect();
    let hostile = |index: usize| {
        let token = issuer.token_for(&format!("{ORIGIN}/worst{index}"));
        // A token has at most 16 KB.
        issuer.sign(&match index {
            0 | 1 => token.claim("many", many.clone()),
            2 | 3 => token.claim("groups", groups.clone()).claim("long", "a".repeat(4000)),
            _ => token.claim("long", "a".repeat(9000)),
        })
    };
    let alice = issuer.sign(&issuer.token_for(&format!("{ORIGIN}/quick")));
    std::thread::scope(|scope| {
        for index in 0..WORST.len() {
            let (token, port) = (hostile(index), service.port);
            scope.spawn(move || {
                for _ in 0..20 {
                    let answer = ask("GET", &format!("worst{index}"), &token, None).send(port);
                    assert_eq!((answer.status, answer.reason()), (403, "condition_false".to_owned()), "{index}");
                }
            });
        }
        for _ in 0..100 {
            assert_eq!(ask("GET", "quick", &alice, None).send(service.port).status, 200);
        }
    });
    crate::support::process::eventually("all lines", || service.decision_lines().len() >= 200);
    let exhausted = "condition: error: it takes too many steps";
    let refused = service.decision_lines().iter().filter(|line| line["detail"] == exhausted).count();
    assert_eq!(refused, 20 * WORST.len());
}
