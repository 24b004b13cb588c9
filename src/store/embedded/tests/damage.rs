//! A file that was damaged on the disk, by cutting it and by changing bits and pages.

use super::disk::Disk;
use crate::store::testing::{at, key, put, run, written};
use crate::store::{EmbeddedStore, OpenError, Outcome, Store as _, Table};

/// Small, and the same sequence in every run.
fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed >> 8).unwrap()
}

const VALUE: [u8; 200] = [b'v'; 200];

fn filled() -> impl Iterator<Item = (Table, String)> {
    (0..240).map(|number| (Table::ALL[number % 12], key(number)))
}

#[tokio::test]
async fn damage_shows_when_the_file_is_opened_and_never_later() {
    let disk = Disk::new();
    let value = std::str::from_utf8(&VALUE).unwrap();
    for part in filled().collect::<Vec<_>>().chunks(40) {
        let steps = part.iter().map(|(table, key)| put(*table, key, value).ends(at(1000)));
        assert_eq!(run(&disk.open().unwrap(), steps, at(0)).await, Outcome::Committed);
    }
    let whole = disk.contents();
    let (mut seed, mut found) = (1, 0);
    for round in 0..600 {
        let mut bytes = whole.clone();
        let place = random(&mut seed) % bytes.len();
        match round % 3 {
            0 => bytes.truncate(place.max(1)),
            1 => bytes[place] ^= 1 << (random(&mut seed) % 8),
            _ => bytes.iter_mut().skip(place).take(4096).for_each(|byte| *byte = !*byte),
        }
        match Disk::holding(bytes).open() {
            Err(OpenError::Damaged { .. }) => found += 1,
            Err(other) => panic!("{other}"),
            // What was hit is used by nobody.
            Ok(store) => all_is_well(&store).await,
        }
    }
    assert!((200..600).contains(&found), "{found}");
}

async fn all_is_well(store: &EmbeddedStore) {
    for (table, key) in filled() {
        assert_eq!(store.get(table, &key, at(1)).await.unwrap().unwrap().value, VALUE);
    }
    written(store, put(Table::Codes, "new", "x")).await;
    assert_eq!(store.purge(at(1000)).await.unwrap(), 240);
    assert_eq!(store.purge(at(1000)).await.unwrap(), 0);
}
