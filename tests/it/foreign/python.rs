use super::library::LIMIT;
use crate::support::{ProcessOptions, ServiceProcess, finish, missing};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/foreign/walkthrough.py");

/// A Python that has the packages of `requirements.txt`.
pub(super) fn python() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("ci/python/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).chain([built]).map(|folder| folder.join("python3")).find(|python| {
        let mut question = Command::new(python);
        question.args(["-c", "import grpc, grpc_reflection.v1alpha, google.protobuf, joserfc, pyotp"]);
        python.is_file() && finish(&mut question, LIMIT).status.success()
    });
    if found.is_none() {
        missing("Python with grpcio, joserfc and pyotp (tests/it/foreign/requirements.txt)");
    }
    found
}

#[test]
fn python_registers_logs_in_refreshes_and_reads_refusals_by_reflection_alone() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceProcess::start(&ProcessOptions::in_folder(folder.path()));
    let output = finish(Command::new(python).arg("-B").args([SCRIPT, &service.address]), LIMIT);
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complaint}");
    assert_eq!(said.trim(), "registered, verified, logged in, refreshed, logged out, refused, compressed");
    service.stop();
}
