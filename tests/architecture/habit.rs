//! Rules about the form of a source, whatever paths it names.

use crate::{
    arrows::AT_HOME,
    source::SourceFile,
    token::{spells, without_tests},
};

/// The aim is about 400 lines; a file that is slightly longer does not fail the build.
const MOST_LINES: usize = 450;

/// Names that say nothing: any code would fit into such a module.
const DRAWERS: &[&str] = &["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];

pub(crate) fn too_long(file: &SourceFile) -> Vec<String> {
    let found = format!("{}: {} lines: a file has at most {MOST_LINES}", file.path, file.lines);
    (file.lines > MOST_LINES).then_some(found).into_iter().collect()
}

pub(crate) fn drawers(file: &SourceFile) -> Vec<String> {
    let names = file.path.split('/').map(|name| name.trim_end_matches(".rs"));
    let found = names.filter(|name| DRAWERS.contains(name));
    found.map(|name| format!("{}: `{name}` says nothing: name it after what is in it", file.path)).collect()
}

/// The one crate that needs more than safe Rust: vector instructions, and memory in huge pages.
const UNSAFE_BELONGS_TO: &str = "crates/argon2-simd/src";

pub(crate) fn unsafe_code(file: &SourceFile) -> Vec<String> {
    if file.lies_in(UNSAFE_BELONGS_TO) {
        return Vec::new();
    }
    let found = file.tokens.iter().filter(|token| token.text == "unsafe");
    found.map(|token| format!("{}:{}: unsafe code belongs to {UNSAFE_BELONGS_TO}", file.path, token.line)).collect()
}

pub(crate) fn unwraps(file: &SourceFile) -> Vec<String> {
    if !file.is_product() {
        return Vec::new();
    }
    let code = without_tests(&file.tokens);
    let found = code.windows(3).filter(|next| spells(next, &[".", "unwrap", "("]));
    let rule = "no `.unwrap()`: answer the error, or `expect` what makes it impossible";
    found.map(|next| format!("{}:{}: {rule}", file.path, next[1].line)).collect()
}

/// Library types that a `pub use` exports to folders that may not name the library.
pub(crate) fn handed_on(file: &SourceFile) -> Vec<String> {
    if !file.lies_in("src") {
        return Vec::new();
    }
    let found = file.mentions.iter().filter(|mention| mention.exported && AT_HOME.contains(&mention.path[0].as_str()));
    found
        .map(|mention| {
            let path = mention.path.join("::");
            format!("{}:{}: `pub use {path}`: a library with one home is not handed on", file.path, mention.line)
        })
        .collect()
}
