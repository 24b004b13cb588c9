//! Where the authorization server's state lives, and the keys that seal what is secret in it.

use std::path::PathBuf;
use std::sync::Arc;

use super::StartError;
use crate::config::{AuthorizationServerConfig, Config};
use crate::domain::opaque;
use crate::oauth::KeyError;
use crate::oauth::key_ring::BrokenKey;
use crate::random::Random;
use crate::store::{MasterKey, Mistake, Sealer, Store, StoreUrl, Table};

/// The store, open, and what seals in it.
pub(super) struct State {
    pub(super) store: Arc<dyn Store>,
    pub(super) sealer: Arc<Sealer>,
    url: StoreUrl,
    key: KeySource,
}

/// The store, where anything is stored: there is one, whoever needs it.
pub(super) fn open_store(config: &Config) -> Result<Option<Arc<dyn Store>>, StartError> {
    let open = crate::store::open;
    let opened = config.store_url.as_ref().map(open).transpose();
    opened.map_err(|error| StartError::Unusable(format!("store.url: {error}")))
}

/// Where the present master key comes from.
enum KeySource {
    /// `authorization_server.encryption_key`
    Operator,
    /// The file beside the store.
    File(PathBuf),
    /// Nowhere: what is forgotten at the end needs no key that survives it.
    Nowhere,
}

const START_ANEW: &str = "if it is lost, move the store away to start anew: then everybody signs in again";

impl State {
    pub(super) async fn open(
        config: &Config,
        own: &AuthorizationServerConfig,
        store: Option<&Arc<dyn Store>>,
        random: &Arc<dyn Random>,
    ) -> Result<Self, StartError> {
        let (Some(url), Some(store)) = (config.store_url.clone(), store.map(Arc::clone)) else {
            return Err(StartError::Unusable("store.url: it is missing".into()));
        };
        let keys = &own.encryption_keys;
        let source = match (&keys.current, url.to_string().strip_prefix("file:")) {
            (Some(_), _) => KeySource::Operator,
            (None, Some(path)) => KeySource::File(PathBuf::from(format!("{path}.key"))),
            (None, None) => KeySource::Nowhere,
        };
        let current = match &keys.current {
            Some(key) => key.clone(),
            None => made(&source, &url, &*store, &**random).await?,
        };
        let sealer = Arc::new(Sealer::new(current, keys.older.clone(), Arc::clone(random)));
        Ok(Self { store, sealer, url, key: source })
    }

    /// Why the authorization server does not start with this state. A wrong key is the operator's to put right.
    pub(super) fn explain(&self, error: &KeyError) -> StartError {
        let place = match &self.key {
            KeySource::Operator => "authorization_server.encryption_key".to_owned(),
            KeySource::File(path) => path.display().to_string(),
            KeySource::Nowhere => return StartError::Unusable(error.to_string()),
        };
        let is_wrong_key = matches!(error, KeyError::Broken(BrokenKey::Sealed(_)));
        StartError::Unusable(if is_wrong_key {
            format!(
                "{place}: this is not the key that {} was sealed with; give that key here or among \
                 authorization_server.older_encryption_key_files; {START_ANEW}",
                self.url
            )
        } else {
            error.to_string()
        })
    }
}

/// The key that the first start makes. Where something is sealed already, a new one would open nothing of it.
async fn made(
    source: &KeySource,
    url: &StoreUrl,
    store: &dyn Store,
    random: &dyn Random,
) -> Result<MasterKey, StartError> {
    let KeySource::File(path) = source else {
        let key = opaque::new_hex_key(random).map_err(|error| StartError::Unusable(error.to_string()))?;
        return MasterKey::parse(key.expose()).map_err(|mistake| StartError::Unusable(mistake.to_string()));
    };
    let place = path.display();
    let wrong = |mistake: Mistake| StartError::Unusable(format!("{place}: {mistake}"));
    if let Some(key) = MasterKey::read(path).map_err(wrong)? {
        return Ok(key);
    }
    let sealed = store.count(Table::SigningKeys).await.map_err(|error| StartError::Unusable(error.to_string()))?;
    if sealed > 0 {
        return Err(StartError::Unusable(format!(
            "{place}: the file is gone, and it holds the key that {url} was sealed with; put it back from a backup, or \
             name the key in authorization_server.encryption_key_file; {START_ANEW}"
        )));
    }
    MasterKey::read_or_make(path, random).map_err(wrong)
}
