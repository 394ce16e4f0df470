//! Shows that every rule can fail: each gets an invented source that breaks it, and a similar one that does not.

use crate::{
    arrow::Arrow,
    arrows::{self, *},
    habit,
    manifest::{self, Fence},
    proofs::*,
    source::{SourceFile, content, root},
};

/// An arrow, a file, and a text whose second line, and no other, breaks the arrow in that file.
const BROKEN: &[(&Arrow, &str, &str)] = &[
    (&DOMAIN_IS_PURE, "crates/domain/src/session.rs", "\nuse std::{fmt, time::{Duration, SystemTime}};"),
    (&DOMAIN_IS_PURE, "crates/domain/src/session.rs", "use std::time::Duration;\nfn f() { std::fs::read(path); }"),
    (&FACTORS_ARE_PROVEN_IN_ONE_PLACE, "src/grpc/auth.rs", "\nuse countersign_domain::factor::FactorProof;"),
    (&EMAIL_CODES_ARE_PROVEN_IN_ONE_PLACE, "src/grpc/auth.rs", "\nuse countersign_domain::login::EmailCodeProof;"),
    (&PASSWORDS_ARE_PROVEN_IN_ONE_PLACE, "src/grpc/auth.rs", "\nuse countersign_domain::login::PasswordProof;"),
    (&TOKEN_NAMES_NOTHING_OF_OURS, "crates/token/src/key.rs", "\nuse countersign_domain::id::AccountId;"),
    (&VERIFIER_NAMES_ONLY_TOKEN, "crates/verifier/src/lib.rs", "use countersign_token::A;\nuse countersign_domain::B;"),
    (&GRPC_STAYS_IN_ITS_TRANSPORT, "src/usecase/session/refresh.rs", "\nfn f() -> Result<(), tonic::Status> {}"),
    (&GRPC_STAYS_IN_ITS_TRANSPORT, "src/http/pages.rs", "\nuse crate::grpc::{status, wire::proto};"),
    (&AXUM_STAYS_IN_THE_TRANSPORTS, "src/jobs/mod.rs", "\nuse axum::Router;"),
    (&SQL_STAYS_IN_THE_STORE, "src/usecase/account/profile.rs", "\nuse sea_orm::EntityTrait as _;"),
    (&SQL_STAYS_IN_THE_STORE, "src/cli/migrate.rs", "\nfn f() { sea_orm_migration::run(); }"),
    (&DATABASE_ERRORS_ARE_READ_ONCE, "src/store/role.rs", "\nuse sea_orm::{DbErr, EntityTrait};"),
    (&TOKEN_MAKERS_NEVER_READ, "crates/token/src/access/read.rs", "\nfn f() { josekit::jwe::deserialize_compact(); }"),
    (&TOKEN_MAKERS_NEVER_READ, "src/keys/ring.rs", "\nuse jsonwebtoken::decode;"),
    (&HASHES_STAY_IN_THE_POOL, "src/usecase/gate/password.rs", "\nuse argon2::Argon2;"),
    (&HASHES_STAY_IN_THE_POOL, "src/usecase/gate/password.rs", "\nuse countersign_argon2_simd::hash;"),
    (&REDIS_STAYS_IN_THE_CACHE, "src/jobs/leader.rs", "\nuse fred::prelude::*;"),
    (&HTTP_CALLS_GO_OUT_IN_ONE_PLACE, "src/captcha/siteverify.rs", "\nuse reqwest::Client;"),
    (&PASSKEYS_ARE_CHECKED_IN_ONE_PLACE, "src/usecase/gate/factor.rs", "\nuse webauthn_rs::prelude::Passkey;"),
    (&FEW_CALL_OTHERS, "src/usecase/gate/captcha.rs", "\nuse crate::outbound::Line;"),
    (&ENVIRONMENT_IS_READ_IN_CONFIG, "src/mail/smtp.rs", "use std::fmt;\nuse std::env::VarError;"),
    (&ENVIRONMENT_IS_READ_IN_CONFIG, "src/main.rs", "\nfn f() { std::env::args(); }"),
    (&MAIN_ALONE_ENDS_THE_PROCESS, "src/cli/serve.rs", "use std::process;\nfn f() { process::exit(1) }"),
    (&TIME_COMES_FROM_THE_RUNTIME, "src/usecase/post.rs", "use std::time::SystemTime;\nfn f() { SystemTime::now(); }"),
    (&TIME_COMES_FROM_THE_RUNTIME, "src/mail/files.rs", "use tokio::time;\nfn f() { time::sleep(d); }"),
    (&TIME_COMES_FROM_THE_RUNTIME, "crates/token/src/key.rs", "\nfn f() { uuid::Uuid::now_v7() }"),
    (&CHANCE_COMES_FROM_THE_RUNTIME, "src/keys/kek.rs", "\nfn f() { getrandom::fill(&mut bytes) }"),
    (&CHANCE_COMES_FROM_THE_RUNTIME, "src/keys/ring.rs", "\nuse aws_lc_rs::rand::SystemRandom;"),
    (&TASKS_COME_FROM_THE_RUNTIME, "src/cache/wake.rs", "\nfn f() { tokio::spawn(async {}); }"),
    (&TASKS_COME_FROM_THE_RUNTIME, "src/passwords/hasher.rs", "use std::thread as t;\nfn f() { t::Builder::new(); }"),
    (&ADAPTERS_NEVER_NAME_EACH_OTHER, "src/store/account.rs", "\nuse crate::{keys::MacKey, runtime::Clock};"),
    (&ADAPTERS_NEVER_NAME_EACH_OTHER, "src/mail/smtp/tests.rs", "\nuse super::super::super::cache::Topic;"),
    (&ADAPTERS_NEVER_NAME_USE_CASES, "src/store/account.rs", "\nuse crate::usecase::Failure;"),
    (&ADAPTERS_NEVER_NAME_USE_CASES, "src/telemetry/log.rs", "\nfn f(settings: &crate::config::Log) {}"),
    (&USE_CASES_KNOW_NO_TRANSPORT, "src/usecase/account/verify.rs", "\nuse crate::{config::Links, store};"),
    (&USE_CASES_KNOW_NO_TRANSPORT, "src/usecase/session.rs", "\nuse tonic::Code;"),
    (&TRANSPORTS_NEVER_NAME_EACH_OTHER, "src/grpc/auth.rs", "use super::call::Call;\nuse crate::http::cookie;"),
    (&TRANSPORTS_NEVER_NAME_EACH_OTHER, "src/cli/serve.rs", "\nuse crate::*;"),
    (&TRANSPORTS_CALL_USE_CASES, "src/grpc/account.rs", "\nuse crate::store::{Store, account::ProfileChange};"),
    (
        &TRANSPORTS_CALL_USE_CASES,
        "src/grpc/account.rs",
        "use crate::store::account;\nfn f() { account::find(tx, tenant, id); }",
    ),
    (&TRANSPORTS_ARE_CONFIGURED, "src/http/ops.rs", "\nuse crate::config::Server;"),
    (&JOBS_CALL_USE_CASES, "src/jobs/purge.rs", "use crate::cache::WakeUps;\nuse crate::store::audit;"),
    (&CONFIG_NAMES_ONLY_THE_RULES, "src/config/log.rs", "\nuse crate::telemetry::LogFormat;"),
    (&MIGRATIONS_NAME_NOTHING_OF_OURS, "migrations/src/m0001.rs", "\nuse countersign_domain::tenant::DEFAULT;"),
];

/// An arrow, and a source that keeps it.
const KEPT: &[(&Arrow, &str, &str)] = &[
    (&DOMAIN_IS_PURE, "crates/domain/src/time.rs", "use std::{fmt, time::Duration}; use crate::time::Instant;"),
    (&DOMAIN_IS_PURE, "crates/domain/src/lib.rs", "// std::fs\npub mod text; const A: &str = \"std::env::var\";"),
    (&GRPC_STAYS_IN_ITS_TRANSPORT, "src/http/grpc_web.rs", "use tonic::body::Body; use crate::grpc::wire::proto;"),
    (&SQL_STAYS_IN_THE_STORE, "src/store/entity/role.rs", "use sea_orm::entity::prelude::*;"),
    (
        &TIME_COMES_FROM_THE_RUNTIME,
        "src/mail/files.rs",
        "use crate::runtime::sleep; fn f() { runtime::timeout(d, f); }",
    ),
    (&TIME_COMES_FROM_THE_RUNTIME, "src/cache/wake.rs", "use std::time::{Duration, SystemTime};"),
    (&CHANCE_COMES_FROM_THE_RUNTIME, "src/mail/dkim.rs", "use aws_lc_rs::rand::SystemRandom;"),
    (&ADAPTERS_NEVER_NAME_EACH_OTHER, "src/store/key.rs", "use crate::{runtime, store::Tx}; use super::entity::key;"),
    (&ADAPTERS_NEVER_NAME_EACH_OTHER, "src/usecase/post.rs", "use crate::{keys::MacKey, store, mail};"),
    (&TRANSPORTS_NEVER_NAME_EACH_OTHER, "src/http/grpc_web/cookie.rs", "use crate::grpc::wire::proto;"),
    (&TRANSPORTS_NEVER_NAME_EACH_OTHER, "src/grpc/layer.rs", "use crate::grpc::status; use http::HeaderMap;"),
    (&TRANSPORTS_CALL_USE_CASES, "src/grpc/account.rs", "use crate::store::account::ProfileChange;"),
];

#[test]
fn every_arrow_can_be_broken() {
    for (arrow, file, text) in BROKEN {
        let broken = arrow.broken_in(&SourceFile::read(file, text));
        assert_eq!(broken.len(), 1, "{file} breaks `{}` once: {text}\n{broken:?}", arrow.rule);
        assert!(broken[0].starts_with(&format!("{file}:2: ")), "the message names the place: {}", broken[0]);
        assert!(broken[0].ends_with(arrow.rule), "the message names the rule: {}", broken[0]);
    }
}

#[test]
fn no_arrow_sees_more_than_it_should() {
    for (arrow, file, text) in KEPT {
        let broken = arrow.broken_in(&SourceFile::read(file, text));
        assert!(broken.is_empty(), "{file} does not break `{}`: {text}\n{broken:?}", arrow.rule);
    }
}

#[test]
fn every_arrow_is_asked_and_has_a_broken_example() {
    let folder = root().join("tests/architecture");
    let declared = content(&folder.join("arrows.rs"));
    let asked = content(&folder.join("architecture.rs"));
    let shown = content(&folder.join("broken.rs"));
    let names =
        declared.lines().filter_map(|line| line.strip_prefix("pub(crate) const ")?.strip_suffix(": Arrow = Arrow {"));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 15, "found only {names:?}");
    for name in names {
        assert!(asked.contains(&format!("holds(&arrows::{name})")), "{name} is asked by no test");
        assert!(shown.contains(&format!("(&{name}, ")), "{name} has no broken example");
    }
}

#[test]
fn an_excuse_holds_for_one_path_in_one_file() {
    let excuses: Vec<_> = CHANCE_COMES_FROM_THE_RUNTIME.excused.iter().map(|excuse| excuse.file).collect();
    assert_eq!(excuses, ["src/mail/dkim.rs", "crates/token/src/access/issue/sealer.rs"]);
    let other = SourceFile::read("src/mail/dkim.rs", "use aws_lc_rs::rand::fill;");
    assert_eq!(CHANCE_COMES_FROM_THE_RUNTIME.broken_in(&other).len(), 1);
}

#[test]
fn an_excuse_that_nobody_needs_any_more_is_found() {
    for excuse in CHANCE_COMES_FROM_THE_RUNTIME.excused {
        let file = SourceFile::read(excuse.file, &content(&root().join(excuse.file)));
        let needed = file.mentions.iter().any(|mention| mention.path.join("::").starts_with(excuse.path));
        assert!(needed, "{} no longer names {}: drop its excuse", excuse.file, excuse.path);
    }
}

#[test]
fn a_folder_without_a_place_is_found() {
    for name in ["util", "services", "common.rs"] {
        assert!(!arrows::TOP_LEVEL.contains(&name));
    }
}

#[test]
fn every_habit_can_be_broken() {
    type Habit = fn(&SourceFile) -> Vec<String>;
    let long = "\n".repeat(451);
    let broken: [(Habit, &str, &str); 9] = [
        (habit::too_long, "src/store/account.rs", &long),
        (habit::drawers, "src/store/util.rs", ""),
        (habit::drawers, "tests/it/helpers/mail.rs", ""),
        (habit::unsafe_code, "crates/token/src/key.rs", "fn f() { unsafe { g() } }"),
        (habit::unwraps, "src/store/account.rs", "fn f() { g()\n    .unwrap(); }"),
        (habit::unwraps, "src/store/mod.rs", "#[cfg(test)]\nmod tests;\nfn f() { g().unwrap() }"),
        (habit::unwraps, "src/store/mod.rs", "#[cfg(test)]\nmod t { fn a() { {} } }\nfn f() { g().unwrap() }"),
        (habit::handed_on, "src/store/mod.rs", "pub use sea_orm::{DbErr};"),
        (habit::handed_on, "src/cache/mod.rs", "use fred::error; pub use error::Error;"),
    ];
    for (check, file, text) in broken {
        assert_eq!(check(&SourceFile::read(file, text)).len(), 1, "{file}: {text}");
    }
}

#[test]
fn no_habit_sees_more_than_it_should() {
    type Habit = fn(&SourceFile) -> Vec<String>;
    let kept: [(Habit, &str, &str); 7] = [
        (habit::drawers, "src/store/common_password.rs", ""),
        (habit::unsafe_code, "crates/argon2-simd/src/region.rs", "fn f() { unsafe { g() } }"),
        (habit::unsafe_code, "src/lib.rs", "#![forbid(unsafe_code)] // no unsafe\nconst A: &str = \"unsafe\";"),
        (habit::unwraps, "src/store/account.rs", "#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }"),
        (habit::unwraps, "src/store/tests.rs", "fn f() { g().unwrap() }"),
        (habit::unwraps, "src/store/account.rs", "fn f() { g().unwrap_or_default() }"),
        (habit::handed_on, "src/store/mod.rs", "pub(super) use sea_orm::DbErr; pub use connect::Store;"),
    ];
    for (check, file, text) in kept {
        assert_eq!(check(&SourceFile::read(file, text)), [""; 0], "{file}: {text}");
    }
}

#[test]
fn every_fence_can_be_broken() {
    let broken: [(&Fence, &str); 9] = [
        (&manifest::DOMAIN, "[dependencies]\ntokio = \"1\""),
        (&manifest::DOMAIN, "[dependencies]\nclock = { package = \"chrono\", version = \"0.4\" }"),
        (&manifest::DOMAIN, "[dependencies]\nuuid = { version = \"1\", features = [\"std\", \"v7\"] }"),
        (&manifest::DOMAIN, "[dependencies.sea-orm]\nworkspace = true"),
        (&manifest::DOMAIN, "[target.'cfg(unix)'.dependencies]\ngetrandom.workspace = true"),
        (&manifest::DOMAIN, "[dev-dependencies]\ncountersign-token.workspace = true"),
        (&manifest::ARGON2, "[dependencies]\ncountersign-domain.workspace = true"),
        (&manifest::TOKEN, "[dependencies]\ncountersign-domain.workspace = true"),
        (&manifest::VERIFIER, "[dependencies]\ncountersign-token = \"1\"\ncountersign-domain = \"1\""),
    ];
    for (fence, text) in broken {
        assert!(!fence.broken_in(text).is_empty(), "{} holds off {text}", fence.manifest);
    }
    let kept =
        "[package]\nname = \"countersign-domain\"\n[dependencies]\nsubtle.workspace = true # not tokio = \"1\"\n";
    assert_eq!(manifest::DOMAIN.broken_in(kept), [""; 0]);
}
