//! Fetching what strangers name, counted.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::{Fetch, FetchFailure, Fetched};
use crate::domain::Tally;

/// Any guard, watched.
#[derive(Debug)]
pub struct WatchedFetch {
    fetch: Arc<dyn Fetch>,
    outcomes: Arc<Tally<1>>,
}

impl WatchedFetch {
    const OUTCOMES: [&str; 7] = ["fetched", "forbidden", "unreachable", "timed_out", "status", "too_large", "not_json"];

    /// Watches `fetch`.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, outcomes: Arc::new(Tally::of(&Self::OUTCOMES)) }
    }

    /// Fetches by outcome.
    pub const fn outcomes(&self) -> &Arc<Tally<1>> {
        &self.outcomes
    }
}

#[async_trait]
impl Fetch for WatchedFetch {
    async fn fetch(&self, url: &Url, limit: usize) -> Result<Arc<Fetched>, FetchFailure> {
        let result = self.fetch.fetch(url, limit).await;
        self.outcomes.add([match &result {
            Ok(_) => "fetched",
            Err(FetchFailure::Forbidden(_) | FetchFailure::ForbiddenAddress(_)) => "forbidden",
            Err(FetchFailure::Unreachable(_)) => "unreachable",
            Err(FetchFailure::TimedOut) => "timed_out",
            Err(FetchFailure::Status(_)) => "status",
            Err(FetchFailure::TooLarge) => "too_large",
            Err(FetchFailure::NotJson) => "not_json",
        }]);
        result
    }
}
