//! The arrows themselves. ARCHITECTURE.md says why each of them exists.

use crate::arrow::{Arrow, Excuse};

/// All sources that are compiled into the service or its crates.
const EVERYWHERE: &[&str] = &["src", "crates/domain/src", "crates/token/src", "crates/verifier/src", "migrations/src"];

/// A pure crate cannot do I/O, so it can be read, tested and trusted without its surroundings.
pub(crate) const DOMAIN_IS_PURE: Arrow = Arrow {
    rule: "the rules do no I/O and know no clock, no chance and nothing else of ours",
    within: &["crates/domain/src"],
    except: &[],
    forbidden: &[
        &["std", "env"],
        &["std", "fs"],
        &["std", "io"],
        &["std", "net"],
        &["std", "process"],
        &["std", "thread"],
        &["std", "time", "Instant"],
        &["std", "time", "SystemTime"],
        &["std", "time", "UNIX_EPOCH"],
        &["countersign_migrations"],
        &["countersign_token"],
        &["countersign_verifier"],
        &["countersign"],
    ],
    excused: &[],
};

pub(crate) const TOKEN_NAMES_NOTHING_OF_OURS: Arrow = Arrow {
    rule: "other people's backends link this crate, so it brings nothing of ours along",
    within: &["crates/token/src"],
    except: &[],
    forbidden: &[&["countersign_domain"], &["countersign_migrations"], &["countersign_verifier"], &["countersign"]],
    excused: &[],
};

pub(crate) const VERIFIER_NAMES_ONLY_TOKEN: Arrow = Arrow {
    rule: "other people's backends link this crate, so of ours it names only countersign_token",
    within: &["crates/verifier/src"],
    except: &[],
    forbidden: &[&["countersign_domain"], &["countersign_migrations"], &["countersign"]],
    excused: &[],
};

pub(crate) const GRPC_STAYS_IN_ITS_TRANSPORT: Arrow = Arrow {
    rule: "tonic, prost and generated code belong to src/grpc and src/http/grpc_web",
    within: EVERYWHERE,
    except: &["src/grpc", "src/http/grpc_web", "src/wiring", "crates/verifier/src"],
    forbidden: &[
        &["tonic"],
        &["tonic_health"],
        &["tonic_prost"],
        &["tonic_reflection"],
        &["tonic_types"],
        &["tonic_web"],
        &["prost"],
        &["prost_types"],
        &["crate", "grpc", "wire"],
    ],
    excused: &[],
};

pub(crate) const AXUM_STAYS_IN_THE_TRANSPORTS: Arrow = Arrow {
    rule: "axum belongs to src/http, to the router of src/grpc and to where the two are joined",
    within: EVERYWHERE,
    except: &["src/http", "src/grpc", "src/wiring"],
    forbidden: &[&["axum"]],
    excused: &[],
};

pub(crate) const SQL_STAYS_IN_THE_STORE: Arrow = Arrow {
    rule: "sea-orm and sqlx belong to src/store and migrations",
    within: EVERYWHERE,
    except: &["src/store", "migrations/src"],
    forbidden: &[&["sea_orm"], &["sea_orm_migration"], &["sea_query"], &["sqlx"]],
    excused: &[],
};

/// If other code read database errors, it could not tell a lost race from a database that is down.
pub(crate) const DATABASE_ERRORS_ARE_READ_ONCE: Arrow = Arrow {
    rule: "only src/store/fault.rs reads a database error",
    within: &["src/store"],
    except: &["src/store/fault"],
    forbidden: &[
        &["sea_orm", "DbErr"],
        &["sea_orm", "RuntimeErr"],
        &["sea_orm", "SqlErr"],
        &["sea_orm", "SqlxError"],
        &["sea_orm", "sqlx", "Error"],
    ],
    excused: &[],
};

/// Both libraries accept more than is safe from the network; see docs/adr/0005-own-decoder-for-access-tokens.md.
pub(crate) const TOKEN_MAKERS_NEVER_READ: Arrow = Arrow {
    rule: "jsonwebtoken checks the signer in crates/token/src/access/issue; it and josekit read no token anywhere",
    within: EVERYWHERE,
    except: &["crates/token/src/access/issue", "crates/token/src/key"],
    forbidden: &[&["josekit"], &["jsonwebtoken"]],
    excused: &[],
};

pub(crate) const HASHES_STAY_IN_THE_POOL: Arrow = Arrow {
    rule: "Argon2 belongs to src/passwords, so that nothing but a hash ever waits behind one",
    within: EVERYWHERE,
    except: &["src/passwords"],
    forbidden: &[&["argon2"], &["countersign_argon2_simd"]],
    excused: &[],
};

pub(crate) const REDIS_STAYS_IN_THE_CACHE: Arrow = Arrow {
    rule: "fred belongs to src/cache",
    within: EVERYWHERE,
    except: &["src/cache"],
    forbidden: &[&["fred"]],
    excused: &[],
};

pub(crate) const HTTP_CALLS_GO_OUT_IN_ONE_PLACE: Arrow = Arrow {
    rule: "reqwest belongs to src/outbound, so that every call to others over HTTP has its bounds",
    within: EVERYWHERE,
    except: &["src/outbound"],
    forbidden: &[&["reqwest"]],
    excused: &[],
};

pub(crate) const PASSKEYS_ARE_CHECKED_IN_ONE_PLACE: Arrow = Arrow {
    rule: "webauthn-rs belongs to src/passkeys",
    within: EVERYWHERE,
    except: &["src/passkeys"],
    forbidden: &[&["webauthn_rs"], &["webauthn_rs_proto"]],
    excused: &[],
};

pub(crate) const FEW_CALL_OTHERS: Arrow = Arrow {
    rule: "only who asks about captchas and about breached passwords calls others over HTTP",
    within: EVERYWHERE,
    except: &["src/outbound", "src/captcha", "src/breached", "src/wiring"],
    forbidden: &[&["crate", "outbound"]],
    excused: &[],
};

pub(crate) const ENVIRONMENT_IS_READ_IN_CONFIG: Arrow = Arrow {
    rule: "only src/config reads the environment, so that every setting is listed, checked and explained there",
    within: EVERYWHERE,
    except: &["src/config"],
    forbidden: &[&["std", "env"]],
    excused: &[],
};

pub(crate) const MAIN_ALONE_ENDS_THE_PROCESS: Arrow = Arrow {
    rule: "only src/main.rs ends the process: anywhere else what is open would not be closed",
    within: EVERYWHERE,
    except: &["src/main"],
    forbidden: &[&["std", "process", "exit"], &["std", "process", "abort"]],
    excused: &[],
};

pub(crate) const TIME_COMES_FROM_THE_RUNTIME: Arrow = Arrow {
    rule: "only src/runtime reads the time or waits for it, so that tests can set the clock",
    within: EVERYWHERE,
    except: &["src/runtime", "crates/verifier/src"],
    forbidden: &[
        &["std", "time", "SystemTime", "now"],
        &["std", "time", "Instant", "now"],
        &["std", "time", "UNIX_EPOCH", "elapsed"],
        &["std", "thread", "sleep"],
        &["std", "thread", "park_timeout"],
        &["tokio", "time", "fn"],
        &["tokio", "time", "Instant"],
        &["..", "Uuid", "now_v1"],
        &["..", "Uuid", "now_v6"],
        &["..", "Uuid", "now_v7"],
    ],
    excused: &[],
};

pub(crate) const CHANCE_COMES_FROM_THE_RUNTIME: Arrow = Arrow {
    rule: "only src/runtime draws random bytes, so that tests can seed them",
    within: EVERYWHERE,
    except: &["src/runtime", "crates/verifier/src"],
    forbidden: &[
        &["getrandom"],
        &["rand"],
        &["rand_chacha"],
        &["rand_core"],
        &["fastrand"],
        &["aws_lc_rs", "rand"],
        &["..", "SystemRandom"],
        &["..", "OsRng"],
        &["..", "Uuid", "new_v4"],
    ],
    excused: &[
        Excuse {
            file: "src/mail/dkim.rs",
            path: "aws_lc_rs::rand::SystemRandom",
            reason: "signing with RSA takes one as an argument and, for PKCS#1 v1.5, never draws from it",
        },
        Excuse {
            file: "crates/token/src/access/issue/sealer.rs",
            path: "aws_lc_rs::rand::fill",
            reason: "the nonce of a token: two equal ones would open both messages",
        },
    ],
};

pub(crate) const TASKS_COME_FROM_THE_RUNTIME: Arrow = Arrow {
    rule: "only src/runtime starts tasks and threads, so that each one is known when the process stops",
    within: EVERYWHERE,
    except: &["src/runtime", "crates/verifier/src"],
    forbidden: &[
        &["tokio", "spawn"],
        &["tokio", "task", "spawn"],
        &["tokio", "task", "spawn_blocking"],
        &["tokio", "task", "spawn_local"],
        &["tokio", "task", "block_in_place"],
        &["tokio", "task", "JoinSet"],
        &["tokio_util", "task", "TaskTracker"],
        &["std", "thread", "spawn"],
        &["std", "thread", "scope"],
        &["std", "thread", "Builder"],
    ],
    excused: &[],
};

/// Modules that do I/O for the use cases.
const ADAPTERS: &[&str] = &[
    "src/store",
    "src/cache",
    "src/captcha",
    "src/breached",
    "src/outbound",
    "src/keys",
    "src/passkeys",
    "src/passwords",
    "src/mail",
    "src/countries",
    "src/runtime",
    "src/telemetry",
];

/// Runtime, telemetry and outbound are adapters too, but other adapters may use them.
pub(crate) const ADAPTERS_NEVER_NAME_EACH_OTHER: Arrow = Arrow {
    rule: "adapters never name each other (runtime, telemetry and outbound excepted): a use case combines them",
    within: ADAPTERS,
    except: &[],
    forbidden: &[
        &["crate", "store"],
        &["crate", "cache"],
        &["crate", "captcha"],
        &["crate", "breached"],
        &["crate", "keys"],
        &["crate", "passkeys"],
        &["crate", "passwords"],
        &["crate", "mail"],
        &["crate", "countries"],
    ],
    excused: &[],
};

pub(crate) const ADAPTERS_NEVER_NAME_USE_CASES: Arrow = Arrow {
    rule: "adapters know nothing of use cases, transports, jobs and configuration: what they need is given to them",
    within: ADAPTERS,
    except: &[],
    forbidden: &[
        &["crate", "usecase"],
        &["crate", "grpc"],
        &["crate", "http"],
        &["crate", "cli"],
        &["crate", "jobs"],
        &["crate", "config"],
        &["crate", "wiring"],
    ],
    excused: &[],
};

pub(crate) const USE_CASES_KNOW_NO_TRANSPORT: Arrow = Arrow {
    rule: "a use case is the same behind every transport and under every configuration",
    within: &["src/usecase"],
    except: &[],
    forbidden: &[
        &["tonic"],
        &["tonic_types"],
        &["prost"],
        &["prost_types"],
        &["axum"],
        &["http"],
        &["sea_orm"],
        &["sqlx"],
        &["fred"],
        &["crate", "grpc"],
        &["crate", "http"],
        &["crate", "cli"],
        &["crate", "jobs"],
        &["crate", "config"],
        &["crate", "wiring"],
    ],
    excused: &[],
};

/// The shim for browsers reads and rewrites gRPC answers, so it depends on `src/grpc`.
pub(crate) const TRANSPORTS_NEVER_NAME_EACH_OTHER: Arrow = Arrow {
    rule: "transports never name each other: what two of them share is a use case (src/http/grpc_web excepted)",
    within: &["src/grpc", "src/http", "src/cli"],
    except: &["src/http/grpc_web"],
    forbidden: &[&["crate", "grpc"], &["crate", "http"], &["crate", "cli"]],
    excused: &[],
};

pub(crate) const TRANSPORTS_CALL_USE_CASES: Arrow = Arrow {
    rule: "transports call use cases; of the store they may name plain values, never a statement or a connection",
    within: &["src/grpc", "src/http", "src/cli"],
    except: &[],
    forbidden: &[
        &["crate", "store", "Store"],
        &["crate", "store", "Connection"],
        &["crate", "store", "Executor"],
        &["crate", "store", "Tx"],
        &["crate", "store", "_", "fn"],
        &["crate", "cache"],
        &["crate", "captcha"],
        &["crate", "breached"],
        &["crate", "passkeys", "Passkeys"],
        &["crate", "passwords"],
        &["crate", "jobs"],
    ],
    excused: &[],
};

/// The command line loads the configuration and assembles the service; the other transports receive both.
pub(crate) const TRANSPORTS_ARE_CONFIGURED: Arrow = Arrow {
    rule: "what listens is given its settings and its use cases as values, by src/wiring.rs",
    within: &["src/grpc", "src/http"],
    except: &[],
    forbidden: &[&["crate", "config"], &["crate", "wiring"]],
    excused: &[],
};

pub(crate) const JOBS_CALL_USE_CASES: Arrow = Arrow {
    rule: "a job calls a use case when its time has come: it names use cases, runtime, telemetry and wake-ups",
    within: &["src/jobs"],
    except: &[],
    forbidden: &[
        &["crate", "store"],
        &["crate", "captcha"],
        &["crate", "breached"],
        &["crate", "keys"],
        &["crate", "passkeys"],
        &["crate", "passwords"],
        &["crate", "mail"],
        &["crate", "countries"],
        &["crate", "grpc"],
        &["crate", "http"],
        &["crate", "cli"],
        &["crate", "config"],
        &["crate", "wiring"],
    ],
    excused: &[],
};

pub(crate) const CONFIG_NAMES_ONLY_THE_RULES: Arrow = Arrow {
    rule: "settings are read before anything else exists: src/config names nothing of ours but the domain",
    within: &["src/config"],
    except: &[],
    forbidden: &[
        &["crate", "store"],
        &["crate", "cache"],
        &["crate", "captcha"],
        &["crate", "breached"],
        &["crate", "keys"],
        &["crate", "passkeys"],
        &["crate", "passwords"],
        &["crate", "mail"],
        &["crate", "countries"],
        &["crate", "runtime"],
        &["crate", "telemetry"],
        &["crate", "usecase"],
        &["crate", "grpc"],
        &["crate", "http"],
        &["crate", "cli"],
        &["crate", "jobs"],
        &["crate", "wiring"],
        &["countersign_token"],
        &["countersign_migrations"],
    ],
    excused: &[],
};

/// The migrations have their own life cycle: an old migration must always mean what it meant when it was written.
pub(crate) const MIGRATIONS_NAME_NOTHING_OF_OURS: Arrow = Arrow {
    rule: "a migration is history: it names nothing of ours, which would change under it",
    within: &["migrations/src"],
    except: &[],
    forbidden: &[&["countersign_domain"], &["countersign_token"], &["countersign"]],
    excused: &[],
};

/// The files and folders that may be directly in `src/`. A new one needs arrows above first.
pub(crate) const TOP_LEVEL: &[&str] = &[
    "main.rs",
    "lib.rs",
    "wiring.rs",
    "wiring",
    "grpc",
    "http",
    "cli",
    "usecase",
    "store",
    "cache",
    "captcha",
    "breached",
    "outbound",
    "keys",
    "passkeys",
    "passwords",
    "countries",
    "mail",
    "runtime",
    "telemetry",
    "jobs",
    "config",
];

/// Libraries that only one folder may name. If that folder exported such a library, others could name it, too.
pub(crate) const AT_HOME: &[&str] = &["axum", "fred", "prost", "reqwest", "sea_orm", "sqlx", "tonic", "webauthn_rs"];
