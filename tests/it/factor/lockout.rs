use super::{EMAIL, backup, events, mails};
use crate::support::{
    AppOptions, Client, MailText as _, PASSWORD, Proof, Protected, Purpose, Refused as _, bearer, on_each_database,
    on_each_database_with, reset_mail, retry_after,
};
use countersign::grpc::wire::proto::RemoveFactorRequest;

/// Wrong codes from new devices, each challenge with five.
async fn try_wrong(app: &crate::support::App, ada: &Protected, count: usize) {
    let wrong = ada.wrong_code(app);
    let mut challenged = app.challenge(EMAIL).await;
    for at in 0..count {
        if at > 0 && at % 5 == 0 {
            challenged = app.challenge(EMAIL).await;
        }
        assert_eq!(app.complete(&challenged, &wrong).await.reason(), "CODE_INVALID", "{at}");
    }
}

#[test]
fn after_twenty_wrong_codes_an_app_opens_nothing_on_new_devices_until_a_backup_code_does() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        // A device on which a second factor was proven.
        let known = app.challenge(EMAIL).await;
        app.complete(&known, &ada.next_code(app)).await.unwrap();

        try_wrong(app, &ada, 20).await;
        let challenged = app.challenge(EMAIL).await;
        let code = ada.next_code(app);
        assert_eq!(challenged.challenge.methods, [2], "a backup code alone");
        assert_eq!(app.complete(&challenged, &code).await.reason(), "FACTOR_LOCKED");
        assert_eq!((events(app, "factor_locked").await, mails(app, "are locked on new devices").await), (1, 1));

        let again = app.challenge_on(EMAIL, PASSWORD, &known.device_token).await;
        assert_eq!(again.challenge.methods, [1, 2]);
        // One wrong code there does not count with those from other devices, and the right one ends the lock.
        assert_eq!(app.complete(&again, &ada.wrong_code(app)).await.reason(), "CODE_INVALID");
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 20);
        app.complete(&again, &code).await.unwrap();
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);

        try_wrong(app, &ada, 20).await;
        let challenged = app.challenge(EMAIL).await;
        assert_eq!(app.complete(&challenged, &ada.next_code(app)).await.reason(), "FACTOR_LOCKED");
        app.complete_with(&challenged, backup(&ada.backup_codes[0])).await.unwrap();
        let challenged = app.challenge(EMAIL).await;
        app.complete(&challenged, &ada.next_code(app)).await.unwrap();
    });
}

#[test]
fn a_password_alone_makes_no_device_recognized_for_codes() {
    on_each_database(async |app| {
        let client = Client::to(app.address).await;
        let ada = Protected::sign_up(app, EMAIL).await;
        app.operations
            .reset_factors
            .reset(
                &countersign::usecase::Origin::terminal(),
                ada.person.session.account.as_ref().unwrap().account_id.parse().unwrap(),
            )
            .await
            .unwrap();
        let (session, device) = client.log_in_on(EMAIL, PASSWORD, "").await;
        let person = crate::support::Person { email: EMAIL.to_owned(), session };
        let (authenticator, factor) = crate::support::start_totp(app, &person, "Phone").await;
        let code = authenticator.code(app.time.now());
        let backup_codes = crate::support::confirm_totp(app, &person, &factor, &code).await.unwrap();
        let ada = Protected { person, authenticator, factor_id: factor, backup_codes };
        try_wrong(app, &ada, 20).await;
        let again = app.challenge_on(EMAIL, PASSWORD, &device).await;
        assert_eq!(app.complete(&again, &ada.next_code(app)).await.reason(), "FACTOR_LOCKED");
    });
}

#[test]
fn wrong_codes_delay_the_next_ones_over_all_challenges_but_not_on_a_recognized_device() {
    let options = AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "6");
    on_each_database_with(options, async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let known = app.challenge(EMAIL).await;
        app.complete(&known, &ada.next_code(app)).await.unwrap();

        try_wrong(app, &ada, 6).await;
        assert_eq!(events(app, "factor_delayed").await, 1);
        let challenged = app.challenge(EMAIL).await;
        let code = ada.authenticator.code(app.time.now());
        for proof in [super::totp(&code), backup(&ada.backup_codes[0])] {
            let refused = app.complete_with(&challenged, proof).await;
            assert!(retry_after(refused.as_ref().unwrap_err()).is_some());
            assert_eq!(refused.reason(), "RATE_LIMITED");
        }
        let tries = app.number("SELECT min(tries) FROM challenges").await;
        assert_eq!(tries, 0, "what was not looked at is not used up");

        let again = app.challenge_on(EMAIL, PASSWORD, &known.device_token).await;
        app.complete(&again, &ada.next_code(app)).await.unwrap();
    });
}

#[test]
fn the_right_password_resets_no_count_of_codes() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        try_wrong(app, &ada, 7).await;
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 7);
        let link = reset_mail(app, EMAIL).await;
        let proof = Proof::Link(link.link_token());
        Purpose::Reset.claim(app, &proof, "nine loud ravens at dawn", "").await.unwrap();
        app.challenge_on(EMAIL, "nine loud ravens at dawn", "").await;
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 7);
        assert_eq!(app.number("SELECT factors FROM accounts").await, 1, "a reset removes no factor");
    });
}

/// Somebody who has the password and the token of the owner's device, too.
#[test]
fn ten_wrong_codes_make_a_recognized_device_one_like_any_other_and_its_owner_is_mailed() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let known = app.challenge(EMAIL).await;
        app.complete(&known, &ada.next_code(app)).await.unwrap();
        let wrong = ada.wrong_code(app);
        let mut challenged = app.challenge_on(EMAIL, PASSWORD, &known.device_token).await;
        for at in 0..10 {
            if at == 5 {
                challenged = app.challenge_on(EMAIL, PASSWORD, &known.device_token).await;
            }
            assert_eq!(app.complete(&challenged, &wrong).await.reason(), "CODE_INVALID");
        }
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 0);
        assert_eq!((events(app, "factor_locked").await, mails(app, "The second step for").await), (1, 1));
        let challenged = app.challenge_on(EMAIL, PASSWORD, &known.device_token).await;
        assert_eq!(app.complete(&challenged, &wrong).await.reason(), "CODE_INVALID");
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 1);
        app.complete(&challenged, &ada.next_code(app)).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 1);
    });
}

/// The mail about the lock asks for a new password.
#[test]
fn a_new_password_takes_no_device_on_which_a_code_was_used() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let known = app.challenge(EMAIL).await;
        app.complete(&known, &ada.next_code(app)).await.unwrap();
        try_wrong(app, &ada, 20).await;
        let link = Proof::Link(reset_mail(app, EMAIL).await.link_token());
        Purpose::Reset.claim(app, &link, "nine loud ravens at dawn", "").await.unwrap();
        let again = app.challenge_on(EMAIL, "nine loud ravens at dawn", &known.device_token).await;
        assert_eq!(again.challenge.methods, [1, 2]);
        app.complete(&again, &ada.next_code(app)).await.unwrap();
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
    });
}

#[test]
fn a_device_is_recognized_for_the_factors_that_were_proven_on_it_alone() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let known = app.challenge(EMAIL).await;
        app.complete(&known, &ada.next_code(app)).await.unwrap();
        let session = super::proven(app, &ada).await;
        let removed = RemoveFactorRequest { factor_id: ada.factor_id.clone(), ..Default::default() };
        app.factors().remove_factor(bearer(&session.access_token, removed)).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 0);
        app.log_in_on(EMAIL, PASSWORD, &known.device_token).await;
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 0);
    });
}
