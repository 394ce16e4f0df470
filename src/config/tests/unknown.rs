//! Names without a setting.

use super::{from_environment, from_file, keys, load, load_both, only_reason};
use crate::config::former::RENAMED;

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

#[test]
fn a_former_name_is_refused_with_the_present_one() {
    let renamed = "was renamed to limits.logins_per_ip (COUNTERSIGN_LIMITS__LOGINS_PER_IP)";
    assert_eq!(only_reason(from_file("[limits]\nlogins_of_address = '60, 10s'")), renamed);
    assert_eq!(only_reason(from_environment(&[("COUNTERSIGN_LIMITS__LOGINS_OF_ADDRESS", "60, 10s")])), renamed);
    assert_eq!(only_reason(from_environment(&[("COUNTERSIGN_LIMITS__LOGINS_OF_ADDRESS_FILE", "/nowhere")])), renamed);
    let renamed = "was renamed to risk.geoip_database (COUNTERSIGN_RISK__GEOIP_DATABASE)";
    assert_eq!(only_reason(from_environment(&[("COUNTERSIGN_RISK__PLACES_FILE", "/nowhere")])), renamed);
}

#[test]
fn a_former_value_is_refused_with_the_present_ones() {
    for former in ["note", "challenge", "end"] {
        let reason = only_reason(from_file(&format!("[risk]\non_client_change = '{former}'")));
        assert!(reason.contains("\"audit\", \"mail\", \"reauthenticate\" or \"end_session\""), "{reason}");
    }
}

#[test]
fn every_present_name_is_a_setting_and_no_former_one_is() {
    let settings: Vec<_> = load(None, []).expect("the defaults").effective.into_iter().map(|line| line.key).collect();
    for (former, present) in RENAMED {
        assert!(settings.iter().any(|key| key == present), "{present}");
        assert!(!settings.iter().any(|key| key == former), "{former}");
    }
}
