//! A document of a provider: fetched when it is first needed, kept, and refreshed. The service starts while the provider
//! is down, and an outage leaves the last good document in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, MutexGuard};

use crate::domain::UnixTime;
use crate::idp::IdpError;

/// A document and the last failure to get it. One fetch at a time, whoever asks.
#[derive(Debug)]
pub(super) struct Cached<T> {
    current: ArcSwapOption<Kept<T>>,
    last_failure: Mutex<Option<(UnixTime, IdpError)>>,
    /// Counts the fetches that came to an end, well or not.
    finished: AtomicU64,
}

/// A document and when it was fetched.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub(super) value: T,
    fetched_at: UnixTime,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { current: ArcSwapOption::empty(), last_failure: Mutex::new(None), finished: AtomicU64::new(0) }
    }
}

impl<T> Cached<T> {
    /// After this long a new copy is fetched.
    const MAX_AGE: Duration = Duration::from_secs(60 * 60);
    /// After a failure nobody tries again for this long.
    const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(2);
    /// Newer copies are not asked for more often than this.
    const COOL_DOWN: Duration = Duration::from_secs(10);

    /// The document, fetched if there is none or the one there is has become old.
    pub(super) async fn get(
        &self,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, IdpError>>,
    ) -> Result<Arc<Kept<T>>, IdpError> {
        let known = self.current.load_full();
        if let Some(fresh) = known.as_ref().filter(|kept| !kept.is_old(now)) {
            return Ok(Arc::clone(fresh));
        }
        let finished = self.finished();
        let mut last_failure = match self.turn(known.as_ref()).await {
            Ok(turn) => turn,
            Err(old) => return Ok(old),
        };
        if let Some(fresh) = self.current.load_full().filter(|kept| !kept.is_old(now)) {
            return Ok(fresh);
        }
        match &*last_failure {
            // Whoever waited while somebody else's fetch failed shares that outcome: in an outage a queue would grow.
            Some((at, error)) if self.finished() != finished || now.since(*at) < Self::PAUSE_AFTER_FAILURE => {
                known.ok_or_else(|| error.clone())
            }
            _ => match self.refresh(&mut last_failure, now, fetch).await {
                Ok(kept) => Ok(kept),
                Err(error) => known.ok_or(error),
            },
        }
    }

    /// A copy that is newer than `known`; `None` when one was fetched too short a while ago.
    pub(super) async fn newer_than(
        &self,
        known: &Arc<Kept<T>>,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, IdpError>>,
    ) -> Result<Option<Arc<Kept<T>>>, IdpError> {
        let finished = self.finished();
        let mut last_failure = self.last_failure.lock().await;
        match (self.current.load_full(), &*last_failure) {
            (Some(kept), _) if !Arc::ptr_eq(&kept, known) => Ok(Some(kept)),
            (Some(kept), _) if now.since(kept.fetched_at) < Self::COOL_DOWN => Ok(None),
            (_, Some((_, error))) if self.finished() != finished => Err(error.clone()),
            _ => self.refresh(&mut last_failure, now, fetch).await.map(Some),
        }
    }

    fn finished(&self) -> u64 {
        self.finished.load(Ordering::Acquire)
    }

    /// Waits for the right to fetch; whoever has an old copy uses it instead of waiting.
    async fn turn<'a>(
        &'a self,
        old: Option<&Arc<Kept<T>>>,
    ) -> Result<MutexGuard<'a, Option<(UnixTime, IdpError)>>, Arc<Kept<T>>> {
        match old {
            None => Ok(self.last_failure.lock().await),
            Some(old) => self.last_failure.try_lock().map_err(|_| Arc::clone(old)),
        }
    }

    async fn refresh(
        &self,
        last_failure: &mut Option<(UnixTime, IdpError)>,
        now: UnixTime,
        fetch: impl Future<Output = Result<T, IdpError>>,
    ) -> Result<Arc<Kept<T>>, IdpError> {
        let fetched = fetch.await;
        self.finished.fetch_add(1, Ordering::AcqRel);
        match fetched {
            Ok(value) => {
                let kept = Arc::new(Kept { value, fetched_at: now });
                self.current.store(Some(Arc::clone(&kept)));
                *last_failure = None;
                Ok(kept)
            }
            Err(error) => {
                tracing::warn!(%error, "a document of the identity provider could not be fetched");
                *last_failure = Some((now, error.clone()));
                Err(error)
            }
        }
    }
}

impl<T> Kept<T> {
    fn is_old(&self, now: UnixTime) -> bool {
        now.since(self.fetched_at) >= Cached::<T>::MAX_AGE
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, poll_fn, ready};

    use super::*;

    const fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn ok(value: u32) -> Ready<Result<u32, IdpError>> {
        ready(Ok(value))
    }

    fn down() -> Ready<Result<u32, IdpError>> {
        ready(Err(IdpError::Unavailable("down".into())))
    }

    /// Panics when somebody waits for it.
    fn never() -> impl Future<Output = Result<u32, IdpError>> {
        poll_fn(|_| panic!("nothing should be fetched"))
    }

    #[tokio::test]
    async fn is_fetched_once_and_again_when_old() {
        let cached = Cached::default();
        assert_eq!(cached.get(at(0), ok(1)).await.unwrap().value, 1);
        assert_eq!(cached.get(at(3599), never()).await.unwrap().value, 1);
        assert_eq!(cached.get(at(3600), ok(2)).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn an_outage_leaves_the_last_good_copy_in_use() {
        let cached = Cached::default();
        assert!(cached.get(at(0), down()).await.is_err());
        assert!(cached.get(at(1), never()).await.is_err(), "the failure is shared for a moment");
        assert_eq!(cached.get(at(2), ok(1)).await.unwrap().value, 1);
        assert_eq!(cached.get(at(4000), down()).await.unwrap().value, 1);
        assert_eq!(cached.get(at(4001), never()).await.unwrap().value, 1);
        assert_eq!(cached.get(at(4002), ok(2)).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn who_waits_for_a_fetch_shares_its_outcome_however_long_it_took() {
        let cached = Cached::default();
        let slow = async {
            tokio::task::yield_now().await;
            down().await
        };
        let (first, second) = tokio::join!(cached.get(at(0), slow), cached.get(at(9), never()));
        assert!(first.is_err() && second.is_err());
        let known = cached.get(at(20), ok(1)).await.unwrap();
        let slow = async {
            tokio::task::yield_now().await;
            down().await
        };
        let (first, second) =
            tokio::join!(cached.newer_than(&known, at(40), slow), cached.newer_than(&known, at(49), never()));
        assert!(first.is_err() && second.is_err());
    }

    #[tokio::test]
    async fn newer_copies_are_asked_for_once_per_cool_down() {
        let cached = Cached::default();
        let first = cached.get(at(0), ok(1)).await.unwrap();
        assert!(cached.newer_than(&first, at(9), never()).await.unwrap().is_none());
        let second = cached.newer_than(&first, at(10), ok(2)).await.unwrap().unwrap();
        assert_eq!(second.value, 2);
        assert_eq!(cached.newer_than(&first, at(11), never()).await.unwrap().unwrap().value, 2, "somebody else did");
        assert!(cached.newer_than(&second, at(11), never()).await.unwrap().is_none());
    }
}
