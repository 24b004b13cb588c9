//! Who a client is, for every way in which one comes to be known; over a store in memory and an internet of our making.

mod assertions;
mod authentication;
mod documents;
mod management;
mod registration;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;

use super::client_settings::{ConfiguredClient, DocumentSettings, RegistrationSettings};
use super::*;
use crate::domain::{SecretHash, UnixTime};
use crate::outbound::{Fetch, FetchFailure, Fetched};
use crate::random::SystemRandom;
use crate::store::{MemoryStore, Outcome, Record, Step, Store, StoreError, Table};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ISSUER: &str = "https://auth.example.com";
const TOKEN_ENDPOINT: &str = "https://auth.example.com/token";
const SECRET: &str = "a secret of the operator, with + and % and : in it";

fn later(seconds: u64) -> UnixTime {
    NOW.plus(Duration::from_secs(seconds))
}

/// What answers at which URL. Whatever is not there is down.
#[derive(Debug, Default)]
struct Internet {
    pages: Mutex<HashMap<String, Result<Fetched, FetchFailure>>>,
    fetches: AtomicUsize,
}

impl Internet {
    fn put(&self, url: &str, body: &Value) {
        self.answer(url, Ok(Fetched { body: body.to_string().into_bytes(), fresh_for: None }));
    }

    fn answer(&self, url: &str, answer: Result<Fetched, FetchFailure>) {
        self.pages.lock().unwrap().insert(url.to_owned(), answer);
    }

    fn take_down(&self, url: &str) {
        self.answer(url, Err(FetchFailure::TimedOut));
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Fetch for Internet {
    async fn fetch(&self, url: &Url, limit: usize) -> Result<Arc<Fetched>, FetchFailure> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let pages = self.pages.lock().unwrap();
        let page = pages.get(url.as_str()).cloned().unwrap_or(Err(FetchFailure::TimedOut))?;
        if page.body.len() > limit { Err(FetchFailure::TooLarge) } else { Ok(Arc::new(page)) }
    }
}

/// A store that can be taken away.
#[derive(Debug, Default)]
struct Losable {
    store: MemoryStore,
    lost: AtomicBool,
}

impl Losable {
    fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    fn there(&self) -> Result<&MemoryStore, StoreError> {
        let lost = self.lost.load(Ordering::SeqCst);
        if lost { Err(StoreError::Unavailable("lost".to_owned())) } else { Ok(&self.store) }
    }
}

#[async_trait]
impl Store for Losable {
    async fn get(&self, table: Table, key: &str, now: UnixTime) -> Result<Option<Record>, StoreError> {
        self.there()?.get(table, key, now).await
    }

    async fn commit(&self, steps: Vec<Step>, now: UnixTime) -> Result<Outcome, StoreError> {
        self.there()?.commit(steps, now).await
    }

    async fn list(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.there()?.list(table, prefix, after, limit, now).await
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        self.there()?.count(table).await
    }

    async fn purge(&self, now: UnixTime) -> Result<u64, StoreError> {
        self.there()?.purge(now).await
    }
}

fn settings() -> ClientSettings {
    ClientSettings {
        issuer: ISSUER.to_owned(),
        token_endpoint: TOKEN_ENDPOINT.to_owned(),
        registration_endpoint: "https://auth.example.com/register".to_owned(),
        custom_schemes: CustomSchemes::default(),
        registration: RegistrationSettings::default(),
        documents: DocumentSettings::default(),
        configured: Vec::new(),
    }
}

/// A client of the operator that proves itself in the given way.
fn configured(id: &str, authentication: ClientAuthentication) -> ConfiguredClient {
    ConfiguredClient {
        id: id.to_owned(),
        name: Some("Nightly job".to_owned()),
        redirect_uris: Vec::new(),
        authentication,
        grant_types: vec![GrantType::ClientCredentials],
        scopes: None,
        resources: vec!["https://mcp.example.com/mcp".to_owned()],
        dpop_bound: false,
        may_introspect: false,
    }
}

fn with_secret(id: &str) -> ConfiguredClient {
    configured(id, ClientAuthentication::Secret { method: SecretMethod::Basic, hash: SecretHash::of(SECRET) })
}

/// Clients of `store` and nothing else.
pub(super) fn clients_of(store: Arc<dyn Store>) -> Clients {
    Clients::new(settings(), store, Arc::new(SystemRandom), Arc::new(Internet::default()))
}

/// Everything around the clients.
struct World {
    clients: Clients,
    store: Arc<Losable>,
    internet: Arc<Internet>,
}

impl World {
    fn new(change: impl FnOnce(&mut ClientSettings)) -> Self {
        let (store, internet) = (Arc::<Losable>::default(), Arc::<Internet>::default());
        let mut settings = settings();
        change(&mut settings);
        let clients = Clients::new(settings, store.clone(), Arc::new(SystemRandom), internet.clone());
        Self { clients, store, internet }
    }

    /// The same state under other settings: a restart.
    fn restarted(&self, change: impl FnOnce(&mut ClientSettings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let (store, internet) = (self.store.clone(), self.internet.clone());
        let clients = Clients::new(settings, store.clone(), Arc::new(SystemRandom), internet.clone());
        Self { clients, store, internet }
    }

    /// Registers, and gives the answer as the client reads it.
    async fn register(&self, body: &Value) -> Result<Value, ErrorCode> {
        let registration = self.clients.register(body.to_string().as_bytes(), NOW).await;
        registration.map(|registration| told(&registration)).map_err(|error| code(&error))
    }

    async fn find(&self, id: &str, now: UnixTime) -> Result<Option<Client>, ErrorCode> {
        self.clients.find(id, now).await.map_err(|error| code(&error))
    }

    /// Sends a form with an `Authorization` header and says whose it was.
    async fn authenticate(&self, form: &str, authorization: Option<&str>) -> Result<String, ErrorCode> {
        let form = Parameters::parse(form.as_bytes()).unwrap();
        let client = self.clients.authenticate(&form, authorization.map(str::as_bytes), NOW).await;
        client.map(|client| client.id).map_err(|error| code(&error))
    }
}

/// The code of an error whose sentence may be sent (RFC 6749 §5.2).
fn code(error: &OAuthError) -> ErrorCode {
    let visible = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    assert!(!error.description.is_empty() && error.description.bytes().all(visible), "{}", error.description);
    error.code
}

/// What a client is told, as JSON; nowhere in it is `null`.
fn told(registration: &Registration) -> Value {
    let told = serde_json::to_value(&registration.information).unwrap();
    assert!(!told.to_string().contains("null"), "{told}");
    told
}

/// `object` with some members replaced; `null` takes one away.
fn changed(object: &Value, changes: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

/// The smallest registration of a native client.
fn native() -> Value {
    json!({ "redirect_uris": ["http://localhost/callback"], "token_endpoint_auth_method": "none" })
}
