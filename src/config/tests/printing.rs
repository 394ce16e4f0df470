//! `countersign config print`.

use super::{KEK, from_file, load_both};
use crate::config::load;

#[test]
fn a_printed_configuration_parses_again_to_the_same_one() {
    let toml = "listen = '[::1]:7000'\nadmin_listen = 'off'\n\
                data_dir = '/tmp/a \"b\" \\c'\n[mail]\nfrom = '\"A, \\#\" <a@b>'\n";
    for toml in ["", &toml.replace("\\#", "#")] {
        let loaded = load_both(toml, &[("COUNTERSIGN_SESSIONS__ACCESS_TTL", "90s")]).expect("valid");
        let printed = loaded.print();
        let again = from_file(&printed).unwrap_or_else(|faults| panic!("{faults}\n{printed}"));
        assert_eq!(again, loaded.config, "{printed}");
    }
}

#[test]
fn a_printed_configuration_with_secrets_is_toml_but_cannot_be_started() {
    let loaded = load_both(&format!("[keys]\nkek = '{KEK}'"), &[]).expect("valid");
    let printed = loaded.print();
    printed.parse::<toml::Table>().expect("TOML");
    from_file(&printed).expect_err("the key is not a key");
}

#[test]
fn every_line_says_where_its_value_came_from() {
    let loaded = load_both("listen = '127.0.0.1:1'", &[("COUNTERSIGN_LINKS__CODE_TRIES", "3")]).expect("valid");
    let printed = loaded.print();
    assert!(printed.contains("code_tries = 3 # environment COUNTERSIGN_LINKS__CODE_TRIES\n"), "{printed}");
    assert!(printed.contains("access_ttl = \"10m\" # default\n"), "{printed}");
    assert!(printed.contains(", line 1\n"), "{printed}");
    assert!(printed.contains("\n# redis_url is not set\n"), "{printed}");
}

#[test]
fn a_path_with_a_line_break_does_not_end_its_comment() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a\nlisten = 'b'");
    std::fs::write(&path, "[links]\ncode_tries = 3").expect("a file");
    let printed = load(Some(&path), []).expect("valid").print();
    assert_eq!(from_file(&printed).expect("valid").links.code_tries, 3);
}
