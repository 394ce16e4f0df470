//! What `profile = "production"` refuses to start with: values that development invents for convenience, and settings
//! that would send a secret in clear text or disable a defence. A refusal that an operator may have a reason to lift
//! has a setting of its own, whose name begins with `dangerous_`.

use super::limits::shown;
use super::reader::Reader;
use super::source::variable_of;
use super::top::Profile;
use super::value::{DatabaseUrl, LimitSize, PostgresLink, RedisUrl};
use super::{Config, Limits, Passwords};
use countersign_domain::limit::{Limit, SHARED_TIMES};
use ipnet::IpNet;
use std::net::SocketAddr;

pub(super) fn check(reader: &mut Reader, settings: &Config) {
    if settings.profile != Profile::Production {
        return;
    }
    refuse_what_development_makes_up(reader, settings);
    require_https(reader, settings);
    refuse_a_sender_that_nobody_can_answer(reader, settings);
    refuse_plain_connections(reader, settings);
    refuse_plain_listeners(reader, settings);
    refuse_weak_defences(reader, settings);
    refuse_limits_that_nobody_reaches(reader, &settings.limits);
}

fn must_set(key: &str) -> String {
    format!("must be set in production, for instance by {}", variable_of(key))
}

fn refuse_what_development_makes_up(reader: &mut Reader, settings: &Config) {
    // A key that is stored beside the database can be stolen with it.
    let kek_is_set = reader.is_set("keys.kek");
    let reason = format!("{}_FILE, which names a file of base64 for 32 random bytes", must_set("keys.kek"));
    reader.require(&["keys.kek"], kek_is_set, reason);

    let reason = format!("{}; without it no mail is sent", must_set("smtp_url"));
    reader.require(&["smtp_url"], settings.smtp_url.is_some(), reason);

    // SQLite is a good choice for a single machine, but it must be chosen, and not the result of a missing variable.
    let database_is_set = reader.is_set("database_url");
    let reason = format!("{}; sqlite://… is allowed, but must be set explicitly", must_set("database_url"));
    reader.require(&["database_url"], database_is_set, reason);
    let in_memory = DatabaseUrl::is_in_memory(&settings.database_url);
    reader.require(&["database_url"], !in_memory, "must not be in memory in production: it would end with the process");
}

fn refuse_a_sender_that_nobody_can_answer(reader: &mut Reader, settings: &Config) {
    let local = settings.mail.from.domain().eq_ignore_ascii_case("localhost");
    let reason = format!("must not be an address at localhost in production, set {}", variable_of("mail.from"));
    reader.require(&["mail.from"], !local, reason);
}

/// Browsers do not send `Secure` cookies over plain HTTP, links with tokens would travel in clear text, and others load
/// keys from the issuer's URL.
fn require_https(reader: &mut Reader, settings: &Config) {
    const REASON: &str = "must start with https:// in production";
    let is_https = |url: &url::Url| url.scheme() == "https";
    reader.require(&["public_url"], is_https(&settings.public_url), REASON);
    reader.require(&["links.base_url"], settings.links.base_url.as_ref().is_none_or(is_https), REASON);
    let origins = &settings.browser.allowed_origins;
    reader.require(&["browser.allowed_origins"], origins.iter().all(|origin| origin.starts_with("https://")), REASON);
    let issuer = settings.keys.issuer.get(.."https://".len());
    let issuer_is_https = issuer.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    reader.require(&["keys.issuer", "public_url"], issuer_is_https, REASON);
}

/// This connection carries a password and all data. With less than `verify-full`, the server could be an impostor.
fn refuse_plain_connections(reader: &mut Reader, settings: &Config) {
    const ALLOWED_BY: &str = "database.dangerous_unverified_tls";
    if let Some(link) = PostgresLink::of(&settings.database_url) {
        let named = link.names_a_host();
        reader.require(&["database_url"], named, "must name the host of the database in production");
        let holds = link.stays_on_this_machine() || link.verifies_the_server();
        let reason = format!(
            "must set sslmode=verify-full in production, as in \
             postgres://…?sslmode=verify-full&sslrootcert=/path/to/ca.pem: without it an attacker on the network can \
             read the traffic; {ALLOWED_BY} ({}) allows less",
            variable_of(ALLOWED_BY)
        );
        reader.require(&["database_url", ALLOWED_BY], holds || settings.database.dangerous_unverified_tls, reason);
    }
    const PLAIN_REDIS: &str = "dangerous_plain_redis";
    let plain = settings.redis_url.as_ref().is_some_and(RedisUrl::is_plain_beyond_this_machine);
    let reason = format!(
        "must start with rediss:// in production, unless Redis is on this machine; {PLAIN_REDIS} ({}) allows it",
        variable_of(PLAIN_REDIS)
    );
    reader.require(&["redis_url", PLAIN_REDIS], !plain || settings.dangerous_plain_redis, reason);
}

/// This service does not terminate TLS. To listen beyond this machine, a setting must confirm that a proxy does.
fn refuse_plain_listeners(reader: &mut Reader, settings: &Config) {
    let Config { server, admin, .. } = settings;
    let beyond = |address: SocketAddr| !address.ip().to_canonical().is_loopback();

    const PLAIN: &str = "server.dangerous_plain_listener";
    let told = !server.trusted_proxies.is_empty() || server.dangerous_plain_listener;
    let reason = format!(
        "must be a loopback address in production unless a proxy terminates TLS: name the proxy in \
         server.trusted_proxies, or set {PLAIN} ({})",
        variable_of(PLAIN)
    );
    let keys = ["listen", "server.trusted_proxies", PLAIN];
    reader.require(&keys, !beyond(settings.listen) || told, reason);

    const PLAIN_ADMIN: &str = "admin.dangerous_plain_listener";
    let reason = format!(
        "must be a loopback address in production: the operators' token and metrics travel in clear text; \
         {PLAIN_ADMIN} ({}) allows other addresses, for a network that nobody else uses",
        variable_of(PLAIN_ADMIN)
    );
    let holds = !settings.admin_listen.is_some_and(beyond) || admin.dangerous_plain_listener;
    reader.require(&["admin_listen", PLAIN_ADMIN], holds, reason);
}

fn refuse_weak_defences(reader: &mut Reader, settings: &Config) {
    let widest = widest(&settings.server.trusted_proxies);
    let reason = match widest {
        Some(network) => format!(
            "must not hold so wide a network in production: {network} is wider than /8 (IPv4) or /16 (IPv6), and a \
             trusted proxy decides which IP addresses rate limits count; name the networks of your proxies"
        ),
        None => String::new(),
    };
    reader.require(&["server.trusted_proxies"], widest.is_none(), reason);

    let Passwords { argon2_memory_kib: memory, argon2_iterations: iterations, .. } = &settings.passwords;
    let least = least_memory_kib(*iterations);
    let reason = format!(
        "must be at least {least} in production, with passwords.argon2_iterations = {iterations}: the minimum of the OWASP \
         Password Storage Cheat Sheet"
    );
    reader.require(&["passwords.argon2_memory_kib", "passwords.argon2_iterations"], *memory >= least, reason);
}

/// The largest limit allowed: ten times the default.
const MOST_TIMES: u32 = 10;
const MOST_PERCENT: u32 = MOST_TIMES * 100;

/// A limit that nobody reaches stops no brute force and no flood, whichever setting made it so large.
fn refuse_limits_that_nobody_reaches(reader: &mut Reader, limits: &Limits) {
    const WHY: &str = "a limit that nobody reaches stops no brute force and no flood";
    let reason = format!("must not be above {MOST_PERCENT} in production: {WHY}");
    reader.require(&["limits.percent"], limits.percent <= MOST_PERCENT, reason);

    for limit in Limit::ALL {
        let most = limit.quota().times(MOST_TIMES);
        let usual = (Some(limit.name()), limits.sizes.usual(limit), most);
        let shared = (limit.shared_name(), limits.sizes.shared(limit), most.times(SHARED_TIMES));
        for (name, size, most) in [usual, shared] {
            // A size that is not set follows from another setting, which has its own check.
            let Some(key) = name.map(|name| format!("limits.{name}")).filter(|key| reader.is_set(key)) else {
                continue;
            };
            let most_shown = shown(LimitSize(most));
            let reason = format!(
                "must not exceed {most_shown:?} in production, {MOST_TIMES} times the default, neither in burst nor in \
                 rate: {WHY}"
            );
            reader.require(&[&key], !size.exceeds(most), reason);
        }
    }

    let widest = widest(limits.sizes.shared_networks());
    let reason = widest.map_or_else(String::new, |network| {
        format!(
            "must not hold so wide a network in production: {network} is wider than /8 (IPv4) or /16 (IPv6), and each \
             of its addresses may make {SHARED_TIMES} times as many login attempts as others; name the networks of the \
             offices and carriers"
        )
    });
    reader.require(&["limits.shared_networks"], widest.is_none(), reason);
}

/// The minimum memory for this number of passes, in KiB: the equivalent settings of Argon2id in the OWASP Password
/// Storage Cheat Sheet. Lanes do not change the cost of brute force.
fn least_memory_kib(iterations: u32) -> u32 {
    match iterations {
        0 | 1 => 47_104,
        2 => 19_456,
        3 => 12_288,
        4 => 9_216,
        _ => 7_168,
    }
}

/// A network that is too wide to consist of proxies, or to belong to one office or carrier, also if it is given in
/// parts.
fn widest(networks: &[IpNet]) -> Option<IpNet> {
    let is_too_wide = |network: &IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 16,
    };
    IpNet::aggregate(&networks.to_vec()).into_iter().find(is_too_wide)
}

#[cfg(test)]
mod tests {
    use super::{least_memory_kib, widest};
    use ipnet::IpNet;

    fn is_too_wide(networks: &str) -> bool {
        let networks: Vec<IpNet> = networks.split(' ').map(|network| network.parse().expect("a network")).collect();
        widest(&networks).is_some()
    }

    #[test]
    fn half_the_internet_is_no_proxy_whether_it_is_named_at_once_or_in_pieces() {
        for networks in
            ["0.0.0.0/1 128.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "8.0.0.0/8 9.0.0.0/8", "2000::/3", "fc00::/7"]
        {
            assert!(is_too_wide(networks), "{networks}");
        }
        for networks in [
            "10.0.0.0/8",
            "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.1/32",
            "fd00::/16",
            "2001:db8::/32",
            "::1/128",
        ] {
            assert!(!is_too_wide(networks), "{networks}");
        }
    }

    #[test]
    fn fewer_passes_want_more_memory() {
        let least: Vec<u32> = (1..=6).map(least_memory_kib).collect();
        assert_eq!(least, [47_104, 19_456, 12_288, 9_216, 7_168, 7_168]);
    }
}
