//! Where the database is, and how the connection to it is protected.
//!
//! The drivers ignore unknown parameters (PostgreSQL), or report them when they connect (SQLite). A misspelt `sslmode`
//! would mean a connection in clear text, so every parameter is checked here.

use super::super::fault::Reason;
use super::super::source::Given;
use super::super::suggestion::closest;
use super::Value;
use super::redaction::redacted;
use super::url::{is_loopback_host, parsed, refuse_encoded_control};
use countersign_domain::secret::SecretText;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use url::{Url, form_urlencoded};

/// The URL of the database: checked, and stored as it was given.
pub(in super::super) struct DatabaseUrl(pub(in super::super) SecretText);

/// Aliases that the driver accepts are refused: one meaning, one spelling.
const POSTGRES_PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Without `allow`, which the driver treats as `disable`.
const SSL_MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];

const SQLITE_PARAMETERS: [&str; 3] = ["cache", "mode", "vfs"];
/// Without `ro`, because writes would fail.
const SQLITE_MODES: [&str; 3] = ["memory", "rw", "rwc"];
const SQLITE_CACHES: [&str; 2] = ["private", "shared"];

/// Parameters by name, decoded like the drivers do.
type Parameters<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// How a PostgreSQL server is connected to.
pub(in super::super) struct PostgresLink {
    host: Option<String>,
    sslmode: Option<String>,
    /// Files of certificates and keys that the driver reads, by parameter.
    files: Vec<(&'static str, PathBuf)>,
}

impl PostgresLink {
    /// `None` for SQLite, and for an invalid URL.
    pub(in super::super) fn of(url: &SecretText) -> Option<Self> {
        if url.reveal().starts_with("sqlite:") {
            return None;
        }
        postgres(url.reveal()).ok()
    }

    /// Whether the URL has a host. Otherwise the host comes from `PGHOST`, or the driver searches for a socket.
    pub(in super::super) fn names_a_host(&self) -> bool {
        self.host.is_some()
    }

    /// Whether the connection stays on this machine: a loopback address, `localhost`, or a Unix socket.
    pub(in super::super) fn stays_on_this_machine(&self) -> bool {
        self.host.as_deref().is_some_and(|host| host.starts_with('/') || is_loopback_host(host))
    }

    /// Whether the server must present a certificate for its name from a trusted authority.
    pub(in super::super) fn verifies_the_server(&self) -> bool {
        self.sslmode.as_deref() == Some("verify-full")
    }

    pub(in super::super) fn into_files(self) -> Vec<(&'static str, PathBuf)> {
        self.files
    }
}

impl DatabaseUrl {
    /// Whether the database is in memory and lost after the process.
    pub(in super::super) fn is_in_memory(url: &SecretText) -> bool {
        let Some(rest) = url.reveal().strip_prefix("sqlite:") else { return false };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        path.contains(":memory:") || parameters.any(|(name, value)| name == "mode" && value == "memory")
    }
}

impl Value for DatabaseUrl {
    const ALLOWED: &'static str = "`sqlite://path`, or `postgres://user:password@host/database?sslmode=verify-full`";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        match text.strip_prefix("sqlite:") {
            Some(rest) => check_sqlite(rest)?,
            None => drop(postgres(text)?),
        }
        refuse_encoded_control(text)?;
        Ok(Self(SecretText::new(text.to_owned())))
    }

    fn show(&self) -> toml::Value {
        redacted(self.0.reveal()).into()
    }
}

/// An SQLite URL contains a path, which may be relative, and does not follow the URL standard.
fn check_sqlite(rest: &str) -> Result<(), Reason> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.trim_start_matches('/').is_empty() {
        return Err(Reason::new("must name a file, as in sqlite://data/countersign.db"));
    }
    let given = parameters(form_urlencoded::parse(query.as_bytes()), &SQLITE_PARAMETERS)?;
    one_of(&given, "mode", &SQLITE_MODES)?;
    one_of(&given, "cache", &SQLITE_CACHES)
}

fn postgres(text: &str) -> Result<PostgresLink, Reason> {
    let url = parsed(text)?;
    if !matches!(url.scheme(), "postgres" | "postgresql") || !text.contains("://") {
        return Err(Reason::new("must start with sqlite:// or postgres://"));
    }
    // The driver would drop the fragment, and with it the rest of a password that was not encoded.
    if url.fragment().is_some() {
        return Err(Reason::new("must not have a fragment; \"#\" in a password is written %23"));
    }
    let given = parameters(url.query_pairs(), &POSTGRES_PARAMETERS)?;
    refuse_said_twice(&url, &given)?;
    one_of(&given, "sslmode", &SSL_MODES)?;
    if given.get("port").is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(Reason::new("port must be a number up to 65535"));
    }
    if given.get("statement-cache-capacity").is_some_and(|size| size.parse::<u16>().is_err()) {
        return Err(Reason::new("statement-cache-capacity must be a number up to 65535"));
    }
    let file = |name: &'static str| given.get(name).map(|path| (name, PathBuf::from(path.as_ref())));
    Ok(PostgresLink {
        host: given.get("host").map(|host| host.clone().into_owned()).or_else(|| host_of(&url)),
        sslmode: given.get("sslmode").map(|mode| mode.clone().into_owned()),
        files: ["sslrootcert", "sslcert", "sslkey"].into_iter().filter_map(file).collect(),
    })
}

/// A host that begins with an encoded slash is the folder of a socket.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let is_socket = host.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
    Some(if is_socket { host.replacen(&host[..3], "/", 1) } else { host.trim_matches(['[', ']']).to_owned() })
}

/// Refuses values that are in the URL and again in a parameter: which of the two the driver uses is not documented.
fn refuse_said_twice(url: &Url, given: &Parameters<'_>) -> Result<(), Reason> {
    let said = [
        ("host", url.host_str().is_some()),
        ("port", url.port().is_some()),
        ("user", !url.username().is_empty()),
        ("password", url.password().is_some()),
        ("dbname", !url.path().trim_matches('/').is_empty()),
    ];
    match said.into_iter().find(|(name, said)| *said && given.contains_key(*name)) {
        Some((name, _)) => Err(Reason::new(format!("says {name} twice: once before \"?\" and once behind it"))),
        None => Ok(()),
    }
}

/// The parameters: all known, and each given once. Unknown names are not repeated, because the rest of a password
/// follows a "?" that was not encoded.
fn parameters<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    known: &[&'static str],
) -> Result<Parameters<'a>, Reason> {
    let mut given = Parameters::new();
    for (index, (name, value)) in pairs.enumerate() {
        let is_option = known.contains(&"options") && name.starts_with("options[") && name.ends_with(']');
        if !is_option && !known.contains(&name.as_ref()) {
            let hint = match closest(&name, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("known are {}", known.join(", ")),
            };
            return Err(Reason::new(format!("has an unknown parameter, number {} behind \"?\"; {hint}", index + 1)));
        }
        if let Some(name) = known.iter().find(|known| given.contains_key(**known) && **known == name) {
            return Err(Reason::new(format!("says {name} twice")));
        }
        given.insert(name, value);
    }
    Ok(given)
}

fn one_of(given: &Parameters<'_>, name: &str, allowed: &[&str]) -> Result<(), Reason> {
    match given.get(name) {
        Some(value) if !allowed.contains(&value.as_ref()) => {
            let hint = closest(value, allowed.iter().copied()).map(|meant| format!("; did you mean {meant}?"));
            let allowed = allowed.join(", ");
            Err(Reason::new(format!("{name} must be one of {allowed}{}", hint.unwrap_or_default())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PostgresLink, check_sqlite, postgres};
    use countersign_domain::secret::SecretText;

    fn link(url: &str) -> PostgresLink {
        PostgresLink::of(&SecretText::new(url.to_owned())).unwrap_or_else(|| panic!("{url}"))
    }

    fn complaint(url: &str) -> String {
        postgres(url).err().unwrap_or_else(|| panic!("{url} was taken")).into_text()
    }

    #[test]
    fn loopback_and_sockets_are_this_machine_and_nothing_else_is() {
        for url in [
            "postgres://localhost/x",
            "postgres://u:p@LOCALHOST:5432/x",
            "postgres://127.0.0.1/x",
            "postgres://127.9.9.9/x",
            "postgres://[::1]:5432/x",
            "postgres:///x?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/x",
            "postgres:///x?host=127.0.0.1",
        ] {
            assert!(link(url).stays_on_this_machine(), "{url}");
        }
        for url in [
            "postgres://db/x",
            "postgres://10.0.0.1/x",
            "postgres://localhost.example.org/x",
            "postgres://127.0.0.1.example.org/x",
            "postgres:///x",
            "postgres:///x?host=db",
        ] {
            assert!(!link(url).stays_on_this_machine(), "{url}");
        }
        assert!(!link("postgres:///x").names_a_host());
    }

    #[test]
    fn only_verify_full_verifies_the_server() {
        assert!(link("postgres://db/x?sslmode=verify-full").verifies_the_server());
        assert!(link("postgres://db/x?%73slmode=verify%2Dfull").verifies_the_server(), "as the driver decodes it");
        for query in ["", "?sslmode=require", "?sslmode=prefer", "?sslmode=verify-ca", "?sslmode=disable"] {
            assert!(!link(&format!("postgres://db/x{query}")).verifies_the_server(), "{query}");
        }
    }

    #[test]
    fn a_misspelt_parameter_is_refused_with_the_one_that_was_meant() {
        for (query, meant) in
            [("sslmod=require", "sslmode"), ("ssl-mode=require", "sslmode"), ("sslrotcert=x", "sslrootcert")]
        {
            let reason = complaint(&format!("postgres://db/x?{query}"));
            assert!(reason.ends_with(&format!("did you mean {meant}?")), "{reason}");
        }
        let reason = complaint("postgres://db/x?sslmode=require&colour=red");
        assert!(reason.contains("number 2") && reason.contains("sslmode") && !reason.contains("colour"), "{reason}");
        let reason = complaint("postgres://db/x?sslmode=verify-ful");
        assert!(reason.ends_with("did you mean verify-full?"), "{reason}");
        assert!(complaint("postgres://db/x?sslmode=allow").contains("must be one of"));
        for (rest, meant) in [("//a.db?mod=rwc", "mode"), ("//a.db?cahce=shared", "cache"), ("//a.db?mode=rwcc", "rwc")]
        {
            let reason = check_sqlite(rest).expect_err(rest).into_text();
            assert!(reason.ends_with(&format!("did you mean {meant}?")), "{reason}");
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        for url in [
            "postgres://db/x?sslmode=verify-full&sslmode=disable",
            "postgres://db/x?sslmode=verify-full&%73slmode=disable",
            "postgres://localhost/x?host=db",
            "postgres://ann@db/x?user=bob",
            "postgres://ann:a@db/x?password=b",
            "postgres://db:1/x?port=2",
            "postgres://db/x?dbname=y",
        ] {
            assert!(complaint(url).contains("twice"), "{url}");
        }
    }

    #[test]
    fn the_rest_of_a_password_that_was_not_encoded_is_not_repeated() {
        for url in ["postgres://ann:1?c4n4ry@db/x", "postgres://ann:1?sslmode=c4n4ry@db/x", "postgres://db/x?c4n4ry=1"]
        {
            assert!(!complaint(url).contains("c4n4ry"), "{url}");
        }
        assert!(complaint("postgres://ann@db/x#y").contains("%23"));
    }

    #[test]
    fn options_of_the_server_may_be_given_by_name() {
        link("postgres://db/x?options[search_path]=a&options[geqo]=off&options=-c%20jit%3Doff&sslrootcert=/ca.pem");
    }
}
