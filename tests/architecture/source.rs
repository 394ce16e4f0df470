//! The sources of this repository.

use crate::{
    path::{Mention, mentions},
    token::{Token, tokens, without_tests},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// One Rust file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the root of the repository, with slashes.
    pub(crate) path: String,
    pub(crate) lines: usize,
    pub(crate) tokens: Vec<Token>,
    pub(crate) mentions: Vec<Mention>,
}

impl SourceFile {
    /// # Panics
    /// When the text is not Rust: no rule could check it.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let tokens = tokens(text)
            .unwrap_or_else(|error| panic!("{path}:{}: cannot be read: {error}", error.span().start().line));
        let mentions = mentions(&tokens, &module_of(path));
        Self { path: path.to_owned(), lines: text.lines().count(), tokens, mentions }
    }

    /// The code that is compiled into a program: paths and tokens without those of tests. Empty for a file of tests.
    pub(crate) fn product(&self) -> (Vec<Mention>, Vec<Token>) {
        if !self.is_product() {
            return (Vec::new(), Vec::new());
        }
        let tokens = without_tests(&self.tokens);
        (mentions(&tokens, &module_of(&self.path)), tokens)
    }

    /// Whether the file is `place.rs` or in the folder `place`.
    pub(crate) fn lies_in(&self, place: &str) -> bool {
        self.path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
    }

    /// Whether the file is part of a program, not of a test.
    pub(crate) fn is_product(&self) -> bool {
        let path = Path::new(&self.path);
        !path.iter().any(|part| part == "tests" || part == "benches" || part == "tests.rs")
    }
}

/// The root of the repository: two folders above this package.
pub(crate) fn root() -> PathBuf {
    let folder =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    folder.ancestors().nth(2).expect("this package lies in tests/architecture").to_owned()
}

/// Every Rust file of this repository, sorted; read once for all rules.
pub(crate) static ALL: LazyLock<Vec<SourceFile>> = LazyLock::new(|| {
    let root = root();
    let mut paths = Vec::new();
    for top in ["src", "crates", "migrations", "tests", "benches", "fuzz"] {
        collect(&root.join(top), &mut paths);
    }
    paths.sort();
    assert!(paths.len() > 50, "found only {} source files below {}", paths.len(), root.display());
    paths.iter().map(|path| SourceFile::read(&relative(path, &root), &content(path))).collect()
});

/// The text of a file of the repository.
pub(crate) fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The names directly in a folder of the repository.
pub(crate) fn names_in(folder: &str) -> Vec<String> {
    entries(&root().join(folder)).iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        if path.is_dir() {
            // A crate of its own (fuzz) has a target folder of its own.
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    listing.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn relative(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// `src/store/fault.rs` is `crate::store::fault`; so is `src/store/fault/mod.rs`.
fn module_of(path: &str) -> Vec<String> {
    let within = path.split_once("src/").map_or(path, |(_, within)| within);
    let names = within.trim_end_matches(".rs").split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main"));
    std::iter::once("crate").chain(names).map(str::to_owned).collect()
}
