use super::BreachFault;
use crate::runtime::blocking;
use countersign_domain::password::BreachDigest;
use std::{fmt, fs::File, io, os::unix::fs::FileExt as _, path::Path, sync::Arc};

// The file has a head, an index, and the entries.
//
//   8 bytes           "CSBREACH"
//   4 bytes           the version of the format
//   4 bytes           zero
//   8 bytes           the number of entries
//   65,537 x 8 bytes  for each value of the first two bytes of a hash, how many entries have a lesser one; then all
//   4 bytes each      the third to the sixth byte of the hashes, sorted
//
// All numbers are little-endian. An entry stands for 48 bits of a hash and takes 4 bytes. A query is one read of the
// entries with the same first two bytes: some 60 KB for a billion.
pub(super) const MAGIC: [u8; 8] = *b"CSBREACH";
pub(super) const VERSION: u32 = 1;
pub(super) const HEAD_BYTES: usize = 24;
pub(super) const BUCKETS: usize = 1 << 16;
pub(super) const INDEX_BYTES: usize = (BUCKETS + 1) * 8;
pub(super) const ENTRY_BYTES: usize = 4;
/// Bits of a hash that are compared.
const COMPARED_BITS: i32 = 48;
/// With more entries, a password that is not listed would look listed more often than once in 65,536.
pub(super) const MAX_ENTRIES: u64 = 1 << 32;
/// Most entries with the same first two bytes: one query reads at most 16 MiB. A list of 2^32 real hashes has no bucket
/// of this size.
pub(super) const MAX_BUCKET_ENTRIES: u64 = 4 * 1024 * 1024;

/// A file from `countersign passwords compile`. It stays on the disk; 512 KiB of it are held in memory.
#[derive(Clone)]
pub struct BreachFile(Arc<Opened>);

struct Opened {
    file: File,
    index: Vec<u64>,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub enum BreachFileFault {
    Io(io::Error),
    /// The file is not from `countersign passwords compile`.
    Foreign,
    /// The file is from another release, in a format that this one does not know.
    Version(u32),
    /// The length of the file is wrong, or its index contradicts itself.
    Damaged,
}

impl BreachFile {
    /// Opens a file and checks all of it except the entries.
    ///
    /// # Errors
    /// When the file cannot be read, or is invalid.
    pub fn open(path: &Path) -> Result<Self, BreachFileFault> {
        let file = File::open(path).map_err(BreachFileFault::Io)?;
        let length = file.metadata().map_err(BreachFileFault::Io)?.len();
        if length < (HEAD_BYTES + INDEX_BYTES) as u64 {
            return Err(BreachFileFault::Foreign);
        }
        let mut head = vec![0; HEAD_BYTES + INDEX_BYTES];
        file.read_exact_at(&mut head, 0).map_err(BreachFileFault::Io)?;
        let (head, index) = head.split_at(HEAD_BYTES);
        if head[..8] != MAGIC {
            return Err(BreachFileFault::Foreign);
        }
        let version = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
        if version != VERSION {
            return Err(BreachFileFault::Version(version));
        }
        let entries = number(&head[16..]);
        let index: Vec<_> = index.chunks_exact(8).map(number).collect();
        let whole = entries <= MAX_ENTRIES
            && length == (HEAD_BYTES + INDEX_BYTES) as u64 + entries * ENTRY_BYTES as u64
            && head[12..16] == [0; 4];
        let orderly = index.is_sorted()
            && index.first() == Some(&0)
            && index.last() == Some(&entries)
            && index.windows(2).all(|pair| pair[1] - pair[0] <= MAX_BUCKET_ENTRIES);
        if !whole || !orderly {
            return Err(BreachFileFault::Damaged);
        }
        Ok(Self(Arc::new(Opened { file, index })))
    }

    /// The number of hashes in the file.
    pub fn entries(&self) -> u64 {
        self.0.index.last().copied().unwrap_or(0)
    }

    /// How often a password that is not listed is taken for a listed one, because the stored bits of its hash are those
    /// of an entry.
    pub fn false_positive_rate(&self) -> f64 {
        false_positive_rate(self.entries())
    }

    pub(super) async fn holds(&self, hash: BreachDigest) -> Result<bool, BreachFault> {
        let opened = self.0.clone();
        let looked = blocking(move || opened.look(hash.bytes())).await;
        looked.and_then(|found| found).map_err(|_| BreachFault::Unreadable)
    }
}

pub(super) fn false_positive_rate(entries: u64) -> f64 {
    entries as f64 / 2_f64.powi(COMPARED_BITS)
}

impl Opened {
    fn look(&self, hash: &[u8; 20]) -> io::Result<bool> {
        let [high, low, wanted @ ..] = hash;
        let bucket = usize::from(u16::from_be_bytes([*high, *low]));
        let (first, end) = (self.index[bucket], self.index[bucket + 1]);
        let count = usize::try_from(end - first).map_err(io::Error::other)?;
        let mut entries = vec![0; count * ENTRY_BYTES];
        let offset = (HEAD_BYTES + INDEX_BYTES) as u64 + first * ENTRY_BYTES as u64;
        self.file.read_exact_at(&mut entries, offset)?;
        let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
        Ok(entries.binary_search_by(|entry| entry[..].cmp(&wanted[..ENTRY_BYTES])).is_ok())
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().copied().map_or(0, u64::from_le_bytes)
}

impl fmt::Debug for BreachFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BreachFile({} entries)", self.entries())
    }
}

impl fmt::Display for BreachFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::Foreign => f.write_str("it was not made by `countersign passwords compile`"),
            Self::Version(version) => {
                write!(
                    f,
                    "it has format version {version}, but this release reads {VERSION}: make it again with \
                     `countersign passwords compile`"
                )
            }
            Self::Damaged => f.write_str("it is damaged: make it again with `countersign passwords compile`"),
        }
    }
}

impl std::error::Error for BreachFileFault {}
