use super::{EMAIL, backup, live, proven};
use crate::support::{Person, Protected, Replica, at_once, confirm_totp, on_each_database, start_totp};

use std::time::Duration;

const AT_ONCE: usize = 64;

#[test]
fn of_many_logins_with_one_code_one_opens_a_session() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let mut challenges = Vec::new();
        for _ in 0..AT_ONCE {
            challenges.push(app.challenge(EMAIL).await);
        }
        let before = live(app).await;
        let code = ada.next_code(app);
        let outcomes = at_once(AT_ONCE, async |at| app.complete(&challenges[at], &code).await).await;
        outcomes.assert_one_won(&["CODE_INVALID", "FACTOR_LOCKED"], "a code");
        assert_eq!(live(app).await, before + 1);

        // The delay after so many wrong codes has ended.
        app.advance(Duration::from_hours(24));
        let mut challenges = Vec::new();
        for _ in 0..AT_ONCE {
            challenges.push(app.challenge(EMAIL).await);
        }
        let code = &ada.backup_codes[0];
        let outcomes = at_once(AT_ONCE, async |at| app.complete_with(&challenges[at], backup(code)).await).await;
        outcomes.assert_one_won(&["CODE_INVALID"], "a backup code");
        assert_eq!(live(app).await, before + 2);
    });
}

#[test]
fn of_many_codes_for_one_challenge_one_opens_a_session() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let before = live(app).await;
        let codes = &ada.backup_codes;
        let outcomes = at_once(codes.len(), async |at| app.complete_with(&challenged, backup(&codes[at])).await).await;
        outcomes.assert_one_won(&["CHALLENGE_INVALID"], "a challenge");
        assert_eq!(live(app).await, before + 1);
        assert_eq!(app.number("SELECT count(*) FROM backup_codes WHERE used_at IS NULL").await, 9);
    });
}

#[test]
fn of_many_wrong_codes_for_one_challenge_five_are_looked_at() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let wrong = ada.wrong_code(app);
        let outcomes = at_once(AT_ONCE, async |_| app.complete(&challenged, &wrong).await).await;
        assert!(outcomes.successes.is_empty());
        assert_eq!(outcomes.refusals.get("CODE_INVALID"), Some(&5), "{:?}", outcomes.refusals);
        outcomes.assert_refused_only_for(&["CODE_INVALID", "CHALLENGE_INVALID"], "wrong codes");
    });
}

#[test]
fn of_two_replicas_with_one_code_one_opens_a_session() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let one = Replica::start(&app.database_url, &app.data_dir, 2).await;
        let other = Replica::start(&app.database_url, &app.data_dir, 3).await;
        // The clock of the replicas stands still where the test began: the next step has a code that works there.
        let next = countersign_domain::time::Timestamp::from_seconds(app.time.now().as_seconds() + 30);
        let code = ada.authenticator.code(next);
        let challenges = [one.challenge(EMAIL).await, one.challenge(EMAIL).await];
        let before = live(app).await;
        let outcomes = at_once(2, async |at| {
            let replica = if at == 0 { &one } else { &other };
            replica.complete(&challenges[at], &code).await
        })
        .await;
        outcomes.assert_one_won(&["CODE_INVALID"], "two replicas");
        assert_eq!(live(app).await, before + 1);
        one.close().await;
        other.close().await;
    });
}

#[test]
fn of_many_confirmations_of_one_app_one_adds_it() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        // Another app of an account that has one: that needs a proof with the first.
        let person = Person { session: proven(app, &ada).await, ..ada.person.clone() };
        let (authenticator, factor) = start_totp(app, &person, "Tablet").await;
        let code = authenticator.code(app.time.now());
        let outcomes = at_once(16, async |_| confirm_totp(app, &person, &factor, &code).await).await;
        outcomes.assert_one_won(&["FACTOR_NOT_FOUND"], "an app");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 2);
    });
}
