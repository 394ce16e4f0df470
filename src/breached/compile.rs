use super::file::{
    BUCKETS, HEAD_BYTES, INDEX_BYTES, MAGIC, MAX_BUCKET_ENTRIES, MAX_ENTRIES, VERSION, false_positive_rate,
};
use countersign_domain::password::read_listed;
use std::{
    fmt,
    fs::{self, File},
    io::{self, BufRead, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// The longest valid line has 40 digits, a colon and a count.
const MAX_LINE_BYTES: u64 = 128;

/// The result of compiling a list.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    pub entries: u64,
    pub bytes: u64,
    /// How often a password that is not listed is taken for a listed one.
    pub false_positive_rate: f64,
}

/// Why a list was not compiled.
#[derive(Debug)]
pub enum CompileFault {
    Io(io::Error),
    /// The line of this number is not a hash.
    NoHash(u64),
    /// The hash in the line of this number is smaller than the one before.
    Unsorted(u64),
    /// There are more hashes than a file may contain.
    TooMany,
    /// The line of this number exceeds the number of hashes that may begin with the same two bytes.
    Crowded(u64),
    /// The list has no hashes.
    Empty,
}

impl From<io::Error> for CompileFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Compiles a sorted list of SHA-1 hashes, one a line, to a file. The file replaces an existing one when it is
/// complete. Memory does not grow with the list.
///
/// # Errors
/// When the list is invalid, or the file cannot be written. An existing file stays as it was.
pub fn compile(list: impl BufRead, to: &Path) -> Result<Compiled, CompileFault> {
    compile_within(MAX_BUCKET_ENTRIES, list, to)
}

/// `most` is how many entries may have the same first two bytes.
pub(super) fn compile_within(most: u64, list: impl BufRead, to: &Path) -> Result<Compiled, CompileFault> {
    let partial = beside(to);
    let written = write(most, list, &partial).and_then(|compiled| {
        fs::rename(&partial, to)?;
        Ok(compiled)
    });
    if written.is_err() {
        // The incomplete file is useless. An error of the removal is dropped; the first error is reported.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn beside(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    to.with_file_name(name)
}

fn write(most: u64, mut list: impl BufRead, partial: &Path) -> Result<Compiled, CompileFault> {
    let mut out = BufWriter::new(File::create(partial)?);
    // The head is written last: until then the file is invalid.
    out.write_all(&[0; HEAD_BYTES])?;
    io::copy(&mut io::repeat(0).take(INDEX_BYTES as u64), &mut out)?;
    let mut counts = vec![0_u64; BUCKETS];
    let (mut entries, mut number) = (0_u64, 0_u64);
    let mut last: Option<[u8; 20]> = None;
    while let Some(line) = next_line(&mut list, number + 1)? {
        number += 1;
        let Some(hash) = read_listed(&line).ok_or(CompileFault::NoHash(number))? else { continue };
        if last.is_some_and(|last| hash < last) {
            return Err(CompileFault::Unsorted(number));
        }
        // Two hashes with the same stored bytes are one entry.
        if last.is_none_or(|last| last[..6] != hash[..6]) {
            if entries == MAX_ENTRIES {
                return Err(CompileFault::TooMany);
            }
            let bucket = &mut counts[usize::from(u16::from_be_bytes([hash[0], hash[1]]))];
            if *bucket == most {
                return Err(CompileFault::Crowded(number));
            }
            *bucket += 1;
            entries += 1;
            out.write_all(&hash[2..6])?;
        }
        last = Some(hash);
    }
    if entries == 0 {
        return Err(CompileFault::Empty);
    }
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&MAGIC)?;
    out.write_all(&VERSION.to_le_bytes())?;
    out.write_all(&[0; 4])?;
    out.write_all(&entries.to_le_bytes())?;
    let mut before = 0_u64;
    for count in counts {
        out.write_all(&before.to_le_bytes())?;
        before += count;
    }
    out.write_all(&before.to_le_bytes())?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    Ok(Compiled { entries, bytes, false_positive_rate: false_positive_rate(entries) })
}

/// `None` at the end of the list.
fn next_line(list: &mut impl BufRead, number: u64) -> Result<Option<String>, CompileFault> {
    let mut line = Vec::new();
    list.take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    // A line without a line break is the last one, or too long.
    let line = line.strip_suffix(b"\n").unwrap_or(&line).trim_ascii_end().to_vec();
    String::from_utf8(line).map(Some).map_err(|_| CompileFault::NoHash(number))
}

impl fmt::Display for CompileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NoHash(line) => write!(
                f,
                "line {line} of the list is not a SHA-1 hash (40 hexadecimal digits, optionally with a colon and a \
                 count)"
            ),
            Self::Unsorted(line) => {
                write!(f, "line {line} of the list is not sorted: sort the list first (LC_ALL=C sort)")
            }
            Self::TooMany => f.write_str(
                "the list has more than 4,294,967,296 hashes: too many other passwords would be taken for breached \
                 ones",
            ),
            Self::Crowded(line) => write!(
                f,
                "at line {line} of the list, more than {MAX_BUCKET_ENTRIES} hashes begin with the same four digits: \
                 these are no hashes of real passwords"
            ),
            Self::Empty => f.write_str("the list has no hashes"),
        }
    }
}

impl std::error::Error for CompileFault {}
