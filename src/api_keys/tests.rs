//! Keys over a real store, with a clock that is set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{ApiKeyError, Created, KeyState, KeyView, Lifetime, Parts, Registry, Wanted};
use crate::authn::{Authentication, Authenticator, Credential, Identity, TokenFault};
use crate::authz::PolicySet;
use crate::authz::policy::{Policy, RequiredScope};
use crate::clock::Clock;
use crate::domain::{Issuer, Occurrence, Scope, ScopeSet, UnixTime};
use crate::random::SystemRandom;
use crate::store::{MemoryStore, Store, Table};

pub(super) const RESOURCE: &str = "https://mcp.example.com/mcp";
pub(super) const DAY: u64 = 86_400;

struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::Relaxed))
    }
}

fn policy(url: &str, allow_api_keys: bool) -> Policy {
    let read = Scope::parse("mcp:read").unwrap();
    Policy {
        allow_api_keys,
        required_scopes: vec![RequiredScope { satisfied_by: vec![read.clone()], scope: read }],
        ..Policy::for_test(url)
    }
}

/// Requires two scopes, of which a broader one satisfies either.
fn strict(url: &str) -> Policy {
    let by_admin = |name: &str| {
        let scope = Scope::parse(name).unwrap();
        RequiredScope { satisfied_by: vec![scope.clone(), Scope::parse("mcp:admin").unwrap()], scope }
    };
    Policy { required_scopes: vec![by_admin("mcp:read"), by_admin("mcp:write")], ..policy(url, true) }
}

pub(super) struct World {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
    longest: Option<Duration>,
    pub(super) keys: Registry,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::with_longest(Some(Duration::from_secs(365 * DAY))).await
    }

    pub(super) async fn with_longest(longest: Option<Duration>) -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(TestClock(AtomicU64::new(1_000_000))));
        let keys = open(&store, &clock, longest).await;
        Self { store, clock, longest, keys }
    }

    /// As after a restart: nothing is known but what was stored.
    async fn again(self) -> Self {
        let keys = open(&self.store, &self.clock, self.longest).await;
        Self { keys, ..self }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(super) async fn make(&self, name: &str) -> Created {
        self.keys.create(wanted(name)).await.unwrap()
    }

    pub(super) async fn refused(&self, wanted: Wanted) -> String {
        self.keys.create(wanted).await.unwrap_err().to_string()
    }

    pub(super) fn ask(&self, created: &Created) -> Result<Arc<Identity>, TokenFault> {
        let keys = Arc::clone(self.keys.known());
        let authenticator = Authenticator::new(Vec::new(), Duration::ZERO, 0).with_api_keys(keys);
        let header = format!("Bearer {}", created.key.expose());
        let credential = Credential::from_authorization(Occurrence::Once(header.as_bytes()));
        match authenticator.authenticate(credential, self.clock.now()) {
            Authentication::Verified(identity) => Ok(identity),
            Authentication::Rejected(fault) => Err(fault),
            Authentication::Anonymous | Authentication::Undecidable { .. } | Authentication::NotIntrospected { .. } => {
                panic!("a key is known or it is not")
            }
        }
    }

    async fn listed(&self) -> Vec<KeyView> {
        self.keys.list(None, 100).await.unwrap().keys
    }
}

async fn open(store: &Arc<MemoryStore>, clock: &Arc<TestClock>, max_lifetime: Option<Duration>) -> Registry {
    let policies = [
        policy(RESOURCE, true),
        policy("https://mcp.example.com/other", true),
        strict("https://mcp.example.com/strict"),
        policy("https://mcp.example.com/people", false),
        policy("https://*.tenants.example.com/mcp", true),
    ];
    let parts = Parts {
        store: store.clone(),
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        policies: PolicySet::new(policies.into(), None),
        max_lifetime,
        issuer: Issuer::of_api_keys(),
    };
    Registry::open(parts).await.unwrap()
}

pub(super) fn wanted(name: &str) -> Wanted {
    Wanted {
        name: name.into(),
        resources: vec![RESOURCE.into()],
        scopes: vec!["mcp:read".into()],
        groups: vec!["robots".into()],
        lifetime: Lifetime::Default,
    }
}

#[tokio::test]
async fn a_key_is_good_from_its_making_to_its_end_also_after_a_restart() {
    let world = World::start().await;
    let key = world.make("backup").await;
    let holder = world.ask(&key).unwrap();
    assert_eq!((holder.client(), holder.audiences()), (Some("api-key:backup"), [RESOURCE.to_owned()].as_slice()));
    assert_eq!((holder.scopes().to_string(), holder.groups()), ("mcp:read".into(), ["robots".to_owned()].as_slice()));
    let world = world.again().await;
    world.pass(90 * DAY - 1);
    assert!(world.ask(&key).is_ok());
    world.pass(1);
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Expired);
    let world = world.again().await;
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Expired, "it is remembered for a while");
    assert_eq!(world.listed().await[0].state, KeyState::Expired);
    world.pass(7 * DAY);
    world.keys.load().await.unwrap();
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::UnknownApiKey);
    assert!(world.listed().await.is_empty());
    while world.store.purge(world.clock.now()).await.unwrap() > 0 {}
    assert_eq!(world.store.count(Table::ApiKeys).await.unwrap(), 0, "nothing is left behind");
}

#[tokio::test]
async fn a_revoked_key_stays_refused_whatever_is_read_anew() {
    let world = World::start().await;
    let (key, other) = (world.make("backup").await, world.make("other").await);
    assert!(world.ask(&key).is_ok());
    assert_eq!(world.keys.revoke("backup").await.unwrap(), (key.id.clone(), "backup".to_owned()));
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Revoked);
    world.keys.write_last_uses().await.unwrap();
    world.keys.load().await.unwrap();
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Revoked);
    let world = world.again().await;
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Revoked);
    assert!(world.ask(&other).is_ok());
    for gone in ["backup", key.id.as_str(), "nobody", "", "../other"] {
        let error = world.keys.revoke(gone).await.unwrap_err();
        assert!(matches!(error, ApiKeyError::Unknown(_)), "{gone}: {error}");
    }
    let last = world.make("last").await;
    assert_eq!(world.keys.revoke(last.key.expose()).await.unwrap().1, "last", "a key that was found");
    let told = world.keys.revoke(last.key.expose()).await.unwrap_err().to_string();
    assert_eq!(told, "this is no living key of this service");
    assert_eq!(world.ask(&last).unwrap_err(), TokenFault::Revoked);
    assert_eq!(world.keys.revoke(&other.id).await.unwrap().1, "other");
    assert_eq!(world.ask(&other).unwrap_err(), TokenFault::Revoked);
}

#[tokio::test]
async fn a_name_is_free_again_when_its_key_is_dead() {
    let world = World::start().await;
    let first = world.make("backup").await;
    assert!(world.refused(wanted("backup")).await.starts_with("a living key is called backup"));
    world.keys.revoke("backup").await.unwrap();
    let second = world.make("backup").await;
    assert!(world.ask(&first).is_err() && world.ask(&second).is_ok());
    world.pass(90 * DAY);
    let third = world.make("backup").await;
    assert!(world.ask(&second).is_err() && world.ask(&third).is_ok());
    assert!(matches!(world.keys.revoke(&second.id).await, Err(ApiKeyError::Unknown(_))), "it is dead already");
    assert!(world.ask(&third).is_ok());
}

#[tokio::test]
async fn what_would_be_of_no_use_is_refused_with_the_reason() {
    let world = World::start().await;
    let resources =
        |uris: &[&str]| Wanted { resources: uris.iter().map(|uri| (*uri).to_owned()).collect(), ..wanted("backup") };
    let scopes = |scope: &str| Wanted { scopes: vec![scope.into()], ..wanted("backup") };
    let groups = |group: &str| Wanted { groups: vec![group.into()], ..wanted("backup") };
    let living = |seconds| Wanted { lifetime: Lifetime::For(Duration::from_secs(seconds)), ..wanted("backup") };
    let people = "https://mcp.example.com/people";
    let table: Vec<(Wanted, &str)> = vec![
        (wanted("Backup"), "the name must be"),
        (wanted(""), "the name must be"),
        (wanted("api-key:x"), "the name must be"),
        (resources(&[]), "name 1 to 50 resources"),
        (resources(&[RESOURCE; 51]), "name 1 to 50 resources"),
        (resources(&["https://elsewhere.example.com/mcp"]), "\"https://elsewhere.example.com/mcp\" is no resource"),
        (resources(&["https://mcp.example.com/"]), "\"https://mcp.example.com/\" is no resource"),
        (resources(&["https://mcp.example.com/mcp/deeper"]), "\"https://mcp.example.com/mcp/deeper\" is no"),
        (resources(&["https://*.tenants.example.com/mcp"]), "\"https://*.tenants.example.com/mcp\" is no resource"),
        (resources(&["http://mcp.example.com/mcp"]), "\"http://mcp.example.com/mcp\" is no resource"),
        (resources(&["mcp"]), "\"mcp\" is no resource"),
        (resources(&[RESOURCE, people]), "https://mcp.example.com/people does not admit API keys; set allow_api_keys"),
        (scopes("a b"), "\"a b\" is no scope"),
        (scopes(""), "\"\" is no scope"),
        (groups("a\nb"), "\"a\\nb\" is no group"),
        (groups(""), "\"\" is no group"),
        (living(0), "a key that lives no time"),
        (living(366 * DAY), "a key may live 365d at most"),
        (Wanted { lifetime: Lifetime::Unlimited, ..wanted("backup") }, "a key may live 365d at most"),
    ];
    for (wanted, why) in table {
        let said = world.refused(wanted.clone()).await;
        assert!(said.starts_with(why), "{wanted:?}: {said}");
    }
    assert!(world.listed().await.is_empty());
    assert_eq!(world.keys.known().known(), 0);
}

#[tokio::test]
async fn a_key_may_be_for_one_host_of_many_and_is_told_what_it_lacks() {
    let world = World::start().await;
    let uri = "https://one.tenants.example.com/mcp";
    let wanted = Wanted { resources: vec![uri.into(), format!("{uri}/")], scopes: Vec::new(), ..wanted("backup") };
    let key = world.keys.create(wanted).await.unwrap();
    assert_eq!(world.ask(&key).unwrap().audiences(), [uri]);
    assert_eq!(key.warnings, [format!("{uri} requires the scope mcp:read, so it will refuse this key")]);
}

#[tokio::test]
async fn only_where_it_is_allowed_a_key_never_ends() {
    let world = World::with_longest(None).await;
    let key = world.keys.create(Wanted { lifetime: Lifetime::Unlimited, ..wanted("backup") }).await.unwrap();
    assert_eq!(key.expires_at, None);
    world.pass(1000 * 365 * DAY);
    let world = world.again().await;
    assert!(world.ask(&key).is_ok());
    assert_eq!((world.listed().await[0].state, world.listed().await[0].expires), (KeyState::Living, None));
    world.keys.revoke("backup").await.unwrap();
    assert_eq!(world.ask(&key).unwrap_err(), TokenFault::Revoked);
    let world = World::with_longest(Some(Duration::from_secs(DAY))).await;
    let key = world.make("short").await;
    assert_eq!(key.expires_at, Some(world.clock.now().plus(Duration::from_secs(DAY))));
}

#[tokio::test]
async fn the_last_use_is_written_in_batches_and_survives() {
    let world = World::start().await;
    let (used, unused) = (world.make("used").await, world.make("unused").await);
    world.ask(&used).unwrap();
    let minute = UnixTime::from_secs(1_000_000 / 60 * 60);
    let last = |keys: Vec<KeyView>, id: &str| keys.into_iter().find(|key| key.id == id).unwrap().last_used;
    assert_eq!(last(world.listed().await, &used.id), Some(minute), "it is seen before it is written");
    let world = world.again().await;
    assert_eq!(last(world.listed().await, &used.id), None, "a crash loses what was not written");
    world.ask(&used).unwrap();
    world.keys.write_last_uses().await.unwrap();
    let written = world.store.get(Table::ApiKeys, &format!("used/{}", used.id), world.clock.now()).await.unwrap();
    world.keys.write_last_uses().await.unwrap();
    let again = world.store.get(Table::ApiKeys, &format!("used/{}", used.id), world.clock.now()).await.unwrap();
    assert_eq!(written, again, "nothing new, nothing written");
    let world = world.again().await;
    assert_eq!(last(world.listed().await, &used.id), Some(minute));
    assert_eq!(last(world.listed().await, &unused.id), None);
}

#[tokio::test]
async fn the_store_holds_no_key_and_pages_hold_every_key_once() {
    let world = World::start().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(world.make(&format!("job-{number}")).await);
    }
    for (key, record) in world.store.list(Table::ApiKeys, "", None, 1000, world.clock.now()).await.unwrap() {
        let text = format!("{key} {}", String::from_utf8(record.value).unwrap());
        assert!(
            !text.contains("mfa_") && made.iter().all(|made| !text.contains(made.key.expose().get(4..40).unwrap())),
            "{text}"
        );
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = world.keys.list(after.as_deref(), 3).await.unwrap();
        names.extend(page.keys.into_iter().map(|key| key.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, (0..7).map(|number| format!("job-{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn keys_are_bounded_in_number() {
    let world = World::start().await;
    let facts = |number: usize| crate::authn::ApiKeyFacts {
        id: format!("K{number}"),
        hash: crate::domain::SecretHash::of(&number.to_string()),
        name: format!("k{number}"),
        resources: Vec::new(),
        scopes: ScopeSet::default(),
        groups: Vec::new(),
        expires_at: UnixTime::from_secs(u64::MAX),
        revoked: false,
        last_used: None,
    };
    world.keys.known().replace((0..Registry::MOST_KEYS).map(facts));
    assert!(world.refused(wanted("one-more")).await.starts_with("10000 keys are remembered"));
}

/// What was read before a revocation must not come into memory after it.
#[test]
fn no_reading_at_the_same_time_brings_a_revoked_key_back() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = runtime().block_on(World::start());
    let keys: Vec<Created> =
        runtime().block_on(async { made_of(&world, (0..50).map(|number| format!("job-{number}"))).await });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    runtime().block_on(world.keys.load()).unwrap();
                }
            });
        }
        for key in &keys {
            runtime().block_on(world.keys.revoke(&key.name)).unwrap();
            for _ in 0..100 {
                let fault = world.ask(key).err();
                if fault != Some(TokenFault::Revoked) {
                    done.store(true, Ordering::Relaxed);
                    panic!("{fault:?}");
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(keys.iter().all(|key| world.ask(key).is_err()));
}

async fn made_of(world: &World, names: impl Iterator<Item = String>) -> Vec<Created> {
    let mut made = Vec::new();
    for name in names {
        made.push(world.make(&name).await);
    }
    made
}
