//! Finding out by the response time whether somebody has an account.
//!
//! Each round measures every kind of address once, so that whatever slows the machine down slows all kinds. Two kinds
//! are distinguishable when the difference is significant *and* large: one measurement of each tells the slower kind
//! far more often than a coin would. Either alone says nothing: with enough samples any difference is significant, and
//! with few samples any difference may be large.

use crate::support::{
    App, AppOptions, PASSWORD, Person, Protected, WRONG, bearer, on_each_database_with, on_sqlite, reason,
};
use countersign::{
    grpc::wire::proto::*,
    passwords::{Hasher, HasherSettings},
    runtime::Entropy,
    usecase::Origin,
};
use countersign_domain::{
    password::{PasswordPolicy, PasswordPurpose::Alone},
    secret::SecretText,
};
use std::time::Instant;
use tonic::Status;

/// For each kind. The whole file makes some two thousand calls within a minute.
const SAMPLES: usize = 40;
/// Standard deviations from chance: four or more occur once in thirty thousand.
const SIGNIFICANT: f64 = 4.0;
/// How often the slower kind of a pair took longer. 0.5 is chance; from 0.71 on the difference counts as large (Vargha
/// and Delaney 2000).
const LARGE: f64 = 0.71;

const ADA: &str = "ada@example.org";
const UNA: &str = "una@example.org";
const DORA: &str = "dora@example.org";

/// How clearly two kinds differ.
#[derive(Debug)]
struct Difference {
    /// Of the Mann-Whitney test, which assumes nothing about the distribution of the times.
    deviations: f64,
    /// How often a sample of the first kind is above a sample of the second; ties count half.
    superiority: f64,
}

impl Difference {
    fn between(one: &[f64], other: &[f64]) -> Self {
        let above: f64 = one
            .iter()
            .flat_map(|a| {
                other.iter().map(move |b| {
                    if a > b {
                        1.0
                    } else if a < b {
                        0.0
                    } else {
                        0.5
                    }
                })
            })
            .sum();
        let (n, m) = (one.len() as f64, other.len() as f64);
        let spread = (n * m * (n + m + 1.0) / 12.0).sqrt();
        Self { deviations: (above - n * m / 2.0) / spread, superiority: above / (n * m) }
    }

    fn tells(&self) -> bool {
        self.deviations.abs() > SIGNIFICANT && (self.superiority > LARGE || self.superiority < 1.0 - LARGE)
    }
}

/// How many rounds of new samples have to show the same difference in the same direction. A machine that is busy at the
/// wrong moment causes a difference once; the service causes it every time.
const ROUNDS: usize = 3;

/// Measures each kind of address, and compares every two.
async fn compare(app: &App, what: &str, ask: impl AsyncFn(usize, usize)) {
    compare_kinds(app, what, KINDS, ask).await;
}

/// Measures each kind, and compares every two.
async fn compare_kinds<const N: usize>(app: &App, what: &str, kinds: [&str; N], ask: impl AsyncFn(usize, usize)) {
    let mut told: Option<Vec<String>> = None;
    for round in 0..ROUNDS {
        let times = measure::<N>(app, round * SAMPLES..(round + 1) * SAMPLES, &ask).await;
        let mut now = pairs_told_apart(kinds, &times);
        if let Some(before) = told {
            now.retain(|pair| before.contains(pair));
        }
        if now.is_empty() {
            return;
        }
        told = Some(now);
    }
    panic!("{what}: {told:?}, {ROUNDS} times in a row");
}

async fn measure<const N: usize>(
    app: &App,
    samples: std::ops::Range<usize>,
    ask: &impl AsyncFn(usize, usize),
) -> [Vec<f64>; N] {
    let mut times = [const { Vec::new() }; N];
    for sample in samples {
        // Without this, the codes would be void after a few samples.
        app.execute("UPDATE actions SET code_tries = 0").await;
        for turn in 0..N {
            // Another kind is the first in each sample.
            let kind = (sample + turn) % N;
            let begun = Instant::now();
            ask(kind, sample).await;
            times[kind].push(begun.elapsed().as_secs_f64());
        }
    }
    times
}

/// The pairs of kinds that differ, the slower one first.
fn pairs_told_apart<const N: usize>(kinds: [&str; N], times: &[Vec<f64>; N]) -> Vec<String> {
    let mut told = Vec::new();
    for one in 0..N {
        for other in 0..N {
            let difference = Difference::between(&times[one], &times[other]);
            if difference.superiority > 0.5 && difference.tells() {
                told.push(format!("{} takes longer than {}", kinds[one], kinds[other]));
            }
        }
    }
    told
}

/// Creates an account, an account without a verified address, and a disabled account.
async fn three(app: &App) {
    Person::register(app, ADA).await;
    register(app, UNA).await.unwrap();
    let dora = Person::sign_up(app, DORA).await;
    let id = dora.session.account.unwrap().account_id.parse().unwrap();
    app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
    app.send_mail().await;
}

const KINDS: [&str; 4] = ["an account", "an unverified address", "a disabled account", "an unknown address"];

/// An address of a kind. Each unknown address is used once: a registration makes it known.
fn address(kind: usize, sample: usize) -> String {
    match kind {
        0 => ADA.to_owned(),
        1 => UNA.to_owned(),
        2 => DORA.to_owned(),
        _ => format!("nobody-{sample}@example.org"),
    }
}

async fn register(app: &App, email: &str) -> Result<(), Status> {
    let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.account().register(form).await.map(drop)
}

#[test]
fn no_login_tells_by_its_time_whether_there_is_an_account() {
    on_each_database_with(AppOptions::default(), async |app| {
        three(app).await;
        compare(app, "Login", async |kind, sample| {
            let refused = app.log_in(&address(kind, sample), WRONG).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        })
        .await;
    });
}

#[test]
fn no_login_tells_by_its_time_whether_an_account_has_a_factor_or_must_have_one() {
    let options =
        AppOptions::with("COUNTERSIGN_FACTORS__REQUIRED", "roles").and("COUNTERSIGN_FACTORS__REQUIRED_ROLES", "admin");
    on_each_database_with(options, async |app| {
        Person::register(app, ADA).await;
        Protected::sign_up(app, UNA).await;
        let dora = Person::sign_up(app, DORA).await;
        let id = dora.session.account.unwrap().account_id.parse().unwrap();
        app.operations.grant_role.grant(&Origin::terminal(), id, "admin").await.unwrap();
        let kinds = ["an account", "one with a factor", "one that must have a factor"];
        compare_kinds(app, "Login", kinds, async |kind, _| {
            let refused = app.log_in([ADA, UNA, DORA][kind], WRONG).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        })
        .await;
    });
}

/// A token that was opened before is not decrypted again. Somebody who forges tokens must not learn from that which
/// ones are in use.
#[test]
fn no_forged_token_tells_by_its_time_whether_a_similar_one_is_in_use() {
    on_sqlite(async |app| {
        let (used, unused) = (Person::sign_up(app, ADA).await, Person::sign_up(app, UNA).await);
        app.account().get_me(used.asks(GetMeRequest {})).await.unwrap();
        let kinds = ["the end of a token in use", "its beginning", "the end of another token", "its beginning"];
        compare_kinds(app, "a forged token", kinds, async |kind, _| {
            let token = if kind < 2 { &used.session.access_token } else { &unused.session.access_token };
            let place = if kind % 2 == 0 { token.len() / 2 } else { token.len() - 2 };
            let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
            let forged = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            let refused = app.account().get_me(bearer(&forged, GetMeRequest {})).await.unwrap_err();
            assert_eq!(reason(&refused), "TOKEN_INVALID");
        })
        .await;
    });
}

/// Hashes from before `passwords.argon2_iterations` was raised, as cheap as they can be.
const FORMER: HasherSettings = HasherSettings { memory_kib: 8192, iterations: 1, parallelism: 1, workers: 1, queue: 8 };

/// Settings that make a difference visible.
fn raised() -> AppOptions {
    AppOptions::with("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "4")
}

/// Gives accounts the hash that `PASSWORD` had before, and counts the costs again, as a start does.
async fn age_hashes(app: &App, of: &str) {
    age_hashes_uncounted(app, of).await;
    app.count_hash_costs.count().await.unwrap();
}

/// The same, without counting the costs again.
async fn age_hashes_uncounted(app: &App, of: &str) {
    let policy = PasswordPolicy::default();
    let password =
        policy.accept(policy.read(&SecretText::new(PASSWORD.to_owned()), Alone).unwrap(), Alone, &[]).unwrap();
    let hash = Hasher::start(FORMER, Entropy::seeded(7)).unwrap().hash(&password).await.unwrap();
    app.execute(&format!("UPDATE accounts SET password_hash = '{}' WHERE email LIKE '{of}'", hash.as_str())).await;
}

#[test]
fn no_login_tells_by_its_time_whether_there_is_an_account_after_hashes_became_more_expensive() {
    on_each_database_with(raised(), async |app| {
        three(app).await;
        age_hashes(app, "%").await;
        compare(app, "Login", async |kind, sample| {
            let refused = app.log_in(&address(kind, sample), WRONG).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        })
        .await;
        // A password that is too long is handled in the same way.
        let endless = "x".repeat(1_500);
        compare(app, "Login with an endless password", async |kind, sample| {
            let refused = app.log_in(&address(kind, sample), &endless).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        })
        .await;
    });
}

#[test]
fn no_login_tells_by_its_time_whether_an_account_was_disabled() {
    on_each_database_with(raised(), async |app| {
        three(app).await;
        app.count_hash_costs.count().await.unwrap();
        // The hashes of accounts no longer cost what the service computes for unknown names.
        age_hashes_uncounted(app, "%").await;
        let mut times = [const { Vec::new() }; 2];
        for sample in 0..SAMPLES {
            for turn in 0..2 {
                let kind = (sample + turn) % 2;
                let begun = Instant::now();
                app.log_in([ADA, DORA][kind], WRONG).await.unwrap_err();
                times[kind].push(begun.elapsed().as_secs_f64());
            }
        }
        let difference = Difference::between(&times[0], &times[1]);
        assert!(!difference.tells(), "{difference:?}");
    });
}

#[test]
fn a_name_that_nobody_has_costs_the_same_whenever_it_is_asked_about() {
    const NAMES: usize = 24;
    /// An interruption slows down one call for a name, but not most of them.
    const CALLS: usize = 3;
    // Expensive hashes cost so much more that other differences do not matter.
    let far_dearer = AppOptions::with("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "16");
    on_each_database_with(far_dearer, async |app| {
        for email in ["before@example.org", "after@example.org"] {
            Person::register(app, email).await;
        }
        age_hashes(app, "before%").await;
        let mut is_dear = [const { Vec::new() }; 2];
        for round in &mut is_dear {
            let mut usual = Vec::new();
            for name in 0..NAMES {
                let mut times = [0.0; CALLS];
                for time in &mut times {
                    let begun = Instant::now();
                    app.log_in(&format!("nobody-{name}@example.org"), WRONG).await.unwrap_err();
                    *time = begun.elapsed().as_secs_f64();
                }
                times.sort_by(f64::total_cmp);
                usual.push(times[CALLS / 2]);
            }
            let mut sorted = usual.clone();
            sorted.sort_by(f64::total_cmp);
            let between = (sorted[0] * sorted[NAMES - 1]).sqrt();
            round.extend(usual.into_iter().map(|time| time > between));
        }
        let changed = is_dear[0].iter().zip(&is_dear[1]).filter(|(one, other)| one != other).count();
        assert!(changed < NAMES / 4, "{changed} of {NAMES}: {is_dear:?}");
    });
}

#[test]
fn names_that_nobody_has_cost_the_old_and_the_new_price_in_the_proportions_of_accounts() {
    const ACCOUNTS: usize = 10;
    let account = |number: usize| {
        let when = if number < ACCOUNTS / 2 { "before" } else { "after" };
        format!("{when}-{number}@example.org")
    };
    on_each_database_with(raised(), async |app| {
        for number in 0..ACCOUNTS {
            Person::register(app, &account(number)).await;
        }
        age_hashes(app, "before-%").await;
        let mut times = [const { Vec::new() }; 2];
        let (mut cheap, mut dear) = (0, 0);
        for sample in 0..SAMPLES {
            let emails = [account(sample % ACCOUNTS), format!("nobody-{sample}@example.org")];
            for (kind, email) in emails.iter().enumerate() {
                let begun = Instant::now();
                app.log_in(email, WRONG).await.unwrap_err();
                times[kind].push(begun.elapsed().as_secs_f64());
            }
        }
        let difference = Difference::between(&times[0], &times[1]);
        assert!(!difference.tells(), "{difference:?}");
        // Unknown names must not all cost the same either: that would tell accounts of both kinds from them.
        let mut accounts = times[0].clone();
        accounts.sort_by(f64::total_cmp);
        let between = (accounts[SAMPLES / 4] + accounts[3 * SAMPLES / 4]) / 2.0;
        for time in &times[1] {
            *if *time < between { &mut cheap } else { &mut dear } += 1;
        }
        assert!(cheap > SAMPLES / 8 && dear > SAMPLES / 8, "{cheap} cheap ones and {dear} dear ones");
    });
}

#[test]
fn no_login_that_waits_tells_by_its_time_whether_there_is_an_account() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "1"), async |app| {
        three(app).await;
        for kind in 0..KINDS.len() {
            app.log_in(&address(kind, 0), WRONG).await.unwrap_err();
        }
        compare(app, "Login of a locked name", async |kind, _| {
            let refused = app.log_in(&address(kind, 0), WRONG).await.unwrap_err();
            assert_eq!(reason(&refused), "RATE_LIMITED");
        })
        .await;
    });
}

#[test]
fn no_registration_and_no_mail_tells_by_its_time_whether_there_is_an_account() {
    on_each_database_with(AppOptions::default(), async |app| {
        three(app).await;
        compare(app, "RequestReset", async |kind, sample| {
            let form = RequestResetRequest { email: address(kind, sample), ..Default::default() };
            app.account().request_reset(form).await.unwrap();
        })
        .await;
        compare(app, "ResendVerification", async |kind, sample| {
            let form = ResendVerificationRequest { email: address(kind, sample), ..Default::default() };
            app.account().resend_verification(form).await.unwrap();
        })
        .await;
        compare(app, "Register", async |kind, sample| register(app, &address(kind, sample)).await.unwrap()).await;
    });
}

#[test]
fn no_wrong_code_tells_by_its_time_whether_one_is_on_its_way() {
    on_each_database_with(AppOptions::default(), async |app| {
        three(app).await;
        for kind in 0..KINDS.len() {
            let form = RequestResetRequest { email: address(kind, 0), ..Default::default() };
            app.account().request_reset(form).await.unwrap();
        }
        app.send_mail().await;
        compare(app, "Verify", async |kind, sample| {
            let form =
                VerifyRequest { email: address(kind, sample), code: "12345678".to_owned(), ..Default::default() };
            assert_eq!(reason(&app.account().verify(form).await.unwrap_err()), "CODE_INVALID");
        })
        .await;
        compare(app, "Reset", async |kind, sample| {
            let form = ResetRequest {
                email: address(kind, sample),
                code: "12345678".to_owned(),
                new_password: "five patient lanterns by the sea".to_owned(),
                ..Default::default()
            };
            assert_eq!(reason(&app.account().reset(form).await.unwrap_err()), "CODE_INVALID");
        })
        .await;
    });
}

#[test]
fn the_comparison_sees_what_is_there_and_nothing_else() {
    let times = |slower: f64| -> Vec<f64> { (0..SAMPLES).map(|at| (at * 7 % SAMPLES) as f64 + slower).collect() };
    let spread = SAMPLES as f64;
    assert!(!Difference::between(&times(0.0), &times(0.0)).tells());
    assert!(!Difference::between(&times(0.0), &times(spread / 10.0)).tells(), "too little to help anybody");
    assert!(Difference::between(&times(0.0), &times(spread / 2.0)).tells());
    assert!(Difference::between(&times(spread / 2.0), &times(0.0)).tells(), "in either direction");
    assert!(!Difference::between(&[2.0, 3.0], &[1.0, 1.5]).tells(), "too few to mean anything");
}
