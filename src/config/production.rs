//! What `profile = "production"` refuses to start with: everything that development makes up for convenience.

use super::browser::Browser;
use super::links::Links;
use super::mail::Mail;
use super::reader::Reader;
use super::source::variable_of;
use super::top::{Profile, Top};
use super::value::DatabaseUrl;

pub(super) fn check(reader: &mut Reader, top: &Top, browser: &Browser, links: &Links, mail: &Mail) {
    if top.profile != Profile::Production {
        return;
    }
    let must_set = |key: &str| format!("must be set in production, for instance by {}", variable_of(key));

    // A key that lies beside the database is stolen with it.
    let kek_is_set = reader.is_set("keys.kek");
    let reason = format!("{}_FILE, which names a file of base64 for 32 random bytes", must_set("keys.kek"));
    reader.require(&["keys.kek"], kek_is_set, reason);

    let reason = format!("{}; without it no mail leaves this machine", must_set("smtp_url"));
    reader.require(&["smtp_url"], top.smtp_url.is_some(), reason);

    // SQLite is a fine choice where one machine is enough, but nobody should have made it by forgetting a variable.
    let database_is_set = reader.is_set("database_url");
    let reason = format!("{}; sqlite://… is allowed, but only if it is meant", must_set("database_url"));
    reader.require(&["database_url"], database_is_set, reason);
    let in_memory = DatabaseUrl::is_in_memory(&top.database_url);
    reader.require(&["database_url"], !in_memory, "must not be in memory in production: it would end with the process");

    // Browsers keep `Secure` cookies back over plain HTTP, and links with tokens would travel in the clear.
    let https = top.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
    reader.require(&["public_url"], https, "must start with https:// in production");

    let https = links.base_url.as_ref().is_none_or(|url| url.scheme() == "https");
    reader.require(&["links.base_url"], https, "must start with https:// in production");

    let https = browser.allowed_origins.iter().all(|origin| origin.starts_with("https://"));
    reader.require(&["browser.allowed_origins"], https, "must start with https:// in production");

    let local = mail.from.domain().eq_ignore_ascii_case("localhost");
    let reason = format!("must not be an address at localhost in production, set {}", variable_of("mail.from"));
    reader.require(&["mail.from"], !local, reason);
}
