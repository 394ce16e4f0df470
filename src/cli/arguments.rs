mod audit;

pub(super) use audit::{AuditCommand, EventOutcome, EventQuery, EventSpan};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An identity service that speaks gRPC.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about)]
pub(super) struct Arguments {
    /// The configuration file (TOML). Can also be set by COUNTERSIGN_CONFIG.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the service (the default).
    Serve,
    /// Bring the database to the schema of this release, and create it if it does not exist.
    Migrate,
    /// Check whether the service on this machine is ready. Exit code 1 when it is not.
    Health,
    /// Check or print the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show mails, check the mail server, and requeue mails that were given up.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// List, create, disable and enable accounts, and manage their roles.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Manage service accounts, with which backends authenticate, and their secrets.
    Service {
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// End the sessions of all accounts.
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// List, rotate and retire keys, and change the key that they are encrypted with.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// List and create audiences, and choose how their tokens are encrypted.
    Audience {
        #[command(subcommand)]
        command: AudienceCommand,
    },
    /// Compile the file in which breached passwords are looked up.
    Passwords {
        #[command(subcommand)]
        command: PasswordsCommand,
    },
    /// List, follow and verify the audit log.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Report everything that is wrong with the configuration and the files that it names. Exit code 1 when anything
    /// is.
    Check,
    /// Print the configuration in effect, without secrets.
    Print,
}

#[derive(Debug, Subcommand)]
pub(super) enum PasswordsCommand {
    /// Compile a sorted list of SHA-1 hashes into a file for `passwords.breached_list`. An existing file is replaced
    /// once the new one is complete.
    Compile {
        /// The list: a hash of 40 hexadecimal digits on each line, with or without a colon and a count. `-` reads
        /// standard input.
        list: PathBuf,
        /// The file to write.
        output: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// List the newest mails in the mail folder, where mails are written while `smtp_url` is not set.
    List {
        #[command(flatten)]
        count: Count,
        #[command(flatten)]
        format: Format,
    },
    /// Show a mail in the mail folder.
    Show {
        /// The id that `mail list` shows. Default: the newest mail.
        id: Option<String>,
    },
    /// Check whether the mail server takes mail, and count the mails in the outbox by state and error. Exit code 1 when
    /// the server takes none.
    Status,
    /// List the newest mails in the outbox: waiting, sent, dropped, expired or dead.
    Outbox {
        /// Only dead mails, which were given up.
        #[arg(long)]
        dead: bool,
        #[command(flatten)]
        count: Count,
        #[command(flatten)]
        format: Format,
    },
    /// Requeue dead mails, so that they are sent again: one of them, or all.
    Requeue {
        /// The id that `mail outbox --dead` shows.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Every dead mail that can still be sent.
        #[arg(long)]
        all: bool,
        /// With `--all`: only mails whose last error begins with this text, such as `sender` or `recipient: 550 5.7.1`.
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
    /// Show one account.
    Show {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        format: Format,
    },
    /// Create an account, and mail its owner a link to set the password. The link works once, for 24 hours.
    Create {
        /// The e-mail address of its owner.
        email: String,
        /// A user name, to log in with instead of the address.
        #[arg(long)]
        username: Option<String>,
        /// The display name.
        #[arg(long, default_value = "")]
        name: String,
        /// The language of the mails to this account: a language tag such as `de-AT`.
        #[arg(long, default_value = "en")]
        locale: String,
    },
    /// Disable an account: its sessions end, and nobody can log in to it.
    Disable(Whom),
    /// Enable a disabled account, so that its owner can log in again.
    Enable(Whom),
    /// List and reset the factors of an account beside its password.
    Factors {
        #[command(subcommand)]
        command: FactorsCommand,
    },
    /// Grant, revoke and list roles, which access tokens carry to backends.
    Role {
        #[command(subcommand)]
        command: RoleCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum FactorsCommand {
    /// List the factors of an account, and how many backup codes are left.
    List {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        format: Format,
    },
    /// Remove all factors and backup codes of an account whose owner lost them. Then its password alone logs in, or
    /// lets its owner add a factor where policy requires one. The owner is mailed. Make sure that it is the owner who
    /// asks.
    Reset(Whom),
}

#[derive(Debug, Subcommand)]
pub(super) enum RoleCommand {
    /// Grant a role to an account. The role is created if it does not exist.
    Grant {
        #[command(flatten)]
        whom: Whom,
        /// The name of the role: 1 to 64 lower-case letters, digits, `.`, `:`, `-` and `_`, beginning with a letter.
        role: String,
    },
    /// Revoke a role from an account.
    Revoke {
        #[command(flatten)]
        whom: Whom,
        /// The name of the role.
        role: String,
    },
    /// List the roles of an account; without an account, all roles and how many accounts have each.
    List {
        /// An e-mail address, a user name or an account id.
        identifier: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Create a service account, and print its client id and its secret. The secret is not shown again.
    Create {
        /// The name of the service account: 1 to 64 lower-case letters, digits, `.`, `-` and `_`.
        name: String,
        /// An audience that the service belongs to: it gets the keys to read that audience's tokens. The audience is
        /// created if it does not exist. May be repeated.
        #[arg(long = "audience", required = true, value_name = "AUDIENCE")]
        audiences: Vec<String>,
        /// An audience that the service calls: it gets tokens for that audience, and cannot read them. The audience has
        /// to exist. May be repeated.
        #[arg(long = "calls", value_name = "AUDIENCE")]
        calls: Vec<String>,
    },
    /// List service accounts and the ids of their secrets.
    List(Format),
    /// Add a second secret to a service account, to replace the first without an interruption. The secret is printed
    /// once.
    AddSecret {
        /// The name of the service account.
        name: String,
    },
    /// Retire a secret, and revoke the tokens that were issued with it.
    RetireSecret {
        /// The name of the service account.
        name: String,
        /// The id that `service list` shows.
        secret_id: String,
    },
    /// Disable a service account: its tokens are revoked, and it gets no new ones.
    Disable {
        /// The name of the service account.
        name: String,
    },
    /// Enable a disabled service account, so that it gets tokens again.
    Enable {
        /// The name of the service account.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// End all sessions: everybody has to log in again. Asks for confirmation.
    EndAll {
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// List the id, purpose, state and dates of every key. Secret keys are never shown.
    List(Format),
    /// Rotate a key: the staged key becomes the active one. What the previous key signed or encrypted stays valid until
    /// it expires.
    Rotate {
        /// What the key is for.
        purpose: RotatedPurpose,
        /// The audience whose key is rotated; only for `encryption`. Default: `default`.
        #[arg(long)]
        audience: Option<String>,
        /// Rotate even when the staged key was published less than five minutes ago. Backends that cached the public
        /// keys before that refuse the tokens it signs until they fetch the keys again.
        #[arg(long)]
        now: bool,
    },
    /// Retire a key at once, because somebody else may know it. What it signed or encrypted is refused from now on.
    Retire {
        /// The id that `keys list` shows.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Encrypt all keys with `keys.kek`, so that `keys.previous_kek` can be removed.
    Rewrap,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RotatedPurpose {
    /// Signs access tokens.
    Signing,
    /// Encrypts the access tokens of an audience.
    Encryption,
    /// Encrypts refresh tokens.
    Refresh,
    /// Encrypts mailed links.
    Action,
    /// Authenticates mailed codes and request ids.
    Mac,
    /// Seals the audit log.
    Audit,
    /// Encrypts the secrets of authenticator apps, and the keys of backup codes, in the database.
    Factor,
}

#[derive(Debug, Subcommand)]
pub(super) enum AudienceCommand {
    /// List audiences and how their tokens are encrypted.
    List(Format),
    /// Create an audience with its own keys.
    Create {
        /// The name of the audience: 1 to 64 lower-case letters, digits, `.`, `-` and `_`.
        name: String,
    },
    /// Encrypt the tokens of an audience with a public key of its backends (ECDH-ES). Only they hold the private key.
    RegisterKey {
        /// The name of the audience.
        audience: String,
        /// The X25519 public key: 32 bytes in base64url, or the path of a file that contains it as a JWK.
        #[arg(allow_hyphen_values = true)]
        key: String,
    },
    /// Encrypt the tokens of an audience with a symmetric key that its backends share with this service (dir).
    UseSharedKey {
        /// The name of the audience.
        audience: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Count {
    /// List this many at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    pub(super) count: u16,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Format {
    /// Print one JSON object per line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// An e-mail address, a user name or an account id.
    pub(super) identifier: String,
}
