//! The table of results.

use crate::drive::Seen;
use serde::Serialize;
use std::collections::BTreeMap;

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) per_second: f64,
    /// Latencies in microseconds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) longest: u64,
    /// Processor time of one call in microseconds.
    pub(crate) service_cpu: f64,
    pub(crate) database_cpu: f64,
    /// Bytes in memory at the end.
    pub(crate) resident: u64,
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Line {
    pub(crate) fn of(name: &str, seen: &Seen) -> Self {
        let calls = seen.calls.max(1) as f64;
        Self {
            name: name.to_owned(),
            per_second: seen.per_second(),
            p50: seen.latency.value_at_quantile(0.5),
            p99: seen.latency.value_at_quantile(0.99),
            longest: seen.latency.max(),
            service_cpu: seen.usage.service as f64 / calls,
            database_cpu: seen.usage.database as f64 / calls,
            resident: seen.usage.resident,
            errors: seen.errors.clone(),
        }
    }

    pub(crate) fn heading() -> String {
        format!(
            "{:<28}{:>10}{:>10}{:>10}{:>12}{:>10}{:>10}{:>8}",
            "", "calls/s", "p50 us", "p99 us", "longest us", "our us", "db us", "MB"
        )
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{:<28}{:>10.0}{:>10}{:>10}{:>12}{:>10.0}{:>10.0}{:>8.0}",
            self.name,
            self.per_second,
            self.p50,
            self.p99,
            self.longest,
            self.service_cpu,
            self.database_cpu,
            self.resident as f64 / 1e6
        );
        for (error, times) in &self.errors {
            text.push_str(&format!("\n    {times} x {error}"));
        }
        text
    }
}
