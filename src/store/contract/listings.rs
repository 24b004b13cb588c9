//! Listings by prefix.

use std::sync::Arc;

use crate::store::testing::{at, key, keys, put, written};
use crate::store::{Store, Table};

const CODES: Table = Table::Codes;
const GRANTS: Table = Table::Grants;

pub(super) async fn a_listing_is_by_prefix_in_order_and_in_pages(store: Arc<dyn Store>) {
    let names = ["person", "person/", "person/a/1", "person/a/2", "person/ab/1", "person/b/1", "person0", "q"];
    for name in names.iter().rev() {
        written(&*store, put(CODES, name, name)).await;
    }
    written(&*store, put(GRANTS, "person/a/3", "x")).await;
    assert_eq!(keys(&*store, CODES, "", at(1)).await, names);
    assert_eq!(keys(&*store, CODES, "person/a/", at(1)).await, ["person/a/1", "person/a/2"]);
    assert_eq!(keys(&*store, CODES, "person/", at(1)).await, names[1..6]);
    assert_eq!(keys(&*store, CODES, "nobody", at(1)).await, [""; 0]);
    let page = |after, limit| store.list(CODES, "person/", after, limit, at(1));
    let first = page(None, 2).await.unwrap();
    assert_eq!(first.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), names[1..3]);
    assert!(first.iter().all(|(key, record)| record.value == key.as_bytes()));
    let pages = [(Some("person/a/1"), 2, &names[3..5]), (Some("person/ab/1"), 9, &names[5..6])];
    for (after, limit, expected) in pages {
        let page: Vec<_> = page(after, limit).await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(page, expected, "after {after:?}");
    }
    assert_eq!(page(None, 0).await.unwrap(), []);
    assert_eq!(page(Some("person/b/1"), 9).await.unwrap(), []);
    assert_eq!(page(Some("zzz"), 9).await.unwrap(), []);
    assert_eq!(page(Some("a key before the prefix"), 9).await.unwrap().len(), 5);
    assert_eq!(page(Some("person/a/15"), 1).await.unwrap()[0].0, "person/a/2", "the key need not be there");
}

pub(super) async fn a_listing_skips_what_has_expired_without_counting_it(store: Arc<dyn Store>) {
    for number in 0..10 {
        let step = put(CODES, &key(number), "x");
        written(&*store, if number % 2 == 0 { step.ends(at(100)) } else { step }).await;
    }
    let listed = store.list(CODES, "", None, 3, at(100)).await.unwrap();
    assert_eq!(listed.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [1, 3, 5].map(key));
    assert_eq!(store.list(CODES, "", None, 99, at(99)).await.unwrap().len(), 10);
}

pub(super) async fn keys_are_any_text_and_order_is_that_of_their_bytes(store: Arc<dyn Store>) {
    let names = [
        "",
        "\0",
        "\0\0",
        "a",
        "a\0",
        "a\0b",
        "a/",
        "a/b",
        "a\u{7f}",
        "a\u{ff}",
        "a\u{10ffff}",
        "a\u{10ffff}\u{10ffff}",
        "b",
        "é",
        "\u{65e5}\u{672c}",
        "\u{1f511}",
        "\u{10ffff}",
        "\u{10ffff}z",
    ];
    assert!(names.is_sorted(), "the table above is in order");
    for (number, name) in (100..).zip(names) {
        written(&*store, put(CODES, name, name).ends(at(number))).await;
    }
    assert_eq!(keys(&*store, CODES, "", at(1)).await, names);
    assert_eq!(keys(&*store, CODES, "a", at(1)).await, names[3..12]);
    assert_eq!(keys(&*store, CODES, "a\u{10ffff}", at(1)).await, names[10..12]);
    assert_eq!(keys(&*store, CODES, "\u{10ffff}", at(1)).await, names[16..]);
    assert_eq!(keys(&*store, CODES, "\0", at(1)).await, names[1..3]);
    for name in names {
        assert_eq!(store.get(CODES, name, at(1)).await.unwrap().unwrap().value, name.as_bytes());
    }
    assert_eq!(store.purge(at(109)).await.unwrap(), 10);
    assert_eq!(keys(&*store, CODES, "", at(1)).await, names[10..]);
}
