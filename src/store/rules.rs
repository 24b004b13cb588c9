//! What every store agrees on: when a record lives, when an expectation holds, and how large a transaction may be.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::{Change, Expectation, Step, StoreError};
use crate::domain::UnixTime;

/// Longest key, in bytes. The longest in use is the URL of a client metadata document.
pub const MAX_KEY: usize = 4096;
/// Longest value, in bytes.
pub const MAX_VALUE: usize = 256 * 1024;
/// Most steps of one transaction.
pub const MAX_STEPS: usize = 1024;
/// Most records that one purge removes.
pub(super) const PURGE_BATCH: usize = 1000;

/// Whether a record that ends at `expires_at` still exists.
pub(super) fn lives(expires_at: Option<UnixTime>, now: UnixTime) -> bool {
    expires_at.is_none_or(|end| now < end)
}

impl Expectation {
    /// Whether it holds of the living record that has this version, or of none.
    pub(super) fn holds(self, version: Option<u64>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => version.is_none(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

/// Refuses what is too large, and two steps on one record: they would have no order.
pub(super) fn refuse_unwritable(steps: &[Step]) -> Result<(), StoreError> {
    let refuse = |step: &Step, cause: String| Err(StoreError::Unwritable { table: step.table.as_str(), cause });
    let mut seen = BTreeSet::new();
    for (place, step) in steps.iter().enumerate() {
        if place >= MAX_STEPS {
            return refuse(step, format!("the transaction has more than {MAX_STEPS} steps"));
        }
        if step.key.len() > MAX_KEY {
            return refuse(step, format!("the key has {} bytes, more than {MAX_KEY}", step.key.len()));
        }
        if let Change::Put { value, .. } = &step.change
            && value.len() > MAX_VALUE
        {
            return refuse(step, format!("the value has {} bytes, more than {MAX_VALUE}", value.len()));
        }
        if !seen.insert((step.table, step.key.as_str())) {
            return refuse(step, "the transaction names one key twice".into());
        }
    }
    Ok(())
}

/// Where a listing starts: at the prefix, or behind the key where the last page ended.
pub(super) fn start_of_listing<'k>(prefix: &'k str, after: Option<&'k str>) -> Bound<&'k str> {
    match after {
        Some(after) if after >= prefix => Bound::Excluded(after),
        Some(_) | None => Bound::Included(prefix),
    }
}
