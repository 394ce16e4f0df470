//! Checks that the documents generated from the code are up to date.
//!
//! `COUNTERSIGN_TEST_WRITE_DOCUMENTS=1 cargo test --test documents` writes them again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use countersign::{
    config,
    grpc::{callers, callers::Idempotency, status},
    telemetry::METRICS,
};
use countersign_domain::{audit::EventKind, caller::CallerRule, limit::Limit, mail::MailTemplate, refusal::Reason};
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path, process::Command};

fn at(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn is_current(path: &str, made: &str) {
    if env::var_os("COUNTERSIGN_TEST_WRITE_DOCUMENTS").is_some() {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), made).unwrap();
    }
    let stored = fs::read_to_string(at(path)).unwrap_or_default();
    assert!(
        stored == made,
        "{path} is not what the code says; write it anew with \
         COUNTERSIGN_TEST_WRITE_DOCUMENTS=1 cargo test --test documents"
    );
}

/// The beginning of a page: heading, paragraphs in lines of at most 120 characters, and the head of a table.
fn introduction(heading: &str, prose: &str, table: &str) -> String {
    let mut made = format!("{heading}\n");
    for paragraph in prose.split("\n\n") {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 120 {
                write!(made, "\n{line}").unwrap();
                line.clear();
            }
            line += if line.is_empty() { "" } else { " " };
            line += word;
        }
        writeln!(made, "\n{line}").unwrap();
    }
    if table.is_empty() { made } else { format!("{made}\n{table}") }
}

/// The comment above each value of `ErrorReason`.
fn documented_reasons() -> BTreeMap<String, Vec<String>> {
    let proto = fs::read_to_string(at("proto/countersign/v1/error_reason.proto")).unwrap();
    let mut documented = BTreeMap::new();
    let mut comment = Vec::new();
    for line in proto.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            comment.push(text.trim().to_owned());
            continue;
        }
        if let Some(rest) = line.strip_prefix("ERROR_REASON_") {
            let name = rest.split(' ').next().unwrap();
            documented.insert(name.to_owned(), comment.clone());
        }
        comment.clear();
    }
    documented.remove("UNSPECIFIED");
    documented
}

#[test]
fn the_reference_of_settings_is_current() {
    is_current("docs/reference/configuration.md", &config::reference());
}

#[test]
fn the_reference_of_metrics_is_current() {
    let mut made = introduction(
        "# Metrics",
        "Made from `src/telemetry/metric.rs`. The operators' listener serves them at `/metrics`, in the text format of \
         Prometheus.",
        "| name | kind | labels | meaning |\n| --- | --- | --- | --- |\n",
    );
    for line in METRICS {
        writeln!(made, "| `{}` | {} | {} | {} |", line.name, line.kind, line.labels, line.meaning).unwrap();
    }
    is_current("docs/reference/metrics.md", &made);
}

#[test]
fn the_reference_of_limits_is_current() {
    let mut made = introduction(
        "# Rate limits",
        "Made from `crates/domain/src/limit/sizes.rs`, which also says why each limit has its size.\n\n\
         A call over a limit is refused with RESOURCE_EXHAUSTED, the reason RATE_LIMITED, and a RetryInfo that says \
         when the next call is allowed. A refused call does not count. Wrong passwords are counted separately: \
         `[lockout]` in [the settings](configuration.md). Each limit can be set by its name, as in \
         `limits.logins_per_ip = \"60, 10s\"`; `limits.percent` scales the others. Addresses of \
         `limits.shared_networks` have limits of their own. A login from a recognized device, after a solved \
         captcha, or with a passkey counts a tenth.\n\n\
         An IP address is an IPv4 address or an IPv6 /64. Limits marked *shared* are counted by all replicas together \
         in Redis (`limits.store`), the others by each replica for itself.",
        "| name | what is counted | burst | then one every | shared |\n| --- | --- | --- | --- | --- |\n",
    );
    for limit in Limit::ALL {
        let (quota, shared) = (limit.quota(), if limit.is_shared() { "yes" } else { "" });
        let every = humantime::format_duration(quota.emission());
        writeln!(made, "| `{}` | {} | {} | {every} | {shared} |", limit.name(), limit.about(), quota.burst()).unwrap();
    }
    is_current("docs/reference/limits.md", &made);
}

#[test]
fn the_reference_of_events_is_current() {
    let mut made = introduction(
        "# Audit events",
        "Made from `crates/domain/src/audit.rs`. The kinds of events in the audit log, for `countersign audit list \
         --kind` and `EventFilter.kind`.\n\n\
         Kinds that end in `_refused` have the outcome `refused` and a [reason](../errors/README.md). All others have \
         the outcome `ok`, also those that need attention, such as `login_locked`, `password_disabled`, \
         `client_changed`, `new_device_seen` and `audit_restarted`: to find trouble, list these kinds as well as the \
         outcome `refused`.",
        "| kind | outcome | written when |\n| --- | --- | --- |\n",
    );
    for kind in EventKind::ALL {
        let outcome = if kind.is_refusal() { "refused" } else { "ok" };
        writeln!(made, "| `{}` | {outcome} | {} |", kind.name(), kind.about()).unwrap();
    }
    is_current("docs/reference/events.md", &made);
}

fn named(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("`{}`", reason.name())).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_reference_of_rpcs_is_current() {
    let prose = format!(
        "Made from the options on each RPC in `proto/`: who may call it, whether it is idempotent, and with which \
         [reasons](../errors/README.md) it refuses. An RPC without a caller here is denied to everybody.\n\n\
         Every RPC can also refuse with {}.\n\nAn RPC for an account also with {}; one that takes a challenge as well \
         also with {}; for a service account with {}; for an operator with {}.",
        named(callers::EVERY_RPC),
        named(callers::of_caller(CallerRule::Account)),
        named(&[Reason::ChallengeInvalid]),
        named(callers::of_caller(CallerRule::Service)),
        named(callers::of_caller(CallerRule::Operator)),
    );
    let head = "| RPC | caller | idempotency | own reasons |\n| --- | --- | --- | --- |\n";
    let mut made = introduction("# RPCs", &prose, head);
    for method in callers::table() {
        let caller = match method.requirement.caller {
            CallerRule::Anyone => "anyone",
            CallerRule::Account => "an account, with the access token of a live session",
            CallerRule::AccountOrChallenge => {
                "a login that waits, with a challenge of the method ENROL; or an account, with the access token of a \
                 live session"
            }
            CallerRule::Service => "a service account, with its access token",
            CallerRule::Development => "anyone, in the `dev` profile only",
            CallerRule::Operator => "an operator, with the operators' token on the operators' listener",
        };
        let proof = if method.requirement.fresh_proof { " made for a fresh proof" } else { "" };
        let twice = match method.idempotency {
            Idempotency::NoSideEffects => "no side effects",
            Idempotency::Idempotent => "idempotent",
            Idempotency::ByRequestId => "idempotent by `request_id`",
            Idempotency::Unknown => "",
        };
        let rpc = method.path.trim_start_matches("/countersign.").trim_start_matches("v1.").replace('/', ".");
        writeln!(made, "| `{rpc}` | {caller}{proof} | {twice} | {} |", named(method.reasons)).unwrap();
    }
    is_current("docs/reference/rpcs.md", &made);
}

#[test]
fn every_reason_is_documented_and_the_page_of_errors_is_current() {
    let documented = documented_reasons();
    let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    for name in documented.keys() {
        assert!(known.contains(&name.as_str()), "{name} is documented and never given");
    }
    let mut made = introduction(
        "# Errors",
        "Made from `proto/countersign/v1/error_reason.proto` and `src/grpc/status.rs`.\n\n\
         Every error carries a `google.rpc.ErrorInfo` with `domain: \"countersign\"` and one of these reasons, and a \
         `google.rpc.RequestInfo` whose id finds the call in the log. Clients decide by the reason, never by the text.",
        "",
    );
    for reason in Reason::ALL {
        let line = status::line(reason);
        let comment = documented.get(reason.name()).unwrap_or_else(|| panic!("{} is not documented", reason.name()));
        writeln!(made, "\n## {}\n", reason.name()).unwrap();
        writeln!(made, "`{:?}`, HTTP {}; the client is to {}.\n", line.code, line.http, line.advice.name()).unwrap();
        let paragraphs = comment.join("\n");
        writeln!(made, "{paragraphs}").unwrap();
    }
    is_current("docs/errors/README.md", &made);
}

#[test]
fn every_mail_has_its_texts_in_every_language() {
    for template in MailTemplate::ALL {
        for language in ["en", "de"] {
            for kind in ["txt", "html"] {
                let path = format!("src/mail/templates/{language}/{}.{kind}", template.name());
                assert!(at(&path).is_file(), "{path} is missing");
            }
        }
    }
}

#[test]
fn every_proto_says_where_its_go_code_goes() {
    for folder in ["proto/countersign/v1", "proto/countersign/admin/v1"] {
        for file in fs::read_dir(at(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            let text = fs::read_to_string(&file).unwrap();
            let package = text.lines().find_map(|line| line.strip_prefix("package ")?.strip_suffix(';')).unwrap();
            let (path, name) = (package.replace('.', "/"), package.replace('.', ""));
            let option = format!("option go_package = \"{path};{name}\";");
            assert!(text.lines().any(|line| line == option), "{}: {option}", file.display());
        }
    }
}

#[test]
fn the_files_that_were_asked_for_are_there() {
    for path in
        ["Dockerfile", "compose.yaml", "README.md", "LICENSE", "build.rs", ".ci/run", "docs/security/attacks.md"]
    {
        assert!(at(path).is_file(), "{path} is missing");
    }
}

#[test]
fn no_program_needs_openssl() {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--locked", "--workspace", "--edges", "normal,build", "--prefix", "none"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let found: Vec<_> =
        tree.lines().filter(|line| line.starts_with("openssl-sys") || line.starts_with("josekit")).collect();
    assert!(tree.contains("aws-lc-sys") && found.is_empty(), "{found:?}");
}

/// `path`: `name` or `name`, the form in which the rows of the attack table name their tests. The name of a part of a
/// scenario in a browser is what the part says when it is done.
fn tests_named_in(row: &str) -> Vec<(String, String)> {
    let mut named = Vec::new();
    let mut file = None;
    for quoted in row.split('`').skip(1).step_by(2) {
        if quoted.ends_with(".rs") || quoted.ends_with(".mjs") {
            file = Some(quoted.to_owned());
        } else if let Some(file) = &file {
            named.push((file.clone(), quoted.to_owned()));
        }
    }
    named
}

/// The rows of all tables of a page, without their headings.
fn rows_of(page: &str) -> Vec<String> {
    let page = fs::read_to_string(at(page)).unwrap();
    let lines: Vec<&str> = page.lines().collect();
    let is_heading = |line: usize| lines.get(line + 1).is_some_and(|next| next.starts_with("| ---"));
    let rows = (0..lines.len()).filter(|line| lines[*line].starts_with("| ") && !is_heading(*line));
    rows.map(|line| lines[line].to_owned()).filter(|row| !row.starts_with("| ---")).collect()
}

/// Tests and files that a row names and that do not exist. The path of a file may begin in `src/`.
fn missing_in(row: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for (file, name) in tests_named_in(last_column(row)) {
        let source = fs::read_to_string(at(&file)).unwrap_or_default();
        if !source.contains(&format!("fn {name}(")) && !source.contains(&format!("done(\"{name}\")")) {
            missing.push(format!("{file} has no `{name}`"));
        }
    }
    for quoted in row.split('`').skip(1).step_by(2) {
        let is_file = quoted.contains('/') && !quoted.contains(' ') && quoted.rsplit('/').next().unwrap().contains('.');
        if is_file && !quoted.contains("://") && !at(quoted).exists() && !at(&format!("src/{quoted}")).exists() {
            missing.push(format!("there is no {quoted}"));
        }
    }
    missing
}

fn last_column(row: &str) -> &str {
    row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap()
}

#[test]
fn every_attack_has_a_test_and_every_test_that_is_named_is_there() {
    let rows = rows_of("docs/security/attacks.md");
    assert!(rows.len() > 40, "the table was not found");
    let mut wrong = Vec::new();
    for row in rows {
        if tests_named_in(last_column(&row)).is_empty() {
            wrong.push(format!("no test: {row}"));
        }
        wrong.extend(missing_in(&row));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whatever_the_table_of_requirements_names_is_there() {
    let rows = rows_of("docs/security/asvs.md");
    let is_requirement = |row: &str| row.trim_start_matches("| ").starts_with(|first: char| first.is_ascii_digit());
    assert!(rows.iter().filter(|row| is_requirement(row)).count() > 100, "the tables were not found");
    let mut wrong = Vec::new();
    for row in rows {
        let shown = last_column(&row);
        if is_requirement(&row) && shown != "by reading" && tests_named_in(shown).is_empty() {
            wrong.push(format!("no test, and no word that there is none: {row}"));
        }
        wrong.extend(missing_in(&row));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
