//! The power goes at every single operation of the disk, and what was written since the last sync arrives in part.

use super::disk::Disk;
use crate::store::testing::{at, delete, key, keys, put};
use crate::store::{EmbeddedStore, Outcome, Store as _, Table};

const TABLES: [Table; 3] = [Table::Codes, Table::Grants, Table::RefreshTokens];
const KEPT: u64 = 4;

/// Transaction `number` writes to three tables what only belongs together, and removes an old one.
async fn transact(store: &EmbeddedStore, number: u64) -> bool {
    let mut steps: Vec<_> = TABLES.map(|table| put(table, &key(number), &number.to_string()).ends(at(1000))).into();
    if let Some(old) = number.checked_sub(KEPT) {
        steps.extend(TABLES.map(|table| delete(table, &key(old))));
    }
    matches!(store.commit(steps, at(1)).await, Ok(Outcome::Committed))
}

/// Does ten transactions until the power goes. Says how many were acknowledged.
async fn work_until_the_power_goes(disk: &std::sync::Arc<Disk>) -> u64 {
    let Ok(store) = disk.open() else { return 0 };
    for number in 0..10 {
        if !transact(&store, number).await {
            return number;
        }
    }
    10
}

#[tokio::test]
async fn whenever_the_power_goes_what_was_acknowledged_is_there_and_nothing_is_half_written() {
    let operations = {
        let disk = Disk::new();
        assert_eq!(work_until_the_power_goes(&disk).await, 10);
        disk.operations()
    };
    let mut died = 0;
    for dies_at in 1..=operations {
        let disk = Disk::new();
        disk.dies_at(dies_at);
        let acknowledged = work_until_the_power_goes(&disk).await;
        let Some(left) = disk.left() else { continue };
        died += 1;
        let store = Disk::holding(left).open().unwrap_or_else(|error| panic!("power went at {dies_at}: {error}"));
        let there = keys(&store, Table::Codes, "", at(1)).await;
        let next = there.last().map_or(0, |last| last.parse::<u64>().unwrap() + 1);
        assert!((acknowledged..=acknowledged + 1).contains(&next), "{dies_at}: {acknowledged} became {next}");
        let expected: Vec<_> = (next.saturating_sub(KEPT)..next).map(key).collect();
        for table in TABLES {
            assert_eq!(keys(&store, table, "", at(1)).await, expected, "power went at {dies_at}");
        }
        assert!(transact(&store, next).await);
        assert_eq!(store.purge(at(1000)).await.unwrap(), 3 * (next + 1).min(KEPT), "the expiry index fits");
    }
    assert!(died > 100, "{died} of {operations}");
}
