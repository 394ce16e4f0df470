//! Beside a factor a password may have eight characters. Whoever removes the last factor needs a longer one.

use super::{EMAIL, backup, events, live, mails, proven, violation};
use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Protected, Purpose, Refused as _, bearer, confirm_totp,
    on_each_database, reset_mail, start_totp,
};
use countersign::{
    grpc::wire::proto::*,
    store::account::{self, NewHash},
    usecase::{Origin, factor::FactorsRemoved},
};
use countersign_domain::{id::AccountId, secret::SecretText, tenant::DEFAULT_TENANT};
use tonic::Status;

const SHORT: &str = "kettle hills";
const LONG: &str = "four grey herons watch the tide";

/// A person with an app and a short password, and a session with a fresh proof.
async fn with_short_password(app: &App) -> (Protected, Session) {
    let ada = Protected::sign_up(app, EMAIL).await;
    let session = proven(app, &ada).await;
    change(app, &session, SHORT).await.unwrap();
    (ada, session)
}

async fn change(app: &App, session: &Session, new_password: &str) -> Result<(), Status> {
    let form = ChangePasswordRequest { new_password: new_password.to_owned(), ..Default::default() };
    app.account().change_password(bearer(&session.access_token, form)).await.map(drop)
}

async fn remove(app: &App, session: &Session, factor_id: &str, new_password: &str) -> Result<(), Status> {
    let form = RemoveFactorRequest { factor_id: factor_id.to_owned(), new_password: new_password.to_owned() };
    app.factors().remove_factor(bearer(&session.access_token, form)).await.map(drop)
}

fn too_short() -> (String, String) {
    ("PASSWORD_REJECTED".to_owned(), "PASSWORD_TOO_SHORT".to_owned())
}

#[test]
fn beside_a_factor_a_password_has_eight_characters_and_alone_fifteen() {
    on_each_database(async |app| {
        let eve = Person::sign_up(app, "eve@example.org").await;
        assert_eq!(violation(change(app, &eve.session, SHORT).await), too_short());
        let form =
            RegisterRequest { email: "bob@example.org".to_owned(), password: SHORT.to_owned(), ..Default::default() };
        assert_eq!(violation(app.account().register(form).await), too_short());
        let link = Proof::Link(reset_mail(app, "eve@example.org").await.link_token());
        assert_eq!(violation(Purpose::Reset.claim(app, &link, SHORT, "").await), too_short());
        Purpose::Reset.claim(app, &link, LONG, "").await.unwrap();

        let (ada, session) = with_short_password(app).await;
        assert_eq!(violation(change(app, &session, "hills 7").await), too_short());
        let challenged = app.challenge_on(EMAIL, SHORT, "").await;
        app.complete_with(&challenged, backup(&ada.backup_codes[0])).await.unwrap();
        let link = Proof::Link(reset_mail(app, EMAIL).await.link_token());
        Purpose::Reset.claim(app, &link, "seven owls", "").await.unwrap();
        app.challenge_on(EMAIL, "seven owls", "").await;
    });
}

#[test]
fn whoever_removes_the_last_factor_with_a_short_password_sets_a_longer_one_in_the_same_call() {
    on_each_database(async |app| {
        let (ada, session) = with_short_password(app).await;
        let challenged = app.challenge_on(EMAIL, SHORT, "").await;
        let other = app.complete_with(&challenged, backup(&ada.backup_codes[0])).await.unwrap();
        let mailed = (mails(app, "password").await, events(app, "factor_removed").await);
        for new in ["", SHORT, "hills 7"] {
            let refused = remove(app, &session, &ada.factor_id, new).await;
            assert_eq!((violation(refused.clone()), refused.fields()), (too_short(), vec!["new_password".to_owned()]));
        }
        assert_eq!((mails(app, "password").await, events(app, "factor_removed").await), mailed);
        app.challenge_on(EMAIL, SHORT, "").await;

        remove(app, &session, &ada.factor_id, LONG).await.unwrap();
        assert_eq!(app.me(&other).await.reason(), "SESSION_ENDED");
        app.me(&session).await.unwrap();
        app.log_in(EMAIL, LONG).await.unwrap();
        assert_eq!(app.log_in(EMAIL, SHORT).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(events(app, "factor_removed").await, 1);
    });
}

#[test]
fn another_factor_is_enough_and_so_is_a_long_password() {
    on_each_database(async |app| {
        let (ada, session) = with_short_password(app).await;
        let person = Person { session: session.clone(), ..ada.person.clone() };
        let (authenticator, factor) = start_totp(app, &person, "Tablet").await;
        confirm_totp(app, &person, &factor, &authenticator.code(app.time.now())).await.unwrap();
        remove(app, &session, &ada.factor_id, "").await.unwrap();
        assert_eq!(violation(remove(app, &session, &factor, "").await), too_short());
        change(app, &session, LONG).await.unwrap();
        remove(app, &session, &factor, "").await.unwrap();
        app.log_in(EMAIL, LONG).await.unwrap();
    });
}

#[test]
fn an_operator_who_removes_the_factors_removes_a_short_password_as_well() {
    on_each_database(async |app| {
        let (ada, session) = with_short_password(app).await;
        let id: AccountId = ada.person.session.account.as_ref().unwrap().account_id.parse().unwrap();
        let removed = app.operations.reset_factors.reset(&Origin::terminal(), id).await.unwrap();
        assert_eq!(removed, Some(FactorsRemoved { factors: 1, password: true }));
        assert_eq!(app.log_in(EMAIL, SHORT).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!((app.me(&session).await.reason(), live(app).await), ("SESSION_ENDED".to_owned(), 0));
        let link = Proof::Link(reset_mail(app, EMAIL).await.link_token());
        assert_eq!(violation(Purpose::Reset.claim(app, &link, SHORT, "").await), too_short());
        Purpose::Reset.claim(app, &link, LONG, "").await.unwrap();
        app.log_in(EMAIL, LONG).await.unwrap();
    });
}

#[test]
fn a_short_password_is_not_set_when_the_factor_went_meanwhile() {
    on_each_database(async |app| {
        let eve = Person::sign_up(app, EMAIL).await;
        let store = app.store().await;
        let id: AccountId = eve.session.account.as_ref().unwrap().account_id.parse().unwrap();
        let stored = account::find(&store.read(), DEFAULT_TENANT, id).await.unwrap().unwrap();
        let hash = |needs_factor| NewHash { text: SecretText::new("$argon2id$".to_owned()), needs_factor };
        let set = async |hash: NewHash| {
            let (db, version, now) = (store.write(), stored.password_version, app.time.now());
            account::replace_password(&db, DEFAULT_TENANT, id, version, &hash, now).await.unwrap()
        };
        assert!(!set(hash(true)).await);
        app.log_in(EMAIL, PASSWORD).await.unwrap();
        assert!(set(hash(false)).await);
    });
}
