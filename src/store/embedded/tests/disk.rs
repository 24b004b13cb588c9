//! A disk in memory that fails, waits and loses power on command.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use redb::StorageBackend;

use super::super::{EmbeddedStore, file};
use crate::store::OpenError;

/// The smallest piece that a disk writes as a whole.
const SECTOR: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Disk {
    contents: Mutex<Contents>,
    full: AtomicBool,
    pub(super) syncs: AtomicU64,
    operations: AtomicU64,
    /// Power goes before this operation; 0 is never.
    dies_at: AtomicU64,
    held: Mutex<bool>,
    released: Condvar,
}

#[derive(Debug, Default, Clone)]
struct Contents {
    /// As the program sees it.
    seen: Vec<u8>,
    /// As a power failure leaves it.
    durable: Vec<u8>,
    /// What was written since the last sync.
    pending: Vec<Write>,
    /// What a power failure left, once it has happened.
    left: Option<Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Write {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Write {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Length(length) => image.resize(*length, 0),
            Self::Bytes(offset, bytes) => {
                image.resize(image.len().max(offset + bytes.len()), 0);
                image[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

impl Disk {
    /// A disk that holds a new store.
    pub(super) fn new() -> Arc<Self> {
        Self::holding(file::blank().unwrap())
    }

    pub(super) fn holding(contents: Vec<u8>) -> Arc<Self> {
        let contents = Contents { seen: contents.clone(), durable: contents, ..Contents::default() };
        Arc::new(Self { contents: Mutex::new(contents), ..Self::default() })
    }

    pub(super) fn open(self: &Arc<Self>) -> Result<EmbeddedStore, OpenError> {
        let disk = Arc::clone(self);
        let opener = move |_| file::open_backend(Backend(Arc::clone(&disk)), "disk");
        EmbeddedStore::open_with("disk".into(), Box::new(opener))
    }

    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Power goes before the operation of this number.
    pub(super) fn dies_at(&self, operation: u64) {
        self.dies_at.store(operation, Ordering::SeqCst);
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    pub(super) fn contents(&self) -> Vec<u8> {
        self.contents.lock().unwrap().seen.clone()
    }

    /// What the power failure left on the disk.
    pub(super) fn left(&self) -> Option<Vec<u8>> {
        self.contents.lock().unwrap().left.clone()
    }

    /// From now on syncs wait.
    pub(super) fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    pub(super) fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.released.notify_all();
    }

    fn operate<T>(&self, work: impl FnOnce(&mut Contents) -> T) -> io::Result<T> {
        let mut contents = self.contents.lock().unwrap();
        let operation = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let dies_at = self.dies_at.load(Ordering::SeqCst);
        if dies_at != 0 && operation >= dies_at {
            contents.lose_power(dies_at);
            return Err(io::Error::other("no power"));
        }
        Ok(work(&mut contents))
    }

    fn write(&self, write: Write) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.operate(|contents| {
            write.apply(&mut contents.seen);
            contents.pending.push(write);
        })
    }
}

impl Contents {
    /// Of what was not synced, some sectors reach the disk and some do not.
    fn lose_power(&mut self, seed: u64) {
        if self.left.is_some() {
            return;
        }
        let mut image = self.durable.clone();
        let mut seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut survives = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed >> 63 == 1
        };
        for write in &self.pending {
            match write {
                Write::Length(_) if survives() => write.apply(&mut image),
                Write::Length(_) => {}
                Write::Bytes(offset, bytes) => {
                    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                        if survives() {
                            Write::Bytes(offset + number * SECTOR, sector.to_vec()).apply(&mut image);
                        }
                    }
                }
            }
        }
        self.left = Some(image);
    }
}

#[derive(Debug)]
struct Backend(Arc<Disk>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.operate(|contents| u64::try_from(contents.seen.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.0.operate(|contents| {
            let bytes = contents.seen.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(bytes);
            Ok(())
        })?
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.write(Write::Length(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let held = self.0.held.lock().unwrap();
        drop(self.0.released.wait_while(held, |held| *held).unwrap());
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        self.0.operate(|contents| {
            contents.durable.clone_from(&contents.seen);
            contents.pending.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(Write::Bytes(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}
