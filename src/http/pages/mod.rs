//! The account pages: built in `web/account` and embedded here, so that the binary needs no other files.
//!
//! Every page is the same shell, whose script shows what belongs to the path. Opening a page changes nothing: the token
//! of a mailed link is in the fragment, which a browser sends to no server, and is used when a person presses a button.

mod asset;
mod astray;
mod policy;

use super::hardening::harden;
use asset::{Asset, SHELL};
pub use astray::AstrayLinks;
use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use countersign_domain::captcha::CaptchaProvider;
use policy::policy;
use std::sync::Arc;

/// The settings of the pages.
#[derive(Clone, Copy, Debug)]
pub struct PageRules {
    /// Whether there is a development mailbox.
    pub mailbox: bool,
    /// Whether browsers reach this service over HTTPS.
    pub https: bool,
    /// The provider whose captcha the pages may have to show.
    pub captcha: Option<CaptchaProvider>,
}

/// The paths that show a page.
pub const PAGES: [&str; 13] = [
    "/",
    "/sign-in",
    "/register",
    "/verify",
    "/forgot-password",
    "/reset",
    "/confirm-email",
    "/account",
    "/account/password",
    "/account/security",
    "/account/email",
    "/account/sessions",
    "/account/delete",
];
const MAILBOX: &str = "/dev/mailbox";

const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
/// Two years (RFC 6797). Subdomains are not included: they are not part of this service.
const HTTPS_ONLY: &str = "max-age=63072000";
/// A change of a file's content changes its name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The pages and the files that they load.
pub fn pages_router(rules: PageRules) -> Router {
    let shell = shell(rules);
    let pages = PAGES.into_iter().chain(rules.mailbox.then_some(MAILBOX));
    let router = pages.fold(Router::new(), |router, path| {
        let shell = shell.clone();
        router.route(path, get(async move || page(&shell, rules)))
    });
    asset::ALL.iter().fold(router, |router, asset| {
        router.route(asset.path, get(async move |headers: HeaderMap| file(asset, &headers)))
    })
}

/// The one document of all pages. Two shells differ in one word.
fn shell(rules: PageRules) -> Arc<str> {
    if rules.mailbox { SHELL.replace("data-mailbox=\"off\"", "data-mailbox=\"on\"").into() } else { SHELL.into() }
}

fn page(shell: &str, rules: PageRules) -> Response {
    let mut response = Html(shell.to_owned()).into_response();
    let headers = response.headers_mut();
    harden(headers);
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, policy(rules.captcha));
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    set(header::CACHE_CONTROL, "no-store");
    if rules.captcha.is_some() {
        // The provider identifies the site by this header. It gets the origin and not the path.
        set(header::REFERRER_POLICY, "strict-origin");
    }
    if rules.https {
        set(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    response
}

fn file(asset: &'static Asset, asked: &HeaderMap) -> Response {
    let mut response = ().into_response();
    let headers = response.headers_mut();
    harden(headers);
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, asset.content_type);
    set(header::CACHE_CONTROL, FOR_EVER);
    set(header::VARY, "accept-encoding");
    let body = if takes_gzip(asked) {
        set(header::CONTENT_ENCODING, "gzip");
        asset.gzip
    } else {
        asset.plain
    };
    *response.body_mut() = body.into();
    response
}

/// Whether `accept-encoding` allows gzip (RFC 9110 section 12.5.3). A client without this header gets no compression.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lists = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_zero = weight.trim().trim_start_matches("q=").parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_zero
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let asked = |value: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        for value in ["gzip", "br, gzip, zstd", "GZIP;q=0.5"] {
            assert!(asked(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "br;q=1, gzip; q=0.0", "xgzip"] {
            assert!(!asked(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_shell_says_in_one_place_whether_there_is_a_mailbox() {
        assert_eq!(SHELL.matches("data-mailbox=\"off\"").count(), 1);
        assert!(!SHELL.contains("data-mailbox=\"on\""));
    }

    #[test]
    fn whatever_the_shell_loads_is_embedded() {
        let loaded = SHELL.split('"').filter(|text| text.starts_with('/'));
        for path in loaded {
            assert!(asset::ALL.iter().any(|asset| asset.path == path), "{path}");
        }
        assert!(asset::ALL.iter().any(|asset| asset.content_type.starts_with("text/javascript")));
    }
}
