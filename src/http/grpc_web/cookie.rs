//! The tokens of a browser, in cookies (RFC 6265bis) that no script can read and no other site can send.
//!
//! A browser keeps the cookies of the answer that arrives last, whichever call it answers. So a refresh token is
//! written twice: under one common name, and under a name that belongs to its generation alone, its *turn*. An answer
//! writes its own turn and clears the turns that came with its call, so no answer touches the turn of a later
//! generation or session (docs/adr/0017-late-answers-and-cookies.md).

use crate::grpc::{Browser, ChallengeChange, CookieChange, HeldTokens};
use countersign_domain::{id::SessionId, secret::SecretText, time::Timestamp};
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// `__Host-`: a browser accepts them only over HTTPS or from this machine, from this host and for it alone, so that no
/// other host of the domain can set one (RFC 6265bis section 4.1.3.2).
const ACCESS: &str = "__Host-countersign_access";
const REFRESH: &str = "__Host-countersign_refresh";
/// The device token of a browser, whichever account uses it, also when nobody is logged in.
const DEVICE: &str = "__Host-countersign_device";
/// The token of a login that waits for a second factor.
const CHALLENGE: &str = "__Host-countersign_challenge";
/// What binds a login by passkey to the browser in which it began.
const BINDING: &str = "__Host-countersign_binding";
/// The longest that browsers keep a cookie (RFC 6265bis section 5.5).
const DEVICE_LIFE: Duration = Duration::from_hours(400 * 24);
/// Longer than a sign-in page stays open: a ceremony takes minutes, and a browser without the cookie gets another.
const BINDING_LIFE: Duration = Duration::from_hours(24);
/// The prefix of the names of turns.
const TURN: &str = "__Host-countersign_refresh.";

/// The most bytes of name and value; browsers keep no larger cookie (RFC 6265bis section 5.6).
const MAX_COOKIE_BYTES: usize = 4096;
/// The most turns of one browser that are read. There are two or three when answers overtake each other.
const MAX_TURNS: usize = 8;

/// The tokens in the cookies of a browser, and the names of the turns among them.
pub(super) fn read(headers: &HeaderMap) -> (Browser, Vec<String>) {
    let mut turns = turns(headers);
    // Browsers list the oldest first.
    turns.drain(..turns.len().saturating_sub(MAX_TURNS));
    let known = value(headers, REFRESH);
    let named = turns.iter().filter_map(|name| value(headers, name)).filter(|token| Some(token) != known.as_ref());
    let refresh = known.iter().cloned().chain(named).collect();
    let session = (value(headers, ACCESS), refresh);
    let pending = (value(headers, CHALLENGE), value(headers, BINDING));
    (Browser::new(session, value(headers, DEVICE), pending), turns)
}

/// Name and value of each cookie. HTTP/2 may split the list over several headers (RFC 9113 section 8.2.3).
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lists = headers.get_all(header::COOKIE).iter();
    let pairs = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    pairs.filter_map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..end], &pair[end + 1..]))
    })
}

/// The value of a cookie. A name that occurs twice is ignored, because it is unclear which one counts. Text that cannot
/// be a token is ignored as well.
fn value(headers: &HeaderMap, name: &str) -> Option<SecretText> {
    let mut values = pairs(headers).filter(|(other, _)| *other == name.as_bytes()).map(|(_, value)| value);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if value.is_empty() || name.len() + value.len() > MAX_COOKIE_BYTES || !value.iter().all(is_token) {
        return None;
    }
    String::from_utf8(value.to_vec()).ok().map(SecretText::new)
}

/// The names of the turns.
fn turns(headers: &HeaderMap) -> Vec<String> {
    let names = pairs(headers).filter_map(|(name, _)| str::from_utf8(name).ok());
    names.filter(|name| is_turn(name)).map(str::to_owned).collect()
}

fn is_turn(name: &str) -> bool {
    let parts = name.strip_prefix(TURN).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(session, generation)| {
        session.len() == SESSION_DIGITS
            && session.bytes().all(|byte| byte.is_ascii_hexdigit())
            && (1..=19).contains(&generation.len())
            && generation.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The digits of a session's id that distinguish the sessions of one browser.
const SESSION_DIGITS: usize = 8;

/// The name of a turn. It uses the end of the id, which is random.
fn turn(session: SessionId, generation: i64) -> String {
    let id = session.as_uuid().simple().to_string();
    format!("{TURN}{}.{generation}", &id[id.len() - SESSION_DIGITS..])
}

/// Sets and clears cookies. `turns` are those that came with the call.
pub(super) fn write(headers: &mut HeaderMap, change: &CookieChange, turns: &[String], now: Timestamp) {
    let mut set = |name: &str, token: &str, life: Duration| match cookie(name, token, life) {
        Some(cookie) => {
            headers.append(header::SET_COOKIE, cookie);
        }
        None => tracing::error!(name, "a token is too long for a cookie: the browser cannot stay signed in"),
    };
    let written = match change {
        CookieChange::Hold(tokens) => {
            let HeldTokens { session, generation, access, access_expires_at, refresh, refresh_expires_at } = tokens;
            let (turn, refresh_life) = (turn(*session, *generation), refresh_expires_at.since(now));
            set(ACCESS, access.reveal(), access_expires_at.since(now));
            set(REFRESH, refresh.reveal(), refresh_life);
            set(&turn, refresh.reveal(), refresh_life);
            Some(turn)
        }
        CookieChange::Clear => {
            set(ACCESS, "", Duration::ZERO);
            set(REFRESH, "", Duration::ZERO);
            None
        }
    };
    for name in turns.iter().filter(|name| Some(*name) != written.as_ref()) {
        set(name, "", Duration::ZERO);
    }
}

/// Sets the cookie of the device token.
pub(super) fn write_device(headers: &mut HeaderMap, token: &SecretText) {
    if let Some(cookie) = cookie(DEVICE, token.reveal(), DEVICE_LIFE) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Sets the cookie that binds a ceremony.
pub(super) fn write_binding(headers: &mut HeaderMap, binding: &SecretText) {
    if let Some(cookie) = cookie(BINDING, binding.reveal(), BINDING_LIFE) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Sets or clears the cookie of a challenge.
pub(super) fn write_challenge(headers: &mut HeaderMap, change: &ChallengeChange, now: Timestamp) {
    let (token, life) = match change {
        ChallengeChange::Hold { token, expires_at } => (token.reveal(), expires_at.since(now)),
        ChallengeChange::Clear => ("", Duration::ZERO),
    };
    if let Some(cookie) = cookie(CHALLENGE, token, life) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// `None` for a cookie that no browser would keep.
fn cookie(name: &str, value: &str, life: Duration) -> Option<HeaderValue> {
    if name.len() + value.len() > MAX_COOKIE_BYTES {
        return None;
    }
    let life = life.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={life}; HttpOnly; Secure; SameSite=Strict");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lists: &[&[u8]]) -> HeaderMap {
        lists.iter().map(|list| (header::COOKIE, HeaderValue::from_bytes(list).unwrap())).collect()
    }

    fn refresh(lists: &[&[u8]]) -> Vec<String> {
        let (browser, _) = read(&headers(lists));
        browser.refresh.iter().map(|token| token.reveal().to_owned()).collect()
    }

    #[test]
    fn tokens_are_found_among_other_cookies_and_in_every_header() {
        assert_eq!(refresh(&[b"a=1; __Host-countersign_refresh=v4.local.a-b_c;b"]), ["v4.local.a-b_c"]);
        assert_eq!(refresh(&[b"a=1", b"__Host-countersign_refresh=x"]), ["x"]);
        let (browser, turns) = read(&headers(&[
            b"__Host-countersign_refresh.00c0ffee.12=r; __Host-countersign_access=a; __Host-countersign_refresh=r",
            b"__Host-countersign_refresh.00c0ffee.13=s",
        ]));
        assert_eq!(browser.access.unwrap().reveal(), "a");
        let tokens: Vec<_> = browser.refresh.iter().map(SecretText::reveal).collect();
        assert_eq!(tokens, ["r", "s"], "one token under two names is one token");
        assert_eq!(turns, ["__Host-countersign_refresh.00c0ffee.12", "__Host-countersign_refresh.00c0ffee.13"]);
    }

    #[test]
    fn what_is_ambiguous_or_no_token_is_not_there() {
        let fits = [b"__Host-countersign_refresh=".as_slice(), &[b'a'; 4096 - 26]].concat();
        assert_eq!(refresh(&[&fits]).len(), 1);
        let long = [&fits[..], b"a"].concat();
        for hostile in [
            [b"__Host-countersign_refresh=a; __Host-countersign_refresh=a".as_slice(), b""],
            [b"__Host-countersign_refresh=a", b"__Host-countersign_refresh=b"],
            [b"__Host-countersign_refresh=", b""],
            [b"__Host-countersign_refresh", b""],
            [b"__Host-countersign_refresh=a b", b""],
            [b"__Host-countersign_refresh=\"a\"", b""],
            [b"__Host-countersign_refresh=\xff", b""],
            [b"__host-countersign_refresh=a", b""],
            [b"x__Host-countersign_refresh=a", b""],
            [b"__Host-countersign_refreshx=a", b""],
            [&long, b""],
        ] {
            assert_eq!(refresh(&hostile), [""; 0], "{hostile:?}");
        }
    }

    #[test]
    fn a_name_that_is_no_turn_is_neither_read_nor_written_back() {
        for name in [
            "__Host-countersign_refresh.",
            "__Host-countersign_refresh.00c0ffee",
            "__Host-countersign_refresh.00c0ffee.",
            "__Host-countersign_refresh.00c0ffe.1",
            "__Host-countersign_refresh.00c0ffee.-1",
            "__Host-countersign_refresh.00c0ffee.1.1",
            "__Host-countersign_refresh.00c0ffex.1",
            "__Host-countersign_refresh.00c0ffee.12345678901234567890",
            "__Host-countersign_refresh.00c0ffee.1, b",
        ] {
            let (browser, turns) = read(&headers(&[format!("{name}=a").as_bytes()]));
            assert!(browser.refresh.is_empty() && turns.is_empty(), "{name}");
        }
    }

    #[test]
    fn of_very_many_turns_the_last_are_looked_at() {
        let list = (1..=1_000)
            .fold(String::new(), |list, at| format!("{list}__Host-countersign_refresh.00c0ffee.{at}=t{at};"));
        let tokens = refresh(&[list.as_bytes()]);
        assert_eq!((tokens.len(), tokens.last().map(String::as_str)), (8, Some("t1000")));
    }

    fn written(change: &CookieChange, turns: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        let turns: Vec<_> = turns.iter().map(|turn| (*turn).to_owned()).collect();
        write(&mut headers, change, &turns, Timestamp::from_seconds(100));
        let cookies = headers.get_all(header::SET_COOKIE).iter();
        cookies
            .map(|cookie| {
                assert!(cookie.is_sensitive());
                cookie.to_str().unwrap().to_owned()
            })
            .collect()
    }

    fn tokens() -> HeldTokens {
        HeldTokens {
            session: "0198c0de-0000-7000-8000-00000badcafe".parse().unwrap(),
            generation: 7,
            access: SecretText::new("a".to_owned()),
            access_expires_at: Timestamp::from_seconds(700),
            refresh: SecretText::new("r".to_owned()),
            refresh_expires_at: Timestamp::from_seconds(1_000),
        }
    }

    const OLD: &str = "__Host-countersign_refresh.0badcafe.6";
    const OWN: &str = "__Host-countersign_refresh.0badcafe.7";

    #[test]
    fn tokens_live_as_long_in_their_cookies_as_they_do_and_no_script_or_other_site_sees_them() {
        let expected = [
            "__Host-countersign_access=a; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Strict",
            "__Host-countersign_refresh=r; Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Strict",
            "__Host-countersign_refresh.0badcafe.7=r; Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Strict",
        ];
        assert_eq!(written(&CookieChange::Hold(tokens()), &[]), expected);
        let cleared = "__Host-countersign_refresh.0badcafe.6=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict";
        assert_eq!(written(&CookieChange::Hold(tokens()), &[OLD, OWN])[3..], [cleared]);
    }

    #[test]
    fn what_is_over_is_cleared_with_the_turns_that_came_along() {
        let expected = [
            "__Host-countersign_access=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
            "__Host-countersign_refresh=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
            "__Host-countersign_refresh.0badcafe.7=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
        ];
        assert_eq!(written(&CookieChange::Clear, &[OWN]), expected);
    }

    #[test]
    fn a_challenge_lives_as_long_in_its_cookie_as_it_does_and_is_cleared_when_it_is_used() {
        let mut headers = HeaderMap::new();
        let token = SecretText::new("c".to_owned());
        let held = ChallengeChange::Hold { token, expires_at: Timestamp::from_seconds(400) };
        write_challenge(&mut headers, &held, Timestamp::from_seconds(100));
        write_challenge(&mut headers, &ChallengeChange::Clear, Timestamp::from_seconds(100));
        let cookies: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        let expected = [
            "__Host-countersign_challenge=c; Path=/; Max-Age=300; HttpOnly; Secure; SameSite=Strict",
            "__Host-countersign_challenge=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
        ];
        assert_eq!(cookies, expected);
        assert!(cookies[0].is_sensitive());
    }

    #[test]
    fn a_token_that_no_browser_would_keep_is_not_sent() {
        let access = SecretText::new("a".repeat(4096));
        let set = written(&CookieChange::Hold(HeldTokens { access, ..tokens() }), &[]);
        assert_eq!(set.len(), 2, "{set:?}");
    }
}
