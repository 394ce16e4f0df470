//! What processes use, from `/proc`.

use std::{fs, path::Path};

/// A tick of `/proc/PID/stat`, in microseconds: Linux reports a hundred a second on every architecture.
const TICK: u64 = 10_000;

/// The processes whose use is of interest.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) service: Option<u32>,
}

/// Processor time in microseconds, and memory in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) service: u64,
    pub(crate) database: u64,
    pub(crate) resident: u64,
}

impl Usage {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            service: self.service.saturating_sub(before.service),
            database: self.database.saturating_sub(before.database),
            resident: self.resident,
        }
    }
}

impl Watched {
    pub(crate) fn look(&self) -> Usage {
        Usage {
            service: self.service.map_or(0, |id| stat(&id.to_string()).map_or(0, |(_, used)| used)),
            database: processes()
                .filter_map(|id| stat(&id))
                .filter(|(name, _)| name == "postgres")
                .map(|(_, used)| used)
                .sum(),
            resident: self.service.map_or(0, resident),
        }
    }
}

fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The name of a process, and the processor time that it and its ended children used.
fn stat(id: &str) -> Option<(String, u64)> {
    let text = fs::read_to_string(Path::new("/proc").join(id).join("stat")).ok()?;
    let (before, after) = text.rsplit_once(") ")?;
    let name = before.split_once('(')?.1.to_owned();
    // utime, stime, cutime and cstime are the fields 14 to 17 of proc_pid_stat(5); the field after the name is 3.
    let ticks: u64 = after.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((name, ticks * TICK))
}

/// Bytes that a process has in memory.
pub(crate) fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
