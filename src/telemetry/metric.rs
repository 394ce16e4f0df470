use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// A metric: name, kind, labels, meaning.
#[derive(Clone, Copy, Debug)]
pub struct MetricLine {
    pub name: &'static str,
    pub kind: &'static str,
    pub labels: &'static str,
    pub meaning: &'static str,
}

const CONNECTIONS: &str = "countersign_connections";
const CONNECTIONS_CLOSED: &str = "countersign_connections_closed_total";
const ACCEPT_FAILURES: &str = "countersign_accept_failures_total";
const EVENTS: &str = "countersign_audit_events_total";
const RPCS: &str = "countersign_rpcs_total";
const REFUSED: &str = "countersign_rpc_refusals_total";
const RPC_SECONDS: &str = "countersign_rpc_duration_seconds";
const MAILS: &str = "countersign_mails_total";
const MAIL_TROUBLE: &str = "countersign_mail_outage_seconds";
const PURGED: &str = "countersign_purged_rows_total";
const KEY_AGE: &str = "countersign_key_age_seconds";
const KEY_ROTATIONS: &str = "countersign_key_rotations_total";
const FEED_FOLLOWERS: &str = "countersign_revocation_feed_followers";
const FEED_ENTRIES: &str = "countersign_revocation_feed_entries";
const FEED_AGE: &str = "countersign_revocation_feed_staleness_seconds";
const HASHER_QUEUE: &str = "countersign_password_hash_queue_length";
const CAPTCHA: &str = "countersign_captcha_checks_total";
const BREACH_CHECKS: &str = "countersign_breach_checks_total";
const LIMITED: &str = "countersign_rate_limited_total";
const LIMITER_DEGRADED: &str = "countersign_rate_limiter_degraded";
const AUDIT_SEALED: &str = "countersign_audit_sealed_events_total";
const AUDIT_REJECTED: &str = "countersign_audit_rejected_events_total";
const AUDIT_UNSEALED: &str = "countersign_audit_unsealed_events";
const AUDIT_UNSEALED_AGE: &str = "countersign_audit_unsealed_age_seconds";

/// All metrics.
pub const METRICS: &[MetricLine] = &[
    MetricLine {
        name: EVENTS,
        kind: "counter",
        labels: "event, reason",
        meaning: "Security events, as in the audit log. `reason` is empty unless the event is a refusal. Also \
                  counts what the audit log leaves out: `service_token_refused` for an unknown client id, and \
                  `call_refused` beyond `limits.denied_call_events_per_caller`.",
    },
    MetricLine {
        name: RPCS,
        kind: "counter",
        labels: "rpc, code",
        meaning: "Finished RPC calls by gRPC status code. Unknown methods count as `unknown`.",
    },
    MetricLine {
        name: REFUSED,
        kind: "counter",
        labels: "rpc, reason, caller",
        meaning: "Refused RPC calls by error reason. `caller` is `account`, `service` or `operator` for an \
                  authenticated caller, otherwise `anyone`. Errors of standard services (health, reflection) have \
                  the gRPC code as reason.",
    },
    MetricLine {
        name: RPC_SECONDS,
        kind: "histogram",
        labels: "rpc",
        meaning: "Seconds from the arrival of a call to its answer.",
    },
    MetricLine {
        name: CONNECTIONS,
        kind: "gauge",
        labels: "listener",
        meaning: "Open connections, of the `public` and of the `admin` listener.",
    },
    MetricLine {
        name: CONNECTIONS_CLOSED,
        kind: "counter",
        labels: "listener, reason",
        meaning: "Connections closed because there were too many. `per_client`: refused, its client had \
                  `server.max_connections_per_ip`. `total`: refused, the listener was full. `evicted`: an idle \
                  connection closed to make room for another client.",
    },
    MetricLine {
        name: ACCEPT_FAILURES,
        kind: "counter",
        labels: "listener",
        meaning: "Failures to accept a connection, for instance because the process has no file descriptors left. \
                  The service retries every second at the latest.",
    },
    MetricLine {
        name: MAILS,
        kind: "counter",
        labels: "template, outcome",
        meaning: "Attempts to send a mail, by outcome. `sent`. `retried`: failed, another attempt follows. \
                  `held`: the mail server takes no mail at all. `dropped`: no longer needed. `expired`: its \
                  purpose ended before it was sent. `dead`: given up, and kept for `mail.dead_retention`.",
    },
    MetricLine {
        name: MAIL_TROUBLE,
        kind: "gauge",
        labels: "",
        meaning: "Seconds for which the mail server has taken no mail at all from this process; 0 while it takes \
                  mail. All mails wait meanwhile.",
    },
    MetricLine { name: PURGED, kind: "counter", labels: "table", meaning: "Expired rows deleted." },
    MetricLine {
        name: KEY_AGE,
        kind: "gauge",
        labels: "purpose",
        meaning: "Age of the active key of each purpose. With several audiences, that of the oldest one.",
    },
    MetricLine {
        name: KEY_ROTATIONS,
        kind: "counter",
        labels: "purpose",
        meaning: "Key rotations done by this process. One replica does each rotation.",
    },
    MetricLine {
        name: FEED_FOLLOWERS,
        kind: "gauge",
        labels: "",
        meaning: "Backends that follow the revocation feed at this process.",
    },
    MetricLine {
        name: FEED_ENTRIES,
        kind: "gauge",
        labels: "",
        meaning: "Revocations in the feed of this process that have not expired.",
    },
    MetricLine {
        name: FEED_AGE,
        kind: "gauge",
        labels: "",
        meaning: "Seconds since this process last confirmed that it knows every revocation. Above \
                  `verification.heartbeat` the feed stops sending heartbeats, and backends that follow it begin \
                  to refuse all tokens.",
    },
    MetricLine { name: HASHER_QUEUE, kind: "gauge", labels: "", meaning: "Passwords that wait to be hashed." },
    MetricLine {
        name: CAPTCHA,
        kind: "counter",
        labels: "act, outcome",
        meaning: "Captcha checks by outcome. About the visitor: `passed`, `missing`, `unknown_token`, \
                  `spent_token`, `wrong_hostname`, `wrong_action`, `low_score`. About the provider or its \
                  configuration: `unreachable`, `timed_out`, `broken`, `unreadable`, `wrong_secret`, \
                  `turned_away`, `busy`.",
    },
    MetricLine {
        name: BREACH_CHECKS,
        kind: "counter",
        labels: "outcome",
        meaning: "Checks of new passwords against known breaches: `listed`, `not_listed`. When the check failed: \
                  `unreachable`, `timed_out`, `refused`, `unreadable`, `busy`; then \
                  `passwords.breached_when_unavailable` decides.",
    },
    MetricLine {
        name: LIMITED,
        kind: "counter",
        labels: "limit",
        meaning: "Calls refused by a rate limit. When several limits refuse a call, the one with the longest wait \
                  counts. `wrong_passwords` and `wrong_codes` are `[lockout]`. `streams_per_ip` and \
                  `forwarded_calls_per_ip` bound what a client has open at the same time.",
    },
    MetricLine {
        name: LIMITER_DEGRADED,
        kind: "gauge",
        labels: "",
        meaning: "1 while Redis does not answer and each process counts limits by itself, at a quarter of their \
                  size; 0 otherwise.",
    },
    MetricLine {
        name: AUDIT_SEALED,
        kind: "counter",
        labels: "",
        meaning: "Audit events that this process sealed into the hash chain. One replica seals each event.",
    },
    MetricLine {
        name: AUDIT_REJECTED,
        kind: "counter",
        labels: "",
        meaning: "Audit events that this process refused to seal because the service did not write them. Above 0 \
                  somebody else writes to the database: run `countersign audit verify`.",
    },
    MetricLine {
        name: AUDIT_UNSEALED,
        kind: "gauge",
        labels: "",
        meaning: "Audit events that waited to be sealed when this process last looked.",
    },
    MetricLine {
        name: AUDIT_UNSEALED_AGE,
        kind: "gauge",
        labels: "",
        meaning: "Age of the oldest audit event that waits to be sealed. Above 60 the hash chain is damaged, or \
                  no process seals.",
    },
];

const SECONDS_BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

/// Collects the metrics of this process for Prometheus.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts collecting. Only the first call in a process can succeed.
    ///
    /// # Errors
    /// When something else collects already.
    pub fn start() -> Result<Self, String> {
        let handle = PrometheusBuilder::new()
            .set_buckets(&SECONDS_BUCKETS)
            .map_err(|error| error.to_string())?
            .install_recorder()
            .map_err(|error| error.to_string())?;
        for line in METRICS {
            match line.kind {
                "counter" => describe_counter!(line.name, line.meaning),
                "gauge" => describe_gauge!(line.name, line.meaning),
                _ => describe_histogram!(line.name, Unit::Seconds, line.meaning),
            }
        }
        Ok(Self(handle))
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

pub fn count_event(event: &'static str, reason: &'static str) {
    counter!(EVENTS, "event" => event, "reason" => reason).increment(1);
}

pub fn count_rpc(rpc: &'static str, code: &'static str, took: Duration) {
    counter!(RPCS, "rpc" => rpc, "code" => code).increment(1);
    histogram!(RPC_SECONDS, "rpc" => rpc).record(took.as_secs_f64());
}

pub fn set_connections(listener: &'static str, open: usize) {
    gauge!(CONNECTIONS, "listener" => listener).set(open as f64);
}

pub fn count_connection_closed(listener: &'static str, reason: &'static str) {
    counter!(CONNECTIONS_CLOSED, "listener" => listener, "reason" => reason).increment(1);
}

pub fn count_accept_failure(listener: &'static str) {
    counter!(ACCEPT_FAILURES, "listener" => listener).increment(1);
}

pub fn count_refused(rpc: &'static str, reason: &'static str, caller: &'static str) {
    counter!(REFUSED, "rpc" => rpc, "reason" => reason, "caller" => caller).increment(1);
}

pub fn count_mail(template: &'static str, outcome: &'static str) {
    counter!(MAILS, "template" => template, "outcome" => outcome).increment(1);
}

pub fn set_mail_trouble(age: Duration) {
    gauge!(MAIL_TROUBLE).set(age.as_secs_f64());
}

pub fn count_purged(table: &'static str, rows: u64) {
    counter!(PURGED, "table" => table).increment(rows);
}

pub fn set_key_age(purpose: &'static str, age: Duration) {
    gauge!(KEY_AGE, "purpose" => purpose).set(age.as_secs_f64());
}

pub fn count_key_rotation(purpose: &'static str) {
    counter!(KEY_ROTATIONS, "purpose" => purpose).increment(1);
}

pub fn set_feed(followers: usize, entries: usize, age: Duration) {
    gauge!(FEED_FOLLOWERS).set(followers as f64);
    gauge!(FEED_ENTRIES).set(entries as f64);
    gauge!(FEED_AGE).set(age.as_secs_f64());
}

pub fn set_hasher_queue(length: usize) {
    gauge!(HASHER_QUEUE).set(length as f64);
}

pub fn count_captcha(act: &'static str, outcome: &'static str) {
    counter!(CAPTCHA, "act" => act, "outcome" => outcome).increment(1);
}

pub fn count_breach_check(outcome: &'static str) {
    counter!(BREACH_CHECKS, "outcome" => outcome).increment(1);
}

pub fn count_limited(limit: &'static str) {
    counter!(LIMITED, "limit" => limit).increment(1);
}

pub fn set_limiter_degraded(degraded: bool) {
    gauge!(LIMITER_DEGRADED).set(f64::from(u8::from(degraded)));
}

pub fn count_sealed(events: u64) {
    counter!(AUDIT_SEALED).increment(events);
}

pub fn count_rejected(events: u64) {
    counter!(AUDIT_REJECTED).increment(events);
}

pub fn set_unsealed(events: u64, age: Duration) {
    gauge!(AUDIT_UNSEALED).set(events as f64);
    gauge!(AUDIT_UNSEALED_AGE).set(age.as_secs_f64());
}
