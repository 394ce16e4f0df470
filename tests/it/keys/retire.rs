use super::{ADA, assert_whole, key, keys, log_in_for, rotate};
use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail,
};
use countersign::usecase::{Origin, key::Retired};
use countersign_domain::key::{KeyPurpose, KeyState};

async fn retire(app: &App, id: &str) -> Retired {
    app.key_operations.retire.retire(&Origin::terminal(), id).await.unwrap()
}

/// Retires the active key of a purpose.
async fn retire_active(app: &App, purpose: &str) -> String {
    let (active, staged) = (key(app, purpose, "active").await, key(app, purpose, "staged").await);
    let done = Retired::Done { purpose: KeyPurpose::from_name(purpose).unwrap(), was: KeyState::Active };
    assert_eq!(retire(app, &active).await, done);
    assert!(app.keys.reload.reload().await.unwrap());
    assert_eq!(key(app, purpose, "active").await, staged, "the staged one takes its place");
    assert_eq!(key(app, purpose, "gone").await, active);
    assert_whole(app).await;
    active
}

#[test]
fn access_tokens_of_a_retired_key_are_refused_at_once_and_refreshing_helps() {
    for purpose in ["access_signing", "access_encryption"] {
        on_each_database(async |app| {
            let ada = Person::sign_up(app, ADA).await;
            app.me(&ada.session).await.unwrap();
            let gone = retire_active(app, purpose).await;
            assert_eq!(app.me(&ada.session).await.reason(), "TOKEN_INVALID");
            let session = app.refresh(&ada.session.refresh_token).await.unwrap();
            app.me(&session).await.unwrap();
            let published = app.keys.reload.ring.verification_keys(Origin::terminal().tenant(), "default").unwrap();
            assert!(!published.signing.iter().any(|key| key.id == gone));
            assert!(!published.content.iter().any(|key| key.id == gone));
            let noted = format!("SELECT count(*) FROM audit_events WHERE kind = 'key_retired' AND object = '{gone}'");
            assert_eq!(app.number(&noted).await, 1);
        });
    }
}

#[test]
fn refresh_tokens_of_a_retired_key_are_refused_and_their_people_log_in_again() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        retire_active(app, "refresh").await;
        assert_eq!(app.refresh(&ada.session.refresh_token).await.reason(), "TOKEN_INVALID");
        let session = app.log_in(ADA, PASSWORD).await.unwrap();
        app.refresh(&session.refresh_token).await.unwrap();
    });
}

#[test]
fn links_of_a_retired_key_are_refused_and_codes_of_a_retired_key_too() {
    const NEW_PASSWORD: &str = "nine loud ravens at dawn";
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let mail = reset_mail(app, ADA).await;
        let code = Proof::Code { email: ADA.to_owned(), code: mail.typed_code() };
        retire_active(app, "action").await;
        let link = Purpose::Reset.claim(app, &Proof::Link(mail.link_token()), NEW_PASSWORD, "").await;
        assert_eq!(link.reason(), "LINK_INVALID");
        retire_active(app, "mac").await;
        assert_eq!(Purpose::Reset.claim(app, &code, NEW_PASSWORD, "").await.reason(), "CODE_INVALID");
    });
}

#[test]
fn a_staged_and_a_retiring_key_can_be_retired_too() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let (active, staged) = (key(app, "access_signing", "active").await, key(app, "access_signing", "staged").await);
        let purpose = KeyPurpose::AccessSigning;
        assert_eq!(retire(app, &staged).await, Retired::Done { purpose, was: KeyState::Staged });
        app.keys.reload.reload().await.unwrap();
        assert_whole(app).await;
        assert_eq!(key(app, "access_signing", "active").await, active);
        app.me(&ada.session).await.unwrap();

        rotate(app, purpose).await;
        app.me(&ada.session).await.unwrap();
        assert_eq!(retire(app, &active).await, Retired::Done { purpose, was: KeyState::Retiring });
        app.keys.reload.reload().await.unwrap();
        assert_eq!(app.me(&ada.session).await.reason(), "TOKEN_INVALID");
        assert_whole(app).await;
    });
}

#[test]
fn what_is_gone_or_was_never_there_is_not_retired() {
    on_each_database(async |app| {
        let active = retire_active(app, "access_signing").await;
        let before = keys(app, "access_signing").await;
        assert_eq!(retire(app, &active).await, Retired::Before);
        for unknown in ["", "nothing", "'; DROP TABLE keys; --", "%", &"k".repeat(100_000), "-x", "\u{1F511}"] {
            assert_eq!(retire(app, unknown).await, Retired::Unknown, "{}", unknown.len());
        }
        assert_eq!(keys(app, "access_signing").await, before);
        Person::register(app, ADA).await;
        log_in_for(app, "").await;
    });
}
