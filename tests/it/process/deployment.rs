//! Checks that the deployment files have the intended settings.

use crate::support::{ProcessOptions, binary};
use std::{fs, path::Path, process::Command};

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The settings in a file, as `KEY` and value, from lines with `separator` between the two.
fn settings(text: &str, separator: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(|line| line.trim_start_matches("ENV ").trim().trim_end_matches('\\').trim());
    lines
        .filter(|line| line.starts_with("COUNTERSIGN_"))
        .filter_map(|line| line.split_once(separator))
        .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Expands `${NAME:-default}` and `${NAME:?what}`, as Compose does with `given` in its environment.
fn substituted(value: &str, given: &[(&str, &str)]) -> String {
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let (expression, after) = rest.split_once('}').expect("it is closed");
    let (name, alternative) = expression.split_once(':').expect("each has a default or an explanation");
    let given = given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let value = given.or_else(|| alternative.strip_prefix('-').map(str::to_owned));
    let value = value.unwrap_or_else(|| panic!("{name} has to be given"));
    format!("{before}{value}{}", substituted(after, &[]))
}

/// Runs `deploy/make-secrets` in `folder`.
fn make_secrets(folder: &Path) -> Option<()> {
    binary("openssl", &[])?;
    fs::create_dir(folder.join("deploy")).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/make-secrets"), folder.join("deploy/make-secrets"))
        .unwrap();
    let output = Command::new("bash").arg(folder.join("deploy/make-secrets")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

#[test]
fn the_image_starts_in_production_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let image = settings(&repository("Dockerfile"), "=");
    assert!(image.len() >= 3, "{image:?}");
    let mut options = ProcessOptions { settings: Vec::new(), ..ProcessOptions::bare_in_folder(folder.path()) };
    for (key, value) in image.iter().filter(|(key, _)| key != "COUNTERSIGN_DATA_DIR") {
        options = options.and(key, value);
    }
    let complaint = options.fail(&["serve"]);
    for named in ["keys.kek", "database_url", "smtp_url", "listen (", "server.trusted_proxies"] {
        assert!(complaint.contains(named), "{named}: {complaint}");
    }
    assert!(!complaint.contains("admin_listen"), "operators are reached within the container alone: {complaint}");
}

#[test]
fn what_compose_sets_is_a_good_configuration_for_production() {
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = make_secrets(folder.path()) else { return };
    let secrets = format!("{}/", folder.path().join("secrets").display());
    let given =
        [("COUNTERSIGN_PUBLIC_URL", "https://id.example.org"), ("COUNTERSIGN_MAIL__FROM", "no-reply@example.org")];
    let mut options = ProcessOptions { settings: Vec::new(), ..ProcessOptions::bare_in_folder(folder.path()) };
    let compose = settings(&repository("compose.yaml"), ": ");
    for (key, value) in settings(&repository("Dockerfile"), "=").into_iter().chain(compose) {
        if key != "COUNTERSIGN_DATA_DIR" {
            options = options.and(&key, &substituted(&value, &given).replace("/run/secrets/", &secrets));
        }
    }
    let url = secrets.clone() + "database_url";
    fs::write(&url, fs::read_to_string(&url).unwrap().replace("/run/secrets/", &secrets)).unwrap();
    options.succeed(&["config", "check"]);
    let printed = options.succeed(&["config", "print"]);
    assert!(printed.contains("profile = \"production\"") && printed.contains("sslmode=verify-full"), "{printed}");
}

#[test]
fn the_secrets_of_compose_hold_a_certificate_for_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = make_secrets(folder.path()) else { return };
    let verify = |host: &str| {
        let arguments = ["verify", "-CAfile", "postgres_ca", "-purpose", "sslserver", "-verify_hostname", host];
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder.path().join("secrets")).args(arguments).arg("postgres_cert");
        openssl.output().unwrap().status.success()
    };
    assert!(verify("postgres"));
    assert!(!verify("elsewhere"));
}
