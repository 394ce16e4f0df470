//! Names that no setting has.

use super::{from_environment, from_file, keys, load_both, only_reason};

#[test]
fn an_unknown_key_in_the_file_gets_a_suggestion() {
    let reason = only_reason(from_file("[sessions]\nacess_ttl = '5m'"));
    assert_eq!(reason, "is an unknown setting; did you mean sessions.access_ttl (COUNTERSIGN_SESSIONS__ACCESS_TTL)?");
}

#[test]
fn an_unknown_variable_gets_a_suggestion() {
    for variable in
        ["COUNTERSIGN_LISTN", "COUNTERSIGN_SESSIONS_ACCESS_TTL", "COUNTERSIGN_ACCESS_TTL", "COUNTERSIGN_listen"]
    {
        let reason = only_reason(from_environment(&[(variable, "x")]));
        assert!(reason.starts_with("is an unknown setting; did you mean "), "{variable}: {reason}");
    }
}

#[test]
fn a_name_like_no_other_gets_no_suggestion() {
    assert_eq!(only_reason(from_file("zzzzzz = 1")), "is an unknown setting");
    assert_eq!(only_reason(from_environment(&[("COUNTERSIGN_ZZZZZZ", "1")])), "is an unknown setting");
    assert_eq!(only_reason(from_environment(&[("COUNTERSIGN_", "1")])), "is an unknown setting");
}

#[test]
fn a_misspelt_heading_is_one_fault_and_not_one_per_line() {
    let faults = from_file("[sesions]\na = 1\nb = 2\nc = 3").expect_err("a fault");
    assert_eq!(keys(&faults), ["sesions"]);
    assert_eq!(faults.0[0].reason, "is an unknown section; did you mean [sessions]?");
    assert_eq!(only_reason(from_file("[sesions]")), "is an unknown section; did you mean [sessions]?");
    from_file("[sessions]").expect("an empty section is none");
}

#[test]
fn a_section_is_not_a_setting_and_a_setting_not_a_section() {
    let section = only_reason(from_file("sessions = '5m'"));
    assert!(section.starts_with("is a section of settings"), "{section}");
    let variable = only_reason(from_environment(&[("COUNTERSIGN_SESSIONS", "5m")]));
    assert!(variable.contains("COUNTERSIGN_SESSIONS__"), "{variable}");
    let array = only_reason(from_file("[[sessions]]\naccess_ttl = '5m'"));
    assert!(array.starts_with("is a section of settings"), "{array}");
    assert_eq!(only_reason(from_file("[listen]\nport = 1")), "is a single setting and not a section");
}

#[test]
fn a_quoted_key_does_not_pass_for_a_dotted_one() {
    let toml = "'sessions.access_ttl' = '5m'\n[sessions]\naccess_ttl = '6m'";
    assert_eq!(keys(&from_file(toml).expect_err("a fault")), ["\"sessions.access_ttl\""]);
    let environment = [("COUNTERSIGN_SESSIONS.ACCESS_TTL", "5m")];
    assert_eq!(keys(&from_environment(&environment).expect_err("a fault")), ["COUNTERSIGN_SESSIONS.ACCESS_TTL"]);
}

#[test]
fn the_same_unknown_key_in_file_and_environment_is_two_faults() {
    let faults = load_both("colour = 1", &[("COUNTERSIGN_COLOUR", "1")]).expect_err("faults");
    assert_eq!(keys(&faults), ["colour", "colour"]);
}
