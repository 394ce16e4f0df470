//! The table of results.

use crate::drive::Seen;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Calls of the service.
    Service,
    /// What the machine could do.
    Ceiling,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) per_second: f64,
    #[serde(flatten)]
    pub(crate) latency: Latency,
    /// Processor time of one call in microseconds.
    pub(crate) service_cpu: f64,
    pub(crate) database_cpu: f64,
    /// Bytes in memory at the end.
    pub(crate) resident: u64,
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Line {
    pub(crate) fn of(kind: Kind, name: &str, seen: &Seen) -> Self {
        let calls = seen.calls.max(1) as f64;
        Self {
            kind,
            name: name.to_owned(),
            per_second: seen.per_second(),
            latency: Latency::of(&seen.latency),
            service_cpu: seen.usage.service as f64 / calls,
            database_cpu: seen.usage.database as f64 / calls,
            resident: seen.usage.resident,
            errors: seen.errors.clone(),
        }
    }

    pub(crate) fn heading() -> String {
        format!(
            "{:<30}{:>10}{:>10}{:>10}{:>12}{:>10}{:>10}{:>8}",
            "", "calls/s", "p50 us", "p99 us", "longest us", "our us", "db us", "MB"
        )
    }

    pub(crate) fn text(&self) -> String {
        let text = format!(
            "{:<30}{:>10.0}{:>10}{:>10}{:>12}{:>10.0}{:>10.0}{:>8.0}",
            self.name,
            self.per_second,
            self.latency.p50,
            self.latency.p99,
            self.latency.longest,
            self.service_cpu,
            self.database_cpu,
            self.resident as f64 / 1e6
        );
        text + &self.errors_text()
    }

    /// A line of text for each kind of error, each after a line break.
    pub(crate) fn errors_text(&self) -> String {
        self.errors.iter().map(|(error, times)| format!("\n    {times} x {error}")).collect()
    }
}

/// The latencies of some calls, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) longest: u64,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        Self { p50: histogram.value_at_quantile(0.5), p99: histogram.value_at_quantile(0.99), longest: histogram.max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_calls() {
        let mut histogram = Histogram::new(3).expect("three digits");
        (1..=1_000).for_each(|micros| histogram.saturating_record(micros));
        assert_eq!(Latency::of(&histogram), Latency { p50: 500, p99: 990, longest: 1_000 });
    }

    #[test]
    fn no_calls_have_no_latency() {
        let histogram = Histogram::new(3).expect("three digits");
        assert_eq!(Latency::of(&histogram), Latency { p50: 0, p99: 0, longest: 0 });
    }
}
