use super::library::{LIMIT, installed};
use crate::support::{finish, missing};
use std::process::Command;

#[test]
fn the_protos_keep_to_the_style_that_their_tools_expect() {
    let buf = installed().join("node_modules/.bin/buf");
    if !buf.is_file() {
        return missing("buf (tests/it/foreign/package.json, in target/ci/node)");
    }
    let protos = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let output = finish(Command::new(buf).args(["lint", protos]), LIMIT);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
