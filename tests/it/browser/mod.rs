//! Real browsers against the real program. `tests/browser` has one scenario for each test here.

use crate::support::{binary, finish, missing};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Longer than the limit of a scenario itself, so that the scenario reports what went wrong.
const LIMIT: Duration = Duration::from_secs(360);

/// A browser is many processes: two at once take longer than one after the other, and then time out.
static BROWSER: Mutex<()> = Mutex::new(());

#[test]
fn a_person_does_everything_on_the_account_pages() {
    play("walkthrough");
}

#[test]
fn ten_tabs_with_an_old_token_stay_signed_in() {
    play("tabs");
}

#[test]
fn answers_that_are_lost_or_late_sign_nobody_out_and_bring_nobody_back() {
    play("lost_answer");
}

#[test]
fn a_page_reads_streams_and_the_details_of_errors() {
    play("streams_and_errors");
}

#[test]
fn only_applications_on_allowed_origins_can_call() {
    play("cross_origin");
}

#[test]
fn a_page_on_a_sibling_name_can_do_nothing_with_the_cookies() {
    play("csrf");
}

#[test]
fn a_captcha_is_shown_when_it_is_required_and_the_person_continues() {
    play("captcha");
}

#[test]
fn a_link_that_was_changed_on_the_way_or_used_leads_somewhere() {
    play("changed_links");
}

#[test]
fn a_tab_that_hangs_keeps_nobody_from_signing_out() {
    play("hanging_tab");
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_so_and_leaves_no_session_behind() {
    play("no_cookies");
}

/// Runs a scenario to its end. The scenario starts the program itself, as often and with the settings that it needs.
fn play(scenario: &str) {
    let (Some(node), Some(chromium), Some(_)) = (binary("node", &[]), binary("chromium", &[]), binary("openssl", &[]))
    else {
        return;
    };
    let Some(packages) = packages() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(scenario).with_extension("mjs");
    let mut command = Command::new(node);
    command
        .arg(script)
        .env("COUNTERSIGN_BINARY", env!("CARGO_BIN_EXE_countersign"))
        .env("COUNTERSIGN_BROWSER_PACKAGES", packages)
        .env("COUNTERSIGN_BROWSER_SCREENSHOTS", target().join("browser-screenshots"))
        .env("COUNTERSIGN_CHROMIUM", chromium);
    // A scenario that failed leaves nothing behind that could affect the next one.
    let turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let output = finish(&mut command, LIMIT);
    drop(turn);
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{scenario}:\n{said}{complaint}");
    assert!(!said.is_empty(), "{scenario} did nothing");
}

/// Where `.ci/run` installs the packages of `tests/browser/package.json`.
fn packages() -> Option<PathBuf> {
    let packages = target().join("ci/browser");
    let found = packages.join("node_modules/playwright-core").is_dir();
    if !found {
        missing("playwright-core (tests/browser/package.json, in target/ci/browser)");
    }
    found.then_some(packages)
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}
