//! Tests of how sources are read. A rule can check only what the reader shows it.

use crate::{source::SourceFile, token::tokens};

fn words(text: &str) -> Vec<String> {
    tokens(text).expect("Rust").into_iter().map(|token| token.text).collect()
}

fn paths(file: &str, text: &str) -> Vec<String> {
    SourceFile::read(file, text).mentions.iter().map(|mention| mention.path.join("::")).collect()
}

#[test]
fn comments_and_literals_are_no_code() {
    assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
    assert_eq!(words(r#"a "b \" c" d b"e" f"#), ["a", "d", "f"]);
    assert_eq!(words("a r#\"b \" c\"# d br##\"e\"# f\"## g"), ["a", "d", "g"]);
    assert_eq!(words("a '\"' b '\\'' c '\\u{1F600}' d 'e' f"), ["a", "b", "c", "d", "f"]);
    assert_eq!(words("&'a str r#type"), ["&", "str", "type"]);
    assert_eq!(words("//! a\nb /** c */ d /// e\n #[f = \"g\"] h"), ["b", "d", "#", "[", "f", "=", "]", "h"]);
    assert_eq!(words("a.0.unwrap() c\"d\" 1.5_f64"), ["a", ".", ".", "unwrap", "(", ")"]);
}

#[test]
fn what_is_no_rust_is_refused() {
    for text in ["a \"never closed", "a /* never closed", "fn a() { b(", "a )"] {
        assert!(tokens(text).is_err(), "{text}");
    }
}

#[test]
fn signs_that_stand_side_by_side_make_a_path() {
    assert_eq!(words("a::b: ::c, d: e"), ["a", "::", "b", ":", "::", "c", ",", "d", ":", "e"]);
    assert_eq!(words("<a as b>::c"), ["<", "a", "as", "b", ">", "::", "c"]);
}

#[test]
fn lines_are_counted_through_comments_and_literals() {
    let found = tokens("/*\n*/ \"\n\"\na").expect("Rust");
    assert_eq!((found[0].line, found[0].text.as_str()), (4, "a"));
}

#[test]
fn imports_are_taken_apart() {
    let found = paths("src/a.rs", "use b::{self, c::{D, e as f}, g::*};");
    assert_eq!(found, ["b", "b::c::D", "b::c::e", "b::g::*"]);
}

#[test]
fn a_path_is_completed_by_the_import_of_its_first_name() {
    assert_eq!(paths("src/a.rs", "use b::c; fn f() { c::d(); }"), ["b::c", "b::c::d"]);
    assert_eq!(paths("src/a.rs", "use b::c as d; fn f() -> d::E {}"), ["b::c", "b::c::E"]);
    assert_eq!(paths("src/a.rs", "fn f() { c::d(); } use b::c;"), ["b::c::d", "b::c"]);
}

#[test]
fn a_path_begins_at_the_root() {
    assert_eq!(
        paths("src/a/b.rs", "use super::c; use self::d; use super::super::e;"),
        ["crate::a::c", "crate::a::b::d", "crate::e"]
    );
    assert_eq!(paths("src/a/mod.rs", "use super::c;"), ["crate::c"]);
    assert_eq!(
        paths("src/a.rs", "mod b { mod c { use super::d; } use super::e; } use super::f;"),
        ["crate::a::b::d", "crate::a::e", "crate::f"]
    );
    assert_eq!(paths("crates/domain/src/lib.rs", "pub mod time; pub use time::Timestamp;"), ["crate::time::Timestamp"]);
}

#[test]
fn a_turbofish_and_a_bound_are_no_imports() {
    assert_eq!(paths("src/a.rs", "fn f<'a>() -> impl B + use<'a> { c::d::<E>() }"), ["c::d"]);
}
