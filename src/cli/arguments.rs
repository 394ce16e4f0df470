use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// An identity service that speaks gRPC.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about)]
pub(super) struct Arguments {
    /// The configuration file (TOML). Also: COUNTERSIGN_CONFIG.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the service (the default).
    Serve,
    /// Bring the database up to date.
    Migrate,
    /// Ask a running service on this machine whether it is ready.
    Health,
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look at mails.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Look at accounts, disable and enable them.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Look at the audit trail.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with the configuration.
    Check,
    /// Print the configuration in effect, secrets left out.
    Print,
}

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// List the last mails written to files.
    List(Count),
    /// Show a mail written to a file.
    Show {
        /// As listed; the newest when left out.
        id: Option<String>,
    },
    /// List the last mails of the outbox: waiting, sent, dropped, dead.
    Outbox {
        /// Only those that were given up.
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        count: Count,
    },
    /// Send a mail that was given up after all.
    Requeue {
        /// As listed by `mail outbox --dead`.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// List the newest accounts.
    List(Count),
    /// Show an account.
    Show(Whom),
    /// Forbid an account everything, and end its sessions.
    Disable(Whom),
    /// Let an account sign in again.
    Enable(Whom),
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the last events.
    List(Count),
}

#[derive(Debug, Args)]
pub(super) struct Count {
    /// How many, at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    pub(super) count: u16,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// An e-mail address or a user name.
    pub(super) identifier: String,
}
