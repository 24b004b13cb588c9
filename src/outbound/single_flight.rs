//! One piece of work at a time for each key; who asks meanwhile gets the same result.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

/// Work under way, by key. An entry lives as long as somebody waits for it.
#[derive(Debug)]
pub struct SingleFlight<T> {
    under_way: Mutex<HashMap<String, Weak<OnceCell<T>>>>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Does `work`, or waits for whoever does it already. If that one gives up, the next waiting one takes over.
    pub async fn run(&self, key: &str, work: impl Future<Output = T>) -> T {
        let cell = self.join(key);
        cell.get_or_init(|| work).await.clone()
    }

    fn join(&self, key: &str) -> Arc<OnceCell<T>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = under_way.get(key).and_then(Weak::upgrade) {
            return cell;
        }
        under_way.retain(|_, cell| cell.strong_count() > 0);
        let cell = Arc::default();
        under_way.insert(key.to_owned(), Arc::downgrade(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_meanwhile_gets_the_same_result() {
        let (flights, runs, go) = (SingleFlight::default(), AtomicUsize::new(0), Notify::new());
        let work = || async {
            go.notified().await;
            runs.fetch_add(1, Ordering::Relaxed)
        };
        let both = async { tokio::join!(flights.run("a", work()), flights.run("a", work())) };
        let (results, ()) = tokio::join!(both, async { go.notify_one() });
        assert_eq!(results, (0, 0));
        go.notify_one();
        assert_eq!(flights.run("a", work()).await, 1);
        assert_eq!(flights.under_way.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn when_the_one_at_work_gives_up_the_next_takes_over() {
        let flights = SingleFlight::default();
        let mut first = Box::pin(flights.run("a", std::future::pending()));
        let mut second = Box::pin(flights.run("a", async { 2 }));
        tokio::select! {
            biased;
            _ = &mut first => unreachable!(),
            _ = &mut second => unreachable!(),
            () = std::future::ready(()) => {}
        }
        drop(first);
        assert_eq!(second.await, 2);
    }
}
