//! Requests for paths without a page: mailed links that a gateway or a mail program changed, and unknown paths.

use super::{PAGES, PageRules, page, shell};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

/// Answers browsers that request a path without a page.
#[derive(Clone, Debug)]
pub struct AstrayLinks {
    shell: Arc<str>,
    rules: PageRules,
}

impl AstrayLinks {
    pub fn new(rules: PageRules) -> Self {
        Self { shell: shell(rules), rules }
    }

    /// For a changed link, returns the page of the link: its script reads the token from the address, or asks for the
    /// code if there is none. For another path that a browser requests, returns the page for unknown paths. `None` for
    /// a path that cannot be a page, such as that of an RPC, which has a dot.
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        if PAGES.contains(&straightened(path)) {
            return Some(page(&self.shell, self.rules));
        }
        if path.contains('.') || !takes_html(headers) {
            return None;
        }
        let mut nothing = page(&self.shell, self.rules);
        *nothing.status_mut() = StatusCode::NOT_FOUND;
        Some(nothing)
    }
}

/// The path of a page without what mail programs add: a slash, a full stop, an encoded `>`, and a fragment whose `#`
/// was encoded, so that it arrives here with the token in it.
fn straightened(path: &str) -> &str {
    let is_added = |at: &usize| {
        let sign = path.get(at + 1..at + 3).unwrap_or_default();
        sign == "23" || sign.eq_ignore_ascii_case("3e")
    };
    let end = path.match_indices('%').map(|(at, _)| at).find(is_added).unwrap_or(path.len());
    path[..end].trim_end_matches(['/', '.'])
}

fn takes_html(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    lists.flat_map(|list| list.split(|byte| matches!(byte, b',' | b';'))).any(|kind| kind.trim_ascii() == b"text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_to_a_path_on_the_way_is_taken_off() {
        for bent in [
            "/verify",
            "/verify/",
            "/verify//",
            "/verify.",
            "/verify%23token=v4.local.a",
            "/verify/%23token%3Da",
            "/verify%3E",
            "/verify%3e.",
        ] {
            assert_eq!(straightened(bent), "/verify", "{bent}");
        }
        for other in ["/verify%2523", "/verify%", "/verify%2", "/%C3%A4", "/verify/x"] {
            assert_eq!(straightened(other), other, "{other}");
        }
        assert_eq!(straightened("/"), "");
    }
}
