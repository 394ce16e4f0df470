//! Secrets: how they are read, and that they are never shown.

use super::{KEK, file_with, from_environment, from_file, keys, load_both, only_reason, path_of};

const CANARY: &str = "c4n4ry";

#[test]
fn a_secret_is_read_from_a_file_without_its_last_line_break() {
    for ending in ["", "\n", "\r\n"] {
        let file = file_with(format!("{KEK}{ending}"));
        let config = from_environment(&[("COUNTERSIGN_KEYS__KEK_FILE", path_of(&file))]).expect("valid");
        assert_eq!(config.keys.kek.expect("a key").reveal()[31], 31);
        let config = from_file(&format!("[keys]\nkek_file = {:?}", path_of(&file))).expect("valid");
        assert!(config.keys.kek.is_some());
    }
}

#[test]
fn any_setting_can_be_read_from_a_file() {
    let (address, tries) = (file_with("127.0.0.1:1234\n"), file_with("3\n"));
    let config = load_both(
        &format!("listen_file = {:?}", path_of(&address)),
        &[("COUNTERSIGN_LINKS__CODE_TRIES_FILE", path_of(&tries))],
    );
    let config = config.expect("valid").config;
    assert_eq!((config.listen.port(), config.links.code_tries), (1234, 3));
}

#[test]
fn a_missing_secret_file_is_a_fault_that_names_it() {
    let faults = from_environment(&[("COUNTERSIGN_KEYS__KEK_FILE", "/nowhere/kek")]).expect_err("a fault").to_string();
    assert!(
        faults.starts_with("keys.kek (environment COUNTERSIGN_KEYS__KEK_FILE, content of /nowhere/kek)"),
        "{faults}"
    );
    assert!(faults.contains("cannot be read: No such file"), "{faults}");
}

#[test]
fn an_empty_oversized_or_binary_secret_file_is_a_fault() {
    let (empty, binary) = (file_with("\n"), file_with([0xff, 0xfe]));
    for (path, expected) in [
        (path_of(&empty), "is empty"),
        (path_of(&binary), "is not UTF-8"),
        ("/dev/zero", "is longer than"),
        ("/", "cannot be read"),
        ("a\0b", "control character"),
    ] {
        let reason = only_reason(from_environment(&[("COUNTERSIGN_KEYS__KEK_FILE", path)]));
        assert!(reason.contains(expected), "{path:?}: {reason}");
    }
}

#[test]
fn a_value_and_its_file_at_once_are_refused() {
    let file = file_with(KEK);
    let both = [("COUNTERSIGN_KEYS__KEK", KEK), ("COUNTERSIGN_KEYS__KEK_FILE", path_of(&file))];
    let reason = only_reason(from_environment(&both));
    assert!(reason.contains("is given twice"), "{reason}");
    let reason = only_reason(from_file(&format!("[keys]\nkek = '{KEK}'\nkek_file = {:?}", path_of(&file))));
    assert!(reason.contains("is given twice"), "{reason}");
    load_both(&format!("[keys]\nkek_file = {:?}", path_of(&file)), &both[..1]).expect("the environment overrides");
}

#[test]
fn debug_and_print_show_no_secret() {
    let pem = format!("-----BEGIN PRIVATE KEY-----\\n{CANARY}\\n-----END PRIVATE KEY-----");
    let toml = format!(
        "database_url = 'postgres://ann@db/x?password={CANARY}'\nredis_url = 'redis://:{CANARY}@cache'\n\
         smtp_url = 'smtp://ann:{CANARY}@mail:587'\n[keys]\nkek = '{KEK}'\n\
         [mail]\ndkim_domain = 'a.b'\ndkim_selector = 's'\ndkim_key = \"{pem}\"\n\
         [captcha]\nprovider = 'hcaptcha'\nsite_key = 'site'\nsecret = '{CANARY}'"
    );
    let loaded = load_both(&toml, &[]).expect("valid");
    for text in [format!("{loaded:?}"), format!("{loaded:#?}"), loaded.print()] {
        assert!(!text.contains(CANARY) && !text.contains(KEK), "{text}");
    }
    assert!(loaded.print().contains("postgres://ann@db/x?password=[secret]"), "{}", loaded.print());
}

#[test]
fn errors_show_no_secret_wherever_it_was_put() {
    for toml in [
        format!("[keys]\nkek = '{CANARY}'"),
        format!("[keys]\nkek = '{CANARY}"),
        format!("[keys]\nkek = {CANARY}"),
        format!("kek = '{CANARY}'"),
        format!("[keys]\nkke = '{CANARY}'"),
        format!("[keys]\nkek = ['{CANARY}']"),
        format!("[keys.kek]\nvalue = '{CANARY}'"),
        format!("[keys]\nkek = 'a'\nkek = '{CANARY}'"),
        format!("listen = \"\"\"127.0.0.1\nkek = '{CANARY}'"),
        format!("database_url = 'mysql://ann:{CANARY}@db/x'"),
        format!("database_url = 'postgres://ann:{CANARY}@db:99999/x'"),
        format!("redis_url = 'http://ann:{CANARY}@db'"),
        format!("smtp_url = 'smtp://ann:{CANARY}@mail'"),
        format!("public_url = 'https://ann:{CANARY}@mail'"),
        format!("public_url = 'https://ann:{CANARY}@:99999'"),
        format!("[captcha]\nsite_key = '{CANARY}!'"),
        format!("[captcha]\nsecret = '{CANARY}'"),
        format!("[captcha]\nendpoint = 'https://ann:{CANARY}@mail'"),
        format!("[mail]\ndkim_key = '{CANARY}'"),
        format!("[mail]\ndkim_key = '-----BEGIN {CANARY}-----'"),
    ] {
        let faults = from_file(&toml).expect_err(&toml);
        assert!(!format!("{faults} {faults:?}").contains(CANARY), "{toml}\n{faults}");
    }
}

#[test]
fn errors_show_no_secret_from_variables_and_files() {
    let file = file_with(CANARY);
    for (name, value) in [
        ("COUNTERSIGN_KEYS__KEK", CANARY),
        ("COUNTERSIGN_KEYS__KKE", CANARY),
        ("COUNTERSIGN_KEYS", CANARY),
        ("COUNTERSIGN_SMPT_URL", CANARY),
        ("COUNTERSIGN_KEYS__KEK_FILE", path_of(&file)),
    ] {
        let faults = from_environment(&[(name, value)]).expect_err(name);
        assert_eq!(keys(&faults).len(), 1);
        assert!(!format!("{faults} {faults:?}").contains(CANARY), "{faults}");
    }
}
