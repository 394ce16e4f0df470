//! Finds the token in a request.

use http::{HeaderMap, Method, header};

use crate::rejected::Rejected;

/// The cookie that the service sets for browsers.
pub(crate) const ACCESS_COOKIE: &str = "__Host-countersign_access";

/// The sources of tokens. Shared by the layer and the interceptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) cookie: bool,
    /// Origins whose pages may send the cookie, besides the backend's own.
    pub(crate) trusted_origins: Vec<String>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { cookie: true, trusted_origins: Vec::new() }
    }
}

/// The parts of a request that decide about its token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// `:authority` of HTTP/2, where `host` may be missing.
    pub(crate) authority: Option<&'a str>,
}

impl Sources {
    /// The token of the request, if there is one.
    ///
    /// If a request has an `authorization` header, only that is read, whatever its scheme: a page of another origin
    /// cannot set it without permission, while browsers send the cookie by themselves.
    ///
    /// # Errors
    /// [`Rejected::Malformed`] when there is more than one, or a text that cannot be one; [`Rejected::CrossOrigin`]
    /// when a browser sent the cookie for a page of another origin.
    pub(crate) fn token<'a>(&self, asked: Asked<'a>) -> Result<Option<&'a str>, Rejected> {
        let mut presented = asked.headers.get_all(header::AUTHORIZATION).iter();
        if let Some(only) = presented.next() {
            // Two proxies could disagree about which of the two counts, and an attacker could use the difference.
            return match presented.next() {
                None => bearer(only.as_bytes()),
                Some(_) => Err(Rejected::Malformed),
            };
        }
        if !self.cookie {
            return Ok(None);
        }
        let Some(token) = cookie(asked.headers)? else { return Ok(None) };
        if self.comes_from_elsewhere(asked) { Err(Rejected::CrossOrigin) } else { Ok(Some(token)) }
    }

    /// Whether a page of another origin made this request, and it may change something.
    ///
    /// The cookie is `SameSite=Strict`, which keeps it from other sites, but not from another origin of the same site,
    /// such as a subdomain with somebody else's content. `Sec-Fetch-Site` distinguishes those (Fetch Metadata); if a
    /// browser does not send it, `Origin` does. A client that sends neither is no browser, and sends no cookie by
    /// itself.
    fn comes_from_elsewhere(&self, asked: Asked<'_>) -> bool {
        // RFC 9110 section 9.2.1: these change nothing, and navigation needs them.
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(asked.method) {
            return false;
        }
        let text = |name| asked.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let origin = text("origin");
        if origin.is_some_and(|origin| self.trusted_origins.iter().any(|trusted| trusted == origin)) {
            return false;
        }
        match (text("sec-fetch-site"), origin) {
            (Some(site), _) => site != "same-origin" && site != "none",
            (None, Some(origin)) => {
                let here = asked.authority.or_else(|| text("host"));
                origin.split_once("://").map(|(_, host)| host) != here
            }
            (None, None) => false,
        }
    }
}

/// `Bearer <token>` (RFC 6750 section 2.1); the scheme in any case (RFC 9110 section 11.1). `None` for another scheme.
fn bearer(value: &[u8]) -> Result<Option<&str>, Rejected> {
    let Some((scheme, rest)) = value.split_at_checked("Bearer".len()) else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Ok(None);
    }
    match rest.split_first() {
        Some((b' ', token)) => token_text(token.trim_ascii_start()).map(Some),
        Some(_) => Ok(None),
        None => Err(Rejected::Malformed),
    }
}

/// The value of the access cookie. Over HTTP/2 one list of cookies may be split over several headers (RFC 9113 section
/// 8.2.3). An attacker who can set a cookie can set a second one (RFC 6265 section 8.6), so two cookies are refused.
fn cookie(headers: &HeaderMap) -> Result<Option<&str>, Rejected> {
    let pairs = headers.get_all(header::COOKIE).iter().flat_map(|list| list.as_bytes().split(|byte| *byte == b';'));
    let mut found = None;
    for pair in pairs {
        let pair = pair.trim_ascii();
        let Some(value) = pair.strip_prefix(ACCESS_COOKIE.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else {
            continue;
        };
        if found.replace(value).is_some() {
            return Err(Rejected::Malformed);
        }
    }
    found.map(token_text).transpose()
}

/// Letters, digits and the few signs of compact JOSE. Any other text is refused here, before it is parsed.
fn token_text(token: &[u8]) -> Result<&str, Rejected> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if token.is_empty() || token.len() > countersign_token::MAX_ACCESS_TOKEN_BYTES || !token.iter().all(allowed) {
        return Err(Rejected::Malformed);
    }
    str::from_utf8(token).map_err(|_| Rejected::Malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_bytes(value).unwrap())).collect()
    }

    fn read(pairs: &[(&'static str, &[u8])]) -> Result<Option<String>, Rejected> {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let asked = Asked { method: &Method::POST, headers: &map, authority: Some("api.test") };
        Sources::default().token(asked).map(|token| token.map(str::to_owned))
    }

    fn ok(token: &str) -> Result<Option<String>, Rejected> {
        Ok(Some(token.to_owned()))
    }

    const COOKIE: &[u8] = b"__Host-countersign_access=c.c";

    #[test]
    fn a_header_is_read_in_every_spelling_of_its_scheme() {
        assert_eq!(read(&[("authorization", b"Bearer a.b-c_d")]), ok("a.b-c_d"));
        assert_eq!(read(&[("authorization", b"bEARER   a")]), ok("a"));
        assert_eq!(read(&[]), Ok(None));
        for other in [b"Basic YTpi".as_slice(), b"", b"Be", b"Bearerx a", b"DPoP a", b"\xff"] {
            assert_eq!(read(&[("authorization", other), ("cookie", COOKIE)]), Ok(None), "{other:?}");
        }
        let long = [b"Bearer ".as_slice(), &[b'a'; 8193]].concat();
        for hostile in
            [b"Bearer".as_slice(), b"Bearer ", b"Bearer a b", b"Bearer a,b", b"Bearer \"a\"", b"Bearer \xff", &long]
        {
            assert_eq!(read(&[("authorization", hostile)]), Err(Rejected::Malformed));
        }
        let twice = [("authorization", b"Bearer a".as_slice()), ("authorization", b"Bearer a")];
        assert_eq!(read(&twice), Err(Rejected::Malformed));
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_once() {
        assert_eq!(read(&[("cookie", COOKIE)]), ok("c.c"));
        assert_eq!(read(&[("cookie", b"a=1;__Host-countersign_access=c.c ; b=\xff")]), ok("c.c"));
        assert_eq!(read(&[("cookie", b"a=1"), ("cookie", COOKIE)]), ok("c.c"));
        for none in [
            b"__host-countersign_access=a".as_slice(),
            b"x__Host-countersign_access=a",
            b"__Host-countersign_access",
            b";;=",
        ] {
            assert_eq!(read(&[("cookie", none)]), Ok(None));
        }
        let both = b"__Host-countersign_access=c.c; __Host-countersign_access=c.c".as_slice();
        assert_eq!(read(&[("cookie", both)]), Err(Rejected::Malformed));
        assert_eq!(read(&[("cookie", COOKIE), ("cookie", COOKIE)]), Err(Rejected::Malformed));
        for hostile in [
            b"__Host-countersign_access=".as_slice(),
            b"__Host-countersign_access=\"a\"",
            b"__Host-countersign_access=a b",
        ] {
            assert_eq!(read(&[("cookie", hostile)]), Err(Rejected::Malformed));
        }
    }

    #[test]
    fn the_header_counts_when_both_are_there() {
        assert_eq!(read(&[("authorization", b"Bearer h"), ("cookie", COOKIE)]), ok("h"));
        assert_eq!(read(&[("authorization", b"Bearer "), ("cookie", COOKIE)]), Err(Rejected::Malformed));
    }

    #[test]
    fn a_cookie_that_another_origin_sent_changes_nothing() {
        let with = |name, value: &'static [u8]| read(&[("cookie", COOKIE), (name, value)]);
        for (name, value) in [
            ("sec-fetch-site", b"same-site".as_slice()),
            ("sec-fetch-site", b"cross-site"),
            ("sec-fetch-site", b"Same-Origin"),
            ("sec-fetch-site", b""),
            ("sec-fetch-site", b"\xff"),
            ("origin", b"https://evil.test"),
            ("origin", b"https://api.test.evil.test"),
            ("origin", b"https://api.test:8443"),
            ("origin", b"null"),
            ("origin", b""),
        ] {
            assert_eq!(with(name, value), Err(Rejected::CrossOrigin), "{name}: {value:?}");
        }
        for (name, value) in [
            ("sec-fetch-site", b"same-origin".as_slice()),
            ("sec-fetch-site", b"none"),
            ("origin", b"https://api.test"),
        ] {
            assert_eq!(with(name, value), ok("c.c"), "{name}: {value:?}");
        }
        let bearer = [("authorization", b"Bearer h".as_slice()), ("sec-fetch-site", b"cross-site")];
        assert_eq!(read(&bearer), ok("h"), "a header does not come along by itself");
    }

    #[test]
    fn what_changes_nothing_and_who_is_trusted_may_come_from_elsewhere() {
        let map = headers(&[("cookie", COOKIE), ("sec-fetch-site", b"same-site"), ("origin", b"https://app.test")]);
        let token = |sources: &Sources, method: &Method| {
            sources.token(Asked { method, headers: &map, authority: None }).map(|token| token.map(str::to_owned))
        };
        let default = Sources::default();
        assert_eq!(token(&default, &Method::GET), ok("c.c"));
        assert_eq!(token(&default, &Method::DELETE), Err(Rejected::CrossOrigin));
        let trusting = Sources { cookie: true, trusted_origins: vec!["https://app.test".to_owned()] };
        assert_eq!(token(&trusting, &Method::POST), ok("c.c"));
        let without = Sources { cookie: false, ..trusting };
        assert_eq!(token(&without, &Method::POST), Ok(None));
    }
}
