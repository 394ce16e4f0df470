//! The settings at the top of the file, outside any section.

use super::fault::{Reason, quoted};
use super::reader::{Reader, Section};
use super::source::Given;
use super::value::{DatabaseUrl, OptionalListener, PublicUrl, RedisUrl, SmtpUrl, Value};
use countersign_domain::secret::SecretText;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use url::Url;

/// How strict the service is about missing and dangerous settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Missing values are invented, so that `countersign serve` runs without settings.
    Dev,
    /// The service does not start where an invented value would be dangerous.
    Production,
}

/// The settings at the top of the file.
pub(super) struct Top {
    pub(super) profile: Profile,
    pub(super) listen: SocketAddr,
    pub(super) admin_listen: Option<SocketAddr>,
    pub(super) data_dir: PathBuf,
    pub(super) allow_group_access: bool,
    pub(super) database_url: SecretText,
    pub(super) redis_url: Option<SecretText>,
    pub(super) dangerous_plain_redis: bool,
    pub(super) smtp_url: Option<SecretText>,
    /// `None` if it was not given and cannot be derived from `listen`, which is a fault.
    pub(super) public_url: Option<Url>,
}

impl Top {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("", "Where this service listens, and what it connects to.");
        let profile = section.value(
            "profile",
            Profile::Dev,
            "`dev` fills in what is missing, so that the service starts without configuration. `production` refuses \
             to start with a missing or default secret, without a mail server, with plain HTTP for people, or where \
             a secret would cross a network in clear text.",
        );
        let listen = section.value("listen", local(50051), "Address for clients and backends.");
        let admin = OptionalListener(Some(local(50052)));
        let admin_listen = section.value("admin_listen", admin, "Address for operators.").0;
        let (data_dir, database_url) = read_storage(&mut section);
        let allow_group_access = section.value(
            "allow_group_access",
            false,
            "Whether the secret files in `data_dir`, `kek` and `admin-token`, may be readable for a group of this \
             process. Kubernetes gives the files of a volume to the `fsGroup` of the pod; without this setting the \
             next start fails.",
        );
        let redis_url = section.optional::<RedisUrl>(
            "redis_url",
            "Redis, which wakes up other replicas and, with `limits.store`, counts rate limits and wrong passwords \
             for all of them. Without it each replica counts by itself.",
        );
        let dangerous_plain_redis = section.value(
            "dangerous_plain_redis",
            false,
            "Allows production to use Redis on another machine without TLS (`redis://`). The password then travels \
             in clear text, and an attacker on the network can reset rate limits.",
        );
        let smtp_url = section.optional::<SmtpUrl>(
            "smtp_url",
            "Mail server. Without it mails are written to files. Percent-encode reserved characters in user and \
             password.",
        );
        let public_url = read_public_url(&mut section, listen);
        reader.require(
            &["admin_listen", "listen"],
            !admin_listen.is_some_and(|admin| collide(admin, listen)),
            format!("must not take the address of listen, {listen}"),
        );
        Self {
            profile,
            listen,
            admin_listen,
            data_dir,
            allow_group_access,
            database_url,
            redis_url: redis_url.map(|url| url.0),
            dangerous_plain_redis,
            smtp_url: smtp_url.map(|url| url.0),
            public_url,
        }
    }
}

fn read_storage(section: &mut Section<'_>) -> (PathBuf, SecretText) {
    let data_dir = section.value(
        "data_dir",
        PathBuf::from("data"),
        "Directory of the embedded database, its key file and, without a mail server, `mail/*.eml`.",
    );
    let database_url = section.derived(
        "database_url",
        default_database(&data_dir),
        "`sqlite://<data_dir>/countersign.db`",
        "Database.",
    );
    (data_dir, database_url.0)
}

fn read_public_url(section: &mut Section<'_>, listen: SocketAddr) -> Option<Url> {
    const NAME: &str = "public_url";
    const ABOUT: &str = "URL under which people reach this service. Links in mails begin with it. A missing slash is \
                         added at the end of its path.";
    const DEFAULT: &str = "`http://<listen>`, with `localhost` for `127.0.0.1`, `::1` and the unspecified address";
    match default_public_url(listen) {
        Some(default) => Some(section.derived(NAME, default, DEFAULT, ABOUT).0),
        None => {
            let given = section.optional::<PublicUrl>(NAME, ABOUT);
            let reason = format!("must be set: no URL can be made of listen, {listen}");
            section.reader().require(&[NAME], given.is_some(), reason);
            given.map(|url| url.0)
        }
    }
}

/// `None` for an address that a URL cannot contain: an IPv6 address with a zone (RFC 6874 is not in the URL standard).
fn default_public_url(listen: SocketAddr) -> Option<PublicUrl> {
    // The unspecified address can be listened on, but not connected to. Passkeys need a name in place of an address.
    let is_localhost = listen.ip() == Ipv4Addr::LOCALHOST || listen.ip() == Ipv6Addr::LOCALHOST;
    let has_name = listen.ip().is_unspecified() || is_localhost;
    let host = if has_name { format!("localhost:{}", listen.port()) } else { listen.to_string() };
    PublicUrl::new(&format!("http://{host}/")).ok()
}

/// The driver decodes `%41` and ends the path at `?`, so these are encoded in the name of the directory.
fn default_database(data_dir: &Path) -> DatabaseUrl {
    let file = data_dir.join("countersign.db");
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    DatabaseUrl(SecretText::new(format!("sqlite://{path}")))
}

/// Loopback: other machines can connect only after a setting allows it.
fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Whether the second of two listeners would find its port in use.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && overlap
}

impl Value for Profile {
    const ALLOWED: &'static str = "`dev` or `production`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "dev" => Ok(Self::Dev),
            "production" => Ok(Self::Production),
            other => Err(Reason::new(format!("must be \"dev\" or \"production\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Dev => "dev".into(),
            Self::Production => "production".into(),
        }
    }
}
