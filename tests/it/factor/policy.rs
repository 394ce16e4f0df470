//! Sessions and factors of accounts that must have a factor.

use super::{
    EMAIL,
    enrol::{always, enrol, enrolling, for_admins, grant_admin, id_of, list},
    events, live, proven, totp,
};
use crate::support::{
    PASSWORD, Person, Protected, Refused as _, SoftPasskey, add_passkey, confirm_totp, on_each_database_with,
    start_totp,
};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use std::time::Duration;

#[test]
fn a_session_without_a_second_step_is_refused_at_its_refresh_when_policy_comes_to_require_one() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let opened_before = ada.person.session.clone();
        let challenged = app.challenge(EMAIL).await;
        let done = app.complete_on(&challenged, totp(&ada.next_code(app)), true).await.unwrap();
        let (remembered, _) = app.log_in_on(EMAIL, PASSWORD, &challenged.device_token).await;
        grant_admin(app).await;
        app.advance(Duration::from_secs(1));
        for _ in 0..2 {
            let refused = app.refresh(&opened_before.refresh_token).await;
            assert_eq!(refused.reason(), "REAUTHENTICATION_REQUIRED", "it was opened with a password alone");
        }
        assert_eq!(events(app, "refresh_refused").await, 2);
        for session in [&done, &remembered] {
            app.refresh(&session.refresh_token).await.unwrap();
        }
        assert_eq!(live(app).await, 3, "the session itself goes on");
        // With the factor of the account it has a second step.
        let session = proven(app, &ada).await;
        app.advance(Duration::from_secs(1));
        app.refresh(&session.refresh_token).await.unwrap();
    });
}

#[test]
fn a_password_alone_neither_prolongs_a_session_that_policy_refuses_nor_adds_a_factor_in_it() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        grant_admin(app).await;
        let generation = "SELECT max(generation) FROM sessions";
        for _ in 0..2 {
            let refused = app.reauthenticate(&ada.session, PASSWORD).await;
            assert_eq!(refused.reason(), "REAUTHENTICATION_REQUIRED");
        }
        assert_eq!(app.number(generation).await, 1);
        // Its proof is fresh, and no factor would be proven.
        let asked = ada.asks(StartTotpRequest { name: "Phone".to_owned(), ..Default::default() });
        assert_eq!(app.factors().start_totp(asked).await.reason(), "REAUTHENTICATION_REQUIRED");
        let asked = app.start_passkey(&ada.session, "").await;
        assert_eq!(asked.reason(), "REAUTHENTICATION_REQUIRED");
        assert_eq!(app.rows("factors").await, 0);
    });
}

#[test]
fn a_factor_that_was_begun_before_policy_required_one_is_not_enabled_by_a_password_alone() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (authenticator, factor_id) = start_totp(app, &ada, "Phone").await;
        let started = app.start_passkey(&ada.session, "").await.unwrap();
        grant_admin(app).await;
        let code = authenticator.code(app.time.now());
        let refused = confirm_totp(app, &ada, &factor_id, &code).await;
        assert_eq!(refused.reason(), "REAUTHENTICATION_REQUIRED");
        let answer = SoftPasskey::new().register(&started.passkey_creation_json).to_string();
        let refused = app.finish_passkey(&ada.session, &started.factor_id, &answer).await;
        assert_eq!(refused.reason(), "REAUTHENTICATION_REQUIRED");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 0);
    });
}

#[test]
fn a_policy_that_requires_nothing_any_more_takes_the_session_that_it_refused() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        grant_admin(app).await;
        app.advance(Duration::from_secs(1));
        assert_eq!(app.refresh(&ada.session.refresh_token).await.reason(), "REAUTHENTICATION_REQUIRED");
        app.operations.revoke_role.revoke(&Origin::terminal(), id_of(app).await, "admin").await.unwrap();
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        assert_eq!(app.me(&session).await.unwrap().email, EMAIL, "it lost no generation");
    });
}

#[test]
fn the_last_factor_of_an_account_that_must_have_one_stays() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let waiting = enrolling(app).await;
        let (ada, _) = enrol(app, &waiting).await.unwrap();
        assert!(list(app, &ada.person.session).await.required);
        let remove = async |factor_id: &str| {
            let message = RemoveFactorRequest { factor_id: factor_id.to_owned(), ..Default::default() };
            app.factors().remove_factor(ada.person.asks(message)).await
        };
        assert_eq!(remove(&ada.factor_id).await.reason(), "FACTOR_REQUIRED");
        let mut passkey = SoftPasskey::new();
        add_passkey(app, &ada.person.session, &mut passkey, "").await.unwrap();
        remove(&ada.factor_id).await.unwrap();
        let left = list(app, &ada.person.session).await.factors;
        assert_eq!(remove(&left[0].factor_id).await.reason(), "FACTOR_REQUIRED");
        assert_eq!(list(app, &ada.person.session).await.factors, left, "nothing was removed");
    });
}
