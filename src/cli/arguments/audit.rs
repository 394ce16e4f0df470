use super::Format;
use clap::{Args, Subcommand, ValueEnum, value_parser};
use countersign_domain::audit::EventKind;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// List events, the newest first.
    List {
        #[command(flatten)]
        query: EventQuery,
        #[command(flatten)]
        span: EventSpan,
        /// List this many events at most.
        #[arg(short = 'n', long, alias = "count", default_value_t = 20)]
        #[arg(value_parser = value_parser!(u16).range(1..=10_000))]
        limit: u16,
        #[command(flatten)]
        format: Format,
    },
    /// Print new events as they are sealed, until interrupted.
    Follow {
        #[command(flatten)]
        query: EventQuery,
        #[command(flatten)]
        format: Format,
    },
    /// Verify the hash chains: report every event that was changed, removed or moved since it was sealed. Exit code 1
    /// when there is a finding.
    Verify {
        /// The name of a tenant. Default: every tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// A position and its link, as an earlier `audit verify` or a line of the audit log names them. Verifies that
        /// this link is still at that position, and accepts the restarts before it.
        #[arg(long, value_name = "POSITION:LINK")]
        seen: Option<String>,
    },
    /// Continue a hash chain whose head was lost or changed. Find out why first: from then on `audit verify` reports
    /// the restart.
    Restart {
        /// The name of a tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Restart although the head is intact: needed when changed events keep expired ones from being deleted.
        #[arg(long)]
        anyway: bool,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(in crate::cli) struct EventQuery {
    /// The name of a tenant. Default: `default`.
    #[arg(long)]
    pub(in crate::cli) tenant: Option<String>,
    /// Only events of this kind, such as `logged_in`; docs/reference/events.md lists the kinds.
    #[arg(long, value_parser = EventKind::ALL.map(EventKind::name), hide_possible_values = true)]
    pub(in crate::cli) kind: Option<String>,
    /// Only events about this account: an account id, an e-mail address or a user name.
    #[arg(long)]
    pub(in crate::cli) account: Option<String>,
    /// Only events with this outcome.
    #[arg(long)]
    pub(in crate::cli) outcome: Option<EventOutcome>,
}

/// When the events happened.
#[derive(Debug, Args)]
pub(in crate::cli) struct EventSpan {
    /// Only events since this time: `2030-01-31T12:00:00Z`, or `2h` for two hours ago.
    #[arg(long)]
    pub(in crate::cli) since: Option<String>,
    /// Only events before this time, written as for `--since`.
    #[arg(long)]
    pub(in crate::cli) until: Option<String>,
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum EventOutcome {
    Ok,
    Refused,
}
