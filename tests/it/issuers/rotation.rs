//! Key rotation while requests come: no token that is good at that moment is refused, and none of a dropped key lives on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{RESOURCE, ask, config, outcome, refreshes, table};
use crate::support::issuer::{KEY_SET, SigningKey, TestIssuer, key_set, now};
use crate::support::process::eventually;
use crate::support::service::Service;
use crate::support::web::Answer;

const CLIENTS: usize = 3;
const ROTATIONS: u32 = 3;

/// What clients do all the time: a token a few times, then a new one. A refusal of any is kept.
struct Traffic<'t> {
    issuer: &'t TestIssuer,
    service: &'t Service,
    signing: Mutex<&'t SigningKey>,
    served: [AtomicUsize; CLIENTS],
    refused: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Traffic<'_> {
    fn token(&self, subject: &str) -> String {
        let key = *self.signing.lock().unwrap();
        let token = self.issuer.token_for(RESOURCE).claim("iat", now()).claim("sub", subject);
        token.parameter("kid", key.kid.clone()).signed_by(key)
    }

    fn client(&self, name: usize) {
        let mut count = 0;
        while !self.stop.load(Ordering::SeqCst) {
            count += 1;
            let token = self.token(&format!("{name}-{count}"));
            let mut allowed = 0;
            while allowed < 3 && !self.stop.load(Ordering::SeqCst) {
                let answer = ask(self.service, &token);
                match answer.status {
                    200 => allowed += 1,
                    503 => std::thread::sleep(std::time::Duration::from_millis(20)),
                    _ => self.refused.lock().unwrap().push(format!("{name}-{count}: {answer:?}")),
                }
                if !matches!(answer.status, 200 | 503) {
                    return;
                }
            }
            self.served[name].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until every client has got through with tokens that it took from now on.
    fn wait_for_more(&self) {
        let served = || self.served.each_ref().map(|count| count.load(Ordering::SeqCst));
        let before = served();
        eventually("the clients get through", || {
            let enough = served().iter().zip(before).all(|(now, before)| *now >= before + 3);
            enough || !self.refused.lock().unwrap().is_empty()
        });
    }
}

#[test]
fn rotation_under_load_refuses_no_good_token_and_every_token_of_a_dropped_key() {
    let keys: Vec<SigningKey> =
        (0..=ROTATIONS).map(|index| SigningKey::generate(&format!("key-{index}"), "ES256")).collect();
    let issuer = TestIssuer::start();
    let publish = |keys: &[&SigningKey]| {
        issuer.web.answer(KEY_SET, Answer::Json(key_set(keys.iter().copied())));
    };
    publish(&[&keys[0]]);
    let service =
        Service::start(&config("[keys]\nrefresh_cooldown = \"1s\"\nrefresh_interval = \"2s\"", &table(&issuer)));
    let traffic = Traffic {
        issuer: &issuer,
        service: &service,
        signing: Mutex::new(&keys[0]),
        served: Default::default(),
        refused: Mutex::default(),
        stop: AtomicBool::new(false),
    };
    let rotate = || {
        for pair in keys.windows(2) {
            let (old, new) = (&pair[0], &pair[1]);
            traffic.wait_for_more();
            let of_the_old_key = issuer.token_for(RESOURCE).parameter("kid", old.kid.clone()).signed_by(old);
            assert_eq!(ask(&service, &of_the_old_key).status, 200);
            publish(&[old, new]);
            *traffic.signing.lock().unwrap() = new;
            traffic.wait_for_more();
            assert_eq!(outcome(&ask(&service, &of_the_old_key)), "200", "its key is still published");
            publish(&[new]);
            eventually("the dropped key is dropped, from the cache too", || {
                outcome(&ask(&service, &of_the_old_key)) == "401 invalid_token"
            });
            let unseen = issuer.token_for(RESOURCE).claim("sub", "unseen").parameter("kid", old.kid.clone());
            assert_eq!(outcome(&ask(&service, &unseen.signed_by(old))), "401 invalid_token");
        }
        traffic.wait_for_more();
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|name| {
                scope.spawn({
                    let traffic = &traffic;
                    move || traffic.client(name)
                })
            })
            .collect();
        // The clients must end whatever happens, or the scope would wait for them for ever.
        let rotated = std::panic::catch_unwind(std::panic::AssertUnwindSafe(rotate));
        traffic.stop.store(true, Ordering::SeqCst);
        for client in clients {
            client.join().unwrap();
        }
        rotated.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let refused = traffic.refused.lock().unwrap();
    assert!(refused.is_empty(), "good tokens were refused: {refused:#?}");
    assert!(refreshes(&service, &issuer) >= f64::from(2 * ROTATIONS));
}
