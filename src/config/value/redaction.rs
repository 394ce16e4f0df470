//! URLs without their passwords.

use super::REDACTED;

/// Parameters of a database URL that are useful to show and contain no secret. An allow list: drivers also accept
/// `password=`.
const HARMLESS: [&str; 9] =
    ["application_name", "cache", "dbname", "host", "immutable", "mode", "port", "sslmode", "user"];

/// The URL with its password and every unknown parameter replaced. Works on the text, because a parser would encode the
/// brackets of the replacement, and because an SQLite URL does not follow the URL standard.
pub(super) fn redacted(url: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let mut shown = without_password(address);
    if let Some(query) = query {
        let parameters: Vec<String> = query.split('&').map(parameter).collect();
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    shown
}

fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:{REDACTED}@{host}{path}"),
        _ => address.to_owned(),
    }
}

fn parameter(text: &str) -> String {
    let name = text.split('=').next().unwrap_or(text);
    if HARMLESS.contains(&name) { text.to_owned() } else { format!("{name}={REDACTED}") }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn a_password_is_replaced_wherever_it_stands() {
        assert_eq!(redacted("postgres://ann:canary@db:5432/x"), "postgres://ann:[secret]@db:5432/x");
        assert_eq!(redacted("postgres://ann:can@ary:x@db/x"), "postgres://ann:[secret]@db/x");
        assert_eq!(redacted("rediss://:canary@cache"), "rediss://:[secret]@cache");
        assert_eq!(
            redacted("postgres://ann@db/x?sslmode=require&password=canary&p%61ssword=canary"),
            "postgres://ann@db/x?sslmode=require&password=[secret]&p%61ssword=[secret]"
        );
    }

    #[test]
    fn a_url_without_secrets_stays_as_it_is() {
        for url in
            ["sqlite://data/a.db?mode=rwc", "sqlite::memory:", "postgres:///x?host=/run/pg", "redis://[::1]:6379/0"]
        {
            assert_eq!(redacted(url), url);
        }
    }
}
