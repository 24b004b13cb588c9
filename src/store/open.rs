//! `store.url`: which store holds the state, and where. A new kind of store is one file and one line of [`KINDS`].

use std::fmt;
use std::sync::Arc;

use super::{Mistake, Store, embedded, memory};

/// Every kind of store.
static KINDS: [&Kind; 2] = [&memory::KIND, &embedded::KIND];

/// A kind of store, as its file describes it.
pub(super) struct Kind {
    /// What its URLs start with.
    pub(super) scheme: &'static str,
    /// Checks what follows `scheme:` and puts it into the form that is opened and shown.
    pub(super) read: fn(&str) -> Result<String, Mistake>,
    /// Opens the store there. Runs once, at the start, and may wait for a disk.
    pub(super) open: fn(&str) -> Result<Arc<dyn Store>, OpenError>,
}

/// Where state is kept: `memory:` or `file:/data/mcp-forward-auth.redb`.
#[derive(Clone)]
pub struct StoreUrl {
    kind: &'static Kind,
    place: String,
}

const WRITE_A_FILE: &str =
    "write it like \"file:/data/mcp-forward-auth.redb\", or \"memory:\" to forget everything at a restart";

impl StoreUrl {
    /// Reads what the operator wrote. Nothing is opened yet.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let named = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
        let Some((scheme, rest)) = named else {
            return Err(Mistake::new("it does not say what kind of store it is", WRITE_A_FILE));
        };
        let scheme = scheme.to_ascii_lowercase();
        match KINDS.iter().find(|kind| kind.scheme == scheme) {
            Some(kind) => Ok(Self { kind, place: (kind.read)(rest)? }),
            None if matches!(scheme.as_str(), "redis" | "rediss" | "valkey" | "valkeys") => {
                Err(Mistake::new("this version does not keep state in Redis yet", WRITE_A_FILE))
            }
            None => Err(Mistake::new(format!("there is no kind of store called {scheme}"), WRITE_A_FILE)),
        }
    }

    /// Whether a restart forgets everything.
    pub fn forgets(&self) -> bool {
        self.kind.scheme == memory::KIND.scheme
    }
}

/// RFC 3986 §3.1
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// As the operator may write it.
impl fmt::Display for StoreUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind.scheme, self.place)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoreUrl({self})")
    }
}

impl PartialEq for StoreUrl {
    fn eq(&self, other: &Self) -> bool {
        self.kind.scheme == other.kind.scheme && self.place == other.place
    }
}

impl Eq for StoreUrl {}

/// Why a store does not open: where it is, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The operating system refuses.
    #[error("{place}: {cause}; see that this user may read and write the file and its folder, and that there is space")]
    Inaccessible {
        /// Where.
        place: String,
        /// What the operating system said.
        cause: String,
    },
    /// A folder, a device, a pipe.
    #[error("{place}: this is no regular file; name a file")]
    NoFile {
        /// Where.
        place: String,
    },
    /// It has one owner at a time.
    #[error("{place}: another process has it open; stop that process, or give this one a file of its own")]
    InUse {
        /// Where.
        place: String,
    },
    /// Written by a later version of this program.
    #[error(
        "{place}: a newer version wrote it (layout {found}, this version knows up to {known}); \
         start that version, or name another file"
    )]
    Newer {
        /// Where.
        place: String,
        /// The layout in the file.
        found: u64,
        /// The latest layout known here.
        known: u64,
    },
    /// A database, but none of ours.
    #[error("{place}: another program wrote it; name another file")]
    Foreign {
        /// Where.
        place: String,
    },
    /// It cannot be understood.
    #[error(
        "{place}: the file is damaged or was not written by this program ({cause}); restore it from a backup, or move \
         it away to start anew: then everybody signs in again"
    )]
    Damaged {
        /// Where.
        place: String,
        /// What does not fit.
        cause: String,
    },
}

/// Opens the store; one that does not exist yet is made.
pub fn open(url: &StoreUrl) -> Result<Arc<dyn Store>, OpenError> {
    (url.kind.open)(&url.place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;
    use crate::store::testing::{Folder, at, put, written};

    #[test]
    fn urls_are_read_and_shown_in_one_form() {
        let read = [
            ("memory:", "memory:", true),
            ("Memory:", "memory:", true),
            ("file:/data/state.redb", "file:/data/state.redb", false),
            ("file:///data/state.redb", "file:/data/state.redb", false),
            ("FILE:/data/a b/%20é.redb", "file:/data/a b/%20é.redb", false),
            ("file:/data/../state:1", "file:/data/../state:1", false),
        ];
        for (written, shown, forgets) in read {
            let url = StoreUrl::parse(written).unwrap();
            assert_eq!((url.to_string().as_str(), url.forgets()), (shown, forgets), "{written}");
            assert_eq!(StoreUrl::parse(shown).unwrap(), url);
        }
        assert_ne!(StoreUrl::parse("file:/a").unwrap(), StoreUrl::parse("file:/b").unwrap());
    }

    #[test]
    fn what_names_no_store_is_refused_with_the_rule_and_the_fix() {
        let refused = [
            ("", "it does not say what kind of store it is"),
            ("/data/state.redb", "it does not say what kind of store it is"),
            ("C:\\state", "there is no kind of store called c"),
            ("./a:b", "it does not say what kind of store it is"),
            (":", "it does not say what kind of store it is"),
            ("sqlite:/data/state", "there is no kind of store called sqlite"),
            ("redis://redis.example.com:6379/0", "this version does not keep state in Redis yet"),
            ("rediss://redis.example.com", "this version does not keep state in Redis yet"),
            ("memory:/data", "nothing stands behind memory:"),
            ("file:", "it names no file"),
            ("file:state.redb", "the path is relative, so the file would depend on where the service is started"),
            ("file:./state.redb", "the path is relative, so the file would depend on where the service is started"),
            ("file:~/state.redb", "the path is relative, so the file would depend on where the service is started"),
            ("file://data/state.redb", "it names a host; the file must be on this one"),
            ("file://", "it names a host; the file must be on this one"),
            ("file:/", "it names a folder"),
            ("file:/data/", "it names a folder"),
            ("file:/data/state.redb?mode=ro", "the path must not hold ?, # or control characters"),
            ("file:/data/state.redb#a", "the path must not hold ?, # or control characters"),
            ("file:/data/\0", "the path must not hold ?, # or control characters"),
        ];
        for (written, rule) in refused {
            let error = StoreUrl::parse(written).unwrap_err();
            assert_eq!(error.rule, rule, "{written:?}");
            assert!(error.fix.starts_with("write ") && error.to_string() == format!("{rule}; {}", error.fix));
        }
    }

    #[tokio::test]
    async fn what_a_url_names_is_opened() {
        let folder = Folder::new();
        let file = format!("file:{}/deep/er/state.redb", folder.path().display());
        for (url, kept) in [("memory:", 0), (file.as_str(), 1)] {
            let url = StoreUrl::parse(url).unwrap();
            written(&*open(&url).unwrap(), put(Table::Grants, "a", "x").ends(at(9))).await;
            assert_eq!(open(&url).unwrap().count(Table::Grants).await.unwrap(), kept, "{url}");
        }
    }
}
