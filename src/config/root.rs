//! The whole configuration.

use super::production;
use super::reader::Reader;
use super::top::{Profile, Top};
use super::{
    Accounts, Admin, Audit, Browser, Captcha, Database, Factors, Keys, Limits, Links, Lockout, Log, Mail, Passkeys,
    Passwords, Risk, Server, Sessions, Verification,
};
use countersign_domain::secret::SecretText;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// All settings, validated. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `dev` or `production`.
    pub profile: Profile,
    /// The listener for clients and backends. Port 0: any free port.
    pub listen: SocketAddr,
    /// The operators' listener; `None` switches the administration off.
    pub admin_listen: Option<SocketAddr>,
    /// The directory for this process's files: the embedded database, its key, development mails.
    pub data_dir: PathBuf,
    /// Whether the groups of this process may access files of secrets there.
    pub allow_group_access: bool,
    /// `sqlite:…`, `postgres://…` or `postgresql://…`.
    pub database_url: SecretText,
    /// `redis://…` or `rediss://…`; without one, notifications and limits stay within the process.
    pub redis_url: Option<SecretText>,
    /// Whether production may connect to a Redis on another machine without TLS.
    pub dangerous_plain_redis: bool,
    /// `smtp://[user:password@]host:port` or `smtps://…`, user and password percent-encoded, always with a port;
    /// without one, mails are written to `<data_dir>/mail`.
    pub smtp_url: Option<SecretText>,
    /// The public address of this service: `http` or `https`, without user, query or fragment; the path ends with a
    /// slash so that `join` works.
    pub public_url: Url,
    /// `[database]`
    pub database: Database,
    /// `[keys]`
    pub keys: Keys,
    /// `[sessions]`
    pub sessions: Sessions,
    /// `[verification]`
    pub verification: Verification,
    /// `[browser]`
    pub browser: Browser,
    /// `[captcha]`; `None` where no provider is configured.
    pub captcha: Option<Captcha>,
    /// `[limits]`
    pub limits: Limits,
    /// `[lockout]`
    pub lockout: Lockout,
    /// `[risk]`
    pub risk: Risk,
    /// `[links]`
    pub links: Links,
    /// `[accounts]`
    pub accounts: Accounts,
    /// `[factors]`
    pub factors: Factors,
    /// `[passkeys]`
    pub passkeys: Passkeys,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[mail]`
    pub mail: Mail,
    /// `[server]`
    pub server: Server,
    /// `[log]`
    pub log: Log,
    /// `[audit]`
    pub audit: Audit,
    /// `[admin]`
    pub admin: Admin,
}

impl Config {
    /// Reads all settings, whatever faults are found. `None` only without a public URL, which is a fault then.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let top = Top::read(reader);
        let database = Database::read(reader, &top.database_url);
        let keys = Keys::read(reader, top.public_url.as_ref());
        let sessions = Sessions::read(reader);
        let verification = Verification::read(reader);
        let browser = Browser::read(reader);
        let captcha = Captcha::read(reader, top.profile);
        let limits = Limits::read(reader, top.redis_url.is_some());
        let lockout = Lockout::read(reader);
        let risk = Risk::read(reader);
        let links = Links::read(reader, &browser);
        let accounts = Accounts::read(reader, &links);
        let factors = Factors::read(reader);
        let passkeys = Passkeys::read(reader, top.public_url.as_ref());
        let passwords = Passwords::read(reader);
        let mail = Mail::read(reader);
        let server = Server::read(reader, top.profile);
        let log = Log::read(reader);
        let audit = Audit::read(reader);
        let admin = Admin::read(reader);
        let config = Self {
            profile: top.profile,
            listen: top.listen,
            admin_listen: top.admin_listen,
            data_dir: top.data_dir,
            allow_group_access: top.allow_group_access,
            database_url: top.database_url,
            redis_url: top.redis_url,
            dangerous_plain_redis: top.dangerous_plain_redis,
            smtp_url: top.smtp_url,
            public_url: top.public_url?,
            database,
            keys,
            sessions,
            verification,
            browser,
            captcha,
            limits,
            lockout,
            risk,
            links,
            accounts,
            factors,
            passkeys,
            passwords,
            mail,
            server,
            log,
            audit,
            admin,
        };
        production::check(reader, &config);
        Some(config)
    }
}
