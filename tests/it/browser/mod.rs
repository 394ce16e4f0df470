//! Real browsers against the real program.

use crate::support::{binary, finish, missing};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Longer than the limit of a scenario itself, so that the scenario reports what went wrong.
const LIMIT: Duration = Duration::from_secs(360);

/// Plays each file of `tests/browser/scenarios`, or the one that `COUNTERSIGN_TEST_SCENARIO` names.
///
/// One test plays all of them, one after the other: a browser is many processes, and two at once take longer than one
/// after the other. Tests that wait for their turn would keep the other tests waiting too.
#[test]
fn every_scenario_ends_well() {
    let Some(player) = Player::found() else { return };
    let only = env::var_os("COUNTERSIGN_TEST_SCENARIO");
    let chosen: Vec<_> = scenarios()
        .into_iter()
        .filter(|script| only.as_deref().is_none_or(|only| script.file_stem() == Some(only)))
        .collect();
    assert!(!chosen.is_empty(), "there is no scenario {only:?}");
    // A scenario that failed leaves nothing behind that could affect the next one.
    let complaints: Vec<_> = chosen.iter().filter_map(|script| player.play(script).err()).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/scenarios");
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = files.filter(|path| path.extension() == Some(OsStr::new("mjs"))).collect();
    scripts.sort();
    scripts
}

/// What plays a scenario.
struct Player {
    node: PathBuf,
    chromium: PathBuf,
    packages: PathBuf,
}

impl Player {
    fn found() -> Option<Self> {
        // Makes the certificate that browsers are shown.
        binary("openssl", &[])?;
        Some(Self { node: binary("node", &[])?, chromium: binary("chromium", &[])?, packages: packages()? })
    }

    /// Runs a scenario to its end. The scenario starts the program itself, as often and with the settings that it
    /// needs.
    fn play(&self, script: &Path) -> Result<(), String> {
        let mut command = Command::new(&self.node);
        command
            .arg(script)
            .env("COUNTERSIGN_BINARY", env!("CARGO_BIN_EXE_countersign"))
            .env("COUNTERSIGN_BROWSER_PACKAGES", &self.packages)
            .env("COUNTERSIGN_BROWSER_SCREENSHOTS", target().join("browser-screenshots"))
            .env("COUNTERSIGN_CHROMIUM", &self.chromium);
        let output = finish(&mut command, LIMIT);
        let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let script = script.display();
        if !output.status.success() {
            return Err(format!("{script}:\n{said}{complaint}"));
        }
        if said.is_empty() {
            return Err(format!("{script} did nothing"));
        }
        eprintln!("{script}:\n{said}");
        Ok(())
    }
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
