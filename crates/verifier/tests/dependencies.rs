//! The dependencies of a backend with this crate.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

/// Prefixes of names, or whole names that end in `$`. Databases, servers, issuers of tokens, second providers of
/// ciphers and the rest of Countersign. `openssl-probe` is not OpenSSL: it looks for the certificates of the system.
const FORBIDDEN: [&str; 32] = [
    "openssl$",
    "openssl-sys",
    "openssl-src",
    "openssl-macros",
    "native-tls",
    "tokio-native-tls",
    "ring$",
    "josekit",
    "jsonwebtoken",
    "pasetors",
    "argon2",
    "sea-orm",
    "sea-query",
    "sqlx",
    "libsqlite3",
    "fred$",
    "redis",
    "axum$",
    "actix",
    "warp$",
    "tonic-build",
    "tonic-prost-build",
    "tonic-web",
    "tonic-health",
    "tonic-reflection",
    "prost-build",
    "protox",
    "reqwest",
    "mail-",
    "countersign$",
    "countersign-domain",
    "countersign-migrations",
];

/// The names of all crates that are built for a backend with these features.
fn tree(features: &str) -> BTreeSet<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--locked", "--package", "countersign-verifier", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}", "--no-default-features", "--features", features])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn forbidden(name: &str) -> bool {
    FORBIDDEN.iter().any(|pattern| match pattern.strip_suffix('$') {
        Some(whole) => name == whole,
        None => name.starts_with(pattern),
    })
}

#[test]
fn a_backend_takes_in_no_openssl_no_database_and_no_server() {
    for features in ["", "tls", "tls,axum", "webpki-roots,axum"] {
        let tree = tree(features);
        assert!(tree.contains("countersign-token") && tree.contains("tonic"), "{tree:?}");
        let found: Vec<_> = tree.iter().filter(|name| forbidden(name)).collect();
        assert!(found.is_empty(), "with features {features:?}: {found:?}");
    }
}

#[test]
fn nothing_is_included_from_outside_of_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut included = 0;
    for file in fs::read_dir(root.join("src")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for named in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let found = root.join("src").join(named).canonicalize().unwrap();
            assert!(found.starts_with(root.canonicalize().unwrap()), "{} includes {named}", path.display());
            included += 1;
        }
    }
    assert!(included > 0);
}

#[test]
fn the_vector_is_that_of_the_tokens_own_crate() {
    let json = |path: &str| -> serde_json::Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let (ours, theirs) = (json("vectors/access.json"), json("../token/vectors/access.json"));
    assert_eq!((&ours["now"], &ours["token"]), (&theirs["accepted"][0]["now"], &theirs["accepted"][0]["token"]));
}

#[test]
fn the_fence_would_see_it() {
    for name in ["openssl", "openssl-sys", "ring", "axum", "sqlx-core", "sea-orm", "countersign"] {
        assert!(forbidden(name), "{name}");
    }
    for name in ["axum-core", "openssl-probe", "countersign-token", "countersign-verifier", "string"] {
        assert!(!forbidden(name), "{name}");
    }
}
