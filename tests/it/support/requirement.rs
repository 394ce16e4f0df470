use std::{
    env,
    path::{Path, PathBuf},
};

/// The path of an installed program, from `PATH` and the folders given. `None`, with a message, when it is missing; a
/// failure when every program is required.
pub(crate) fn binary(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = folders
        .iter()
        .cloned()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate));
    if found.is_none() {
        missing(name);
    }
    found
}

/// Reports that something the test needs is missing.
pub(crate) fn missing(what: &str) {
    assert!(
        env::var("COUNTERSIGN_TEST_REQUIRE").as_deref() != Ok("all"),
        "{what} is missing, and COUNTERSIGN_TEST_REQUIRE=all wants everything tested"
    );
    eprintln!("NOT TESTED: {what} is missing");
}

fn is_program(candidate: &Path) -> bool {
    candidate.is_file()
}
