//! Malicious input.

use super::{file_with, from_environment, from_file, keys, only_reason};
use crate::config::load;

#[test]
fn control_characters_are_refused_in_every_text() {
    for (variable, value) in [
        ("COUNTERSIGN_DATA_DIR", "/tmp/a\0b"),
        ("COUNTERSIGN_LOG__FILTER", "info\u{1b}[31m"),
        ("COUNTERSIGN_PUBLIC_URL", "https://a\n.b"),
        ("COUNTERSIGN_DATABASE_URL", "sqlite://a\0b"),
        ("COUNTERSIGN_LISTEN", "127.0.0.1:1\0"),
    ] {
        let reason = only_reason(from_environment(&[(variable, value)]));
        assert!(reason.contains("control character") || reason.contains("line break"), "{reason}");
    }
    only_reason(from_file("data_dir = \"a\\u0000b\""));
}

#[test]
fn huge_values_are_refused_and_not_repeated() {
    let huge = "9".repeat(1_000_000);
    for variable in
        ["LISTEN", "LINKS__CODE_TRIES", "SESSIONS__IDLE_TTL", "LOG__FILTER", "MAIL__FROM", "KEYS__KEK", "UNKNOWN"]
    {
        let faults = from_environment(&[(&format!("COUNTERSIGN_{variable}"), &huge)]).expect_err(variable);
        assert!(faults.to_string().len() < 400, "{variable}");
    }
    let faults = from_environment(&[(&format!("COUNTERSIGN_{}", "A".repeat(1_000_000)), "")]).expect_err("unknown");
    assert_eq!(faults.0.len(), 1);
    let file = file_with(format!("# {huge}"));
    assert!(only_reason(load(Some(file.path()), [])).contains("is longer than"));
}

#[test]
fn amounts_beyond_every_type_are_refused() {
    for (key, value) in [
        ("sessions.idle_ttl", "99999999999999999999999999999y"),
        ("sessions.idle_ttl", "18446744073709551615y"),
        ("sessions.idle_ttl", "18446744073709551615s 18446744073709551615s"),
        ("sessions.idle_ttl", "-1s"),
        ("links.code_tries", "18446744073709551616"),
        ("links.code_tries", "-5"),
    ] {
        let variable = format!("COUNTERSIGN_{}", key.to_uppercase().replace('.', "__"));
        assert_eq!(keys(&from_environment(&[(&variable, value)]).expect_err(value)), [key]);
    }
    for number in
        ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "0xffffffffffffffffff", "5.0", "nan"]
    {
        let toml = format!("[links]\ncode_tries = {number}");
        assert_eq!(keys(&from_file(&toml).expect_err(number)), ["links.code_tries"]);
    }
    assert_eq!(from_file("[links]\ncode_tries = 0x0_a").expect("valid").links.code_tries, 10);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_key() {
    for (toml, key) in [
        ("listen = 50051", "listen"),
        ("listen = true", "listen"),
        ("listen = ['127.0.0.1:1']", "listen"),
        ("listen = {}", "listen"),
        ("listen = 1979-05-27", "listen"),
        ("data_dir = ''", "data_dir"),
        ("[sessions]\naccess_ttl = 600", "sessions.access_ttl"),
        ("[links]\ncode_tries = '5'", "links.code_tries"),
        ("[server]\nreflection = 'true'", "server.reflection"),
        ("[server]\nreflection = 1", "server.reflection"),
        ("[sessions.access_ttl]\nminutes = 5", "sessions.access_ttl"),
        ("sessions.access_ttl.minutes = 5", "sessions.access_ttl"),
        ("[keys]\nkek = { file = 'x' }", "keys.kek"),
        ("[keys]\nkek_file = 5", "keys.kek_file"),
    ] {
        assert_eq!(keys(&from_file(toml).expect_err(toml)), [key], "{toml}");
    }
}

#[test]
fn duplicate_keys_and_sections_are_refused() {
    for toml in [
        "listen = '127.0.0.1:1'\nlisten = '127.0.0.1:2'",
        "[links]\n[links]",
        "[links]\ncode_tries = 1\ncode_tries = 2",
    ] {
        assert_eq!(keys(&from_file(toml).expect_err(toml))[0], "config", "{toml}");
    }
}

#[test]
fn nested_garbage_is_refused_without_exhausting_the_stack() {
    for toml in [
        "a.".repeat(60_000) + "a = 1",
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        "a={".repeat(60_000),
        format!("[{}a]", "a.".repeat(60_000)),
        "\u{0}\u{1}\u{2}".to_owned(),
        "=".repeat(10_000),
    ] {
        from_file(&toml).expect_err("garbage");
    }
}

#[test]
fn thousands_of_unknown_keys_are_answered_in_time() {
    let toml: String = (0..10_000).map(|n| format!("listen{n} = 1\n")).collect();
    assert_eq!(from_file(&toml).expect_err("faults").0.len(), 10_000);
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let file = file_with([0xff, 0xfe, 0x00]);
    assert!(only_reason(load(Some(file.path()), [])).contains("is not UTF-8"));
    assert!(only_reason(load(Some("/".as_ref()), [])).contains("cannot be read"));
}
