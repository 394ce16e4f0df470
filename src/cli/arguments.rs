use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use countersign_domain::audit::EventKind;
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
    /// Look at mails, ask the mail server whether it takes any, send those again that were given up.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Look at accounts, make them, give and take their roles, disable and enable them.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Make service accounts for backends, and look after their secrets.
    Service {
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// Sign everybody out, after asking whether that is meant.
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// Look at keys, rotate them, take them out of use.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at audiences, make them, and choose how tokens are encrypted for them.
    Audience {
        #[command(subcommand)]
        command: AudienceCommand,
    },
    /// Make the file in which breached passwords are looked up.
    Passwords {
        #[command(subcommand)]
        command: PasswordsCommand,
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
pub(super) enum PasswordsCommand {
    /// Make a file for `passwords.breached_list` of a sorted list of SHA-1 hashes. What is there is replaced once it is complete.
    Compile {
        /// The list: one hash of 40 hexadecimal digits a line, perhaps with a colon and a count; `-` for standard input.
        list: PathBuf,
        /// The file to make.
        output: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// List the last mails written to files.
    List {
        #[command(flatten)]
        count: Count,
        #[command(flatten)]
        format: Format,
    },
    /// Show a mail written to a file.
    Show {
        /// As listed; the newest when left out.
        id: Option<String>,
    },
    /// Ask the mail server whether it takes mail, and count the outbox by state and reason. Exit code 1 when it takes none.
    Status,
    /// List the last mails of the outbox: waiting, sent, dropped, expired, dead.
    Outbox {
        /// Only those that were given up.
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        count: Count,
        #[command(flatten)]
        format: Format,
    },
    /// Send mails that were given up after all: one, or all of them.
    Requeue {
        /// As listed by `mail outbox --dead`.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Every mail that was given up and whose time is not over.
        #[arg(long)]
        all: bool,
        /// With `--all`: only those whose error begins like this, such as `sender` or `recipient: 550 5.7.1`.
        #[arg(long, requires = "all")]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// List the newest accounts.
    List {
        #[command(flatten)]
        count: Count,
        #[command(flatten)]
        format: Format,
    },
    /// Show an account.
    Show {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        format: Format,
    },
    /// Make an account for somebody, and mail a link that sets its password. The link works once, for 24 hours.
    Create {
        /// Whom it is for.
        email: String,
        /// The name to log in with beside the address.
        #[arg(long)]
        username: Option<String>,
        /// The name that others see.
        #[arg(long, default_value = "")]
        name: String,
        /// The language of its mails, such as `de-AT`.
        #[arg(long, default_value = "en")]
        locale: String,
    },
    /// Forbid an account everything, and end its sessions.
    Disable(Whom),
    /// Let an account sign in again.
    Enable(Whom),
    /// Give accounts roles, which backends find in access tokens.
    Role {
        #[command(subcommand)]
        command: RoleCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// Give an account a role, which is made if there is none of this name.
    Grant {
        #[command(flatten)]
        whom: Whom,
        /// Lower-case letters, digits, `.`, `:`, `-` and `_`.
        role: String,
    },
    /// Take a role from an account.
    Revoke {
        #[command(flatten)]
        whom: Whom,
        role: String,
    },
    /// List the roles of an account, or all roles and how many accounts have them.
    List {
        /// The address or user name of an account.
        identifier: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Make a service account. Prints its client id and its secret; the secret is never shown again.
    Create {
        /// What the service is called here: lower-case letters, digits, `.`, `-` and `_`.
        name: String,
        /// An audience it is a backend of, made if there is none: it gets the keys to read that audience's tokens.
        /// Can be given several times.
        #[arg(long = "audience", required = true, value_name = "AUDIENCE")]
        audiences: Vec<String>,
        /// An audience whose backends it calls: it gets tokens for them. Can be given several times.
        #[arg(long = "calls", value_name = "AUDIENCE")]
        calls: Vec<String>,
    },
    /// List the service accounts and their secrets' ids.
    List(Format),
    /// Give a service a second secret, to take the place of the first. Prints it once.
    AddSecret {
        /// The name of the service.
        name: String,
    },
    /// Retire a secret, and every token that was drawn from it.
    RetireSecret {
        /// The name of the service.
        name: String,
        /// As listed by `service list`.
        secret_id: String,
    },
    /// Forbid a service everything, and revoke its tokens.
    Disable {
        /// The name of the service.
        name: String,
    },
    /// Let a disabled service have tokens again.
    Enable {
        /// The name of the service.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// End every session there is: everybody logs in again. Asks first.
    EndAll {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List keys: what they are for, in what state they are, since when. Never the keys themselves.
    List(Format),
    /// Let the next key take over now. What the present one made stays good for its life.
    Rotate {
        purpose: RotatedPurpose,
        /// Whose key, for `encryption`; `default` when left out.
        #[arg(long)]
        audience: Option<String>,
        /// Do not wait until everybody who keeps the public keys for five minutes can have the next one. Until they fetch them again,
        /// such backends refuse the tokens it signs.
        #[arg(long)]
        now: bool,
    },
    /// Take a key out of use at once, because somebody else may know it. What it made is refused from now on.
    Retire {
        /// As listed.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Seal all keys with `keys.kek`, so that `keys.previous_kek` can be taken away.
    Rewrap,
}

/// What is rotated.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RotatedPurpose {
    /// What signs access tokens.
    Signing,
    /// What encrypts the access tokens of an audience.
    Encryption,
    /// What seals refresh tokens.
    Refresh,
    /// What seals mailed links.
    Action,
    /// What authenticates mailed codes and request ids.
    Mac,
    /// What seals the audit trail.
    Audit,
}

#[derive(Debug, Subcommand)]
pub(super) enum AudienceCommand {
    /// List audiences and how tokens are encrypted for them.
    List(Format),
    /// Make an audience with keys of its own.
    Create {
        /// Lower-case letters, digits, `.`, `-` and `_`; 64 at most.
        name: String,
    },
    /// Encrypt the tokens of an audience to a public key of its own (ECDH-ES).
    RegisterKey {
        audience: String,
        /// An X25519 public key: 32 bytes in base64url, or a file that holds it as a JWK.
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Encrypt the tokens of an audience under a key that it shares with this service (dir).
    UseSharedKey { audience: String },
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the last events, newest first.
    List {
        #[command(flatten)]
        query: EventQuery,
        #[command(flatten)]
        span: EventSpan,
        /// How many, at most.
        #[arg(short = 'n', long, alias = "count", default_value_t = 20, value_parser = value_parser!(u16).range(1..=10_000))]
        limit: u16,
        #[command(flatten)]
        format: Format,
    },
    /// Show events as they are sealed, until interrupted.
    Follow {
        #[command(flatten)]
        query: EventQuery,
        #[command(flatten)]
        format: Format,
    },
    /// Say what was changed, taken out, moved or cut off since it was sealed. Exit code 1 when anything was.
    Verify {
        /// The name of a tenant; every tenant when left out.
        #[arg(long)]
        tenant: Option<String>,
        /// What an earlier `audit verify` or a line of the log said: that this link was at this position. Vouches for the restarts before
        /// it as well.
        #[arg(long, value_name = "POSITION:LINK")]
        seen: Option<String>,
    },
    /// Let a chain go on whose head was lost or changed, once you have looked into it. `audit verify` finds the restart from then on.
    Restart {
        /// The name of a tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Also where the head is as it was left: because of events that are not, which keep those before them from being forgotten.
        #[arg(long)]
        anyway: bool,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(super) struct EventQuery {
    /// The name of a tenant; the default one when left out.
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// What happened, as in `logged_in`; docs/reference/events.md says what each means.
    #[arg(long, value_parser = EventKind::ALL.map(EventKind::name), hide_possible_values = true)]
    pub(super) kind: Option<String>,
    /// An account id, an e-mail address or a user name.
    #[arg(long)]
    pub(super) account: Option<String>,
    /// How it ended.
    #[arg(long)]
    pub(super) outcome: Option<EventOutcome>,
}

/// When they happened.
#[derive(Debug, Args)]
pub(super) struct EventSpan {
    /// An instant as in `2030-01-31T12:00:00Z`, or how long ago, as in `2h`.
    #[arg(long)]
    pub(super) since: Option<String>,
    /// The same; not included.
    #[arg(long)]
    pub(super) until: Option<String>,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EventOutcome {
    Ok,
    Refused,
}

#[derive(Debug, Args)]
pub(super) struct Count {
    /// How many, at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    pub(super) count: u16,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Format {
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// An e-mail address, a user name or an account id, as the audit trail shows it.
    pub(super) identifier: String,
}
