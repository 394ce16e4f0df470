//! The check for breached passwords has three modes, and settings of another mode are refused.

use super::{from_file, keys, only_reason};
use crate::config::{Breached, BreachedList, WhenListUnavailable};
use std::time::Duration;

fn read(lines: &str) -> Option<Breached> {
    from_file(&format!("[passwords]\n{lines}")).expect(lines).passwords.breached
}

#[test]
fn nobody_is_asked_unless_somebody_says_so() {
    for lines in ["", "breached = 'off'", "breached = 'off'\nbreached_when_unavailable = 'refuse'"] {
        assert_eq!(read(lines), None, "{lines}");
    }
}

#[test]
fn a_range_service_is_have_i_been_pwned_or_one_that_is_named() {
    let asked = |lines| match read(lines).expect("somebody").list {
        BreachedList::Range { endpoint, timeout } => (endpoint.to_string(), timeout),
        list => panic!("{list:?}"),
    };
    let (usual, timeout) = asked("breached = 'range'");
    assert_eq!((usual.as_str(), timeout), ("https://api.pwnedpasswords.com/range/", Duration::from_secs(2)));
    let (named, timeout) =
        asked("breached = 'range'\nbreached_endpoint = 'http://127.0.0.1:9000/range'\nbreached_timeout = '300ms'");
    assert_eq!((named.as_str(), timeout), ("http://127.0.0.1:9000/range/", Duration::from_millis(300)));
}

#[test]
fn a_file_is_named_and_the_policy_is_to_accept_unless_somebody_says_refuse() {
    let file = read("breached = 'file'\nbreached_list = '/var/lib/breached.bin'").expect("a file");
    assert_eq!(file.list, BreachedList::File("/var/lib/breached.bin".into()));
    assert_eq!(file.when_unavailable, WhenListUnavailable::Accept);
    let strict = read("breached = 'range'\nbreached_when_unavailable = 'refuse'").expect("a service");
    assert_eq!(strict.when_unavailable, WhenListUnavailable::Refuse);
}

#[test]
fn what_belongs_to_another_mode_or_is_missing_is_refused() {
    for (lines, expected) in [
        ("breached = 'file'", vec!["passwords.breached_list"]),
        ("breached_list = '/a'", vec!["passwords.breached_list"]),
        ("breached = 'range'\nbreached_list = '/a'", vec!["passwords.breached_list"]),
        ("breached_endpoint = 'https://a.example/'", vec!["passwords.breached_endpoint"]),
    ] {
        assert_eq!(keys(&from_file(&format!("[passwords]\n{lines}")).expect_err(lines)), expected, "{lines}");
    }
}

#[test]
fn each_wrong_value_is_refused() {
    for (line, expected) in [
        ("breached = 'on'", "\"off\", \"range\" or \"file\""),
        ("breached_when_unavailable = 'allow'", "\"accept\" or \"refuse\""),
        ("breached_endpoint = 'http://range.example.org/'", "https://"),
        ("breached_endpoint = 'https://range.example.org/?a=b'", "query"),
    ] {
        let mode = if line.starts_with("breached =") { "" } else { "breached = 'range'\n" };
        let reason = only_reason(from_file(&format!("[passwords]\n{mode}{line}")));
        assert!(reason.contains(expected), "{line}: {reason}");
    }
}
