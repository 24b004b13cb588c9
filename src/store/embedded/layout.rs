//! How records lie in the file. Our own bytes, so that the file depends on nothing but the engine's tables of bytes.
//!
//! A record is `version (8) | ends? (1) | end (8) | value`; the expiry index holds `end (8) | table | NUL | key`, so that
//! what ends first comes first. Numbers are big-endian.

use redb::TableDefinition;

use crate::domain::UnixTime;
use crate::store::{Record, Table};

/// The layout that this version writes.
pub(super) const LAYOUT: u64 = 1;

/// Numbers about the file: [`LAYOUT_KEY`] and [`VERSION_KEY`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The layout of the file.
pub(super) const LAYOUT_KEY: &str = "layout";
/// The version of the latest transaction; never goes back.
pub(super) const VERSION_KEY: &str = "version";

/// Every record that ends, by its end.
pub(super) const EXPIRIES: TableDefinition<'_, &[u8], ()> = TableDefinition::new("expiries");

/// The records of one table, by key.
pub(super) const fn records(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table.as_str())
}

/// What a record says besides its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u64,
    pub(super) expires_at: Option<UnixTime>,
}

const HEAD_LENGTH: usize = 17;

pub(super) fn encode(head: Head, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_LENGTH + value.len());
    bytes.extend(head.version.to_be_bytes());
    bytes.push(head.expires_at.is_some().into());
    bytes.extend(head.expires_at.map_or(0, UnixTime::as_secs).to_be_bytes());
    bytes.extend(value);
    bytes
}

/// The head of a record and its value; `None` for what [`encode`] cannot have written.
pub(super) fn decode(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (version, rest) = bytes.split_first_chunk()?;
    let (&[ends], rest) = rest.split_first_chunk()?;
    let (end, value) = rest.split_first_chunk()?;
    let end = u64::from_be_bytes(*end);
    let expires_at = match (ends, end) {
        (0, 0) => None,
        (1, end) => Some(UnixTime::from_secs(end)),
        _ => return None,
    };
    Some((Head { version: u64::from_be_bytes(*version), expires_at }, value))
}

/// A whole record.
pub(super) fn record(bytes: &[u8]) -> Option<Record> {
    let (head, value) = decode(bytes)?;
    Some(Record { value: value.to_vec(), version: head.version, expires_at: head.expires_at })
}

/// The place of a record in the expiry index.
pub(super) fn expiry(end: UnixTime, table: Table, key: &str) -> Vec<u8> {
    let mut bytes = end.as_secs().to_be_bytes().to_vec();
    bytes.extend(table.as_str().as_bytes());
    bytes.push(0);
    bytes.extend(key.as_bytes());
    bytes
}

/// The record that an entry of the expiry index is about.
pub(super) fn expiring(bytes: &[u8]) -> Option<(Table, &str)> {
    let (_, rest) = bytes.split_first_chunk::<8>()?;
    let (name, key) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
    Table::ALL.into_iter().find(|table| table.as_str() == name).map(|table| (table, key))
}

/// Entries of the expiry index below this one have ended at `now`; `None` when all have.
pub(super) fn first_that_lives(now: UnixTime) -> Option<[u8; 8]> {
    now.as_secs().checked_add(1).map(u64::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_written() {
        for expires_at in [None, Some(0), Some(1), Some(u64::MAX)] {
            let head = Head { version: u64::MAX - 1, expires_at: expires_at.map(UnixTime::from_secs) };
            for value in [b"".as_slice(), b"\0", b"{}"] {
                assert_eq!(decode(&encode(head, value)), Some((head, value)));
            }
        }
    }

    #[test]
    fn what_was_not_written_so_is_no_record() {
        let written = encode(Head { version: 1, expires_at: None }, b"");
        assert!(decode(&written).is_some());
        assert_eq!(decode(&written[..16]), None);
        assert_eq!(decode(b""), None);
        for (place, byte) in [(8, 1), (16, 0)] {
            let mut other = encode(Head { version: 1, expires_at: Some(UnixTime::from_secs(1)) }, b"");
            other[place] = byte;
            assert!(decode(&other).is_some());
            other[8] = 2;
            assert_eq!(decode(&other), None);
        }
    }

    #[test]
    fn entries_of_the_expiry_index_lead_back_and_sort_by_end() {
        let entry = |end, table, key| expiry(UnixTime::from_secs(end), table, key);
        assert_eq!(expiring(&entry(1, Table::Codes, "a\0b/\u{10ffff}")), Some((Table::Codes, "a\0b/\u{10ffff}")));
        assert_eq!(expiring(&entry(1, Table::Grants, "")), Some((Table::Grants, "")));
        assert_eq!(expiring(b"\0\0\0\0\0\0\0\x01nowhere\0key"), None);
        assert_eq!(expiring(b"short"), None);
        assert!(entry(255, Table::Sessions, "z") < entry(256, Table::Clients, ""));
        let bound = first_that_lives(UnixTime::from_secs(255)).unwrap();
        assert!(entry(255, Table::Sessions, "z").as_slice() < bound.as_slice());
        assert!(entry(256, Table::Clients, "").as_slice() >= bound.as_slice());
        assert_eq!(first_that_lives(UnixTime::from_secs(u64::MAX)), None);
    }
}
