use crate::support::{
    App, MailText as _, PASSWORD, Person, Refused as _, bearer, on_each_database, request_with, reset_mail,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::{Code, Request};

async fn reason_of(app: &App, token: &str) -> String {
    app.account().get_me(bearer(token, GetMeRequest {})).await.reason()
}

#[test]
fn an_access_token_is_a_jwe_with_one_pinned_header() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let another = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let segments: Vec<_> = person.session.access_token.split('.').collect();
        assert_eq!(segments.len(), 5);
        assert_eq!(segments[0], another.access_token.split('.').next().unwrap(), "headers differ");
        let header = URL_SAFE_NO_PAD.decode(segments[0]).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        let mut names: Vec<_> = header.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "cty", "enc", "kid"]);
        assert_eq!((&header["alg"], &header["enc"], &header["cty"]), (&"dir".into(), &"A256GCM".into(), &"JWT".into()));
        assert_eq!(segments[1], "", "the key is agreed on, not sent");
        assert_eq!((segments[2].len(), segments[4].len()), (16, 22), "96 bits of nonce, 128 bits of tag");
        let hidden = URL_SAFE_NO_PAD.decode(segments[3]).unwrap();
        assert!(!String::from_utf8_lossy(&hidden).contains(&person.session.session_id), "the claims can be read");
    });
}

#[test]
fn a_call_without_an_access_token_says_so() {
    on_each_database(async |app| {
        let status = app.account().get_me(GetMeRequest {}).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(Err::<(), _>(status).reason(), "TOKEN_MISSING");
    });
}

#[test]
fn what_is_no_access_token_is_refused() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let good = &person.session.access_token;
        let action = reset_mail(app, "ada@example.org").await.link_token();
        let (head, _) = good.rsplit_once('.').unwrap();
        let wrong = [
            "garbage".to_owned(),
            "a.b.c.d.e".to_owned(),
            "....".to_owned(),
            "x".repeat(9_000),
            person.session.refresh_token.clone(),
            action,
            head.to_owned(),
            format!("{good}."),
            format!("{good}.x"),
            good[..good.len() - 1].to_owned(),
            good[1..].to_owned(),
            format!("{good}="),
        ];
        for token in wrong {
            assert_eq!(reason_of(app, &token).await, "TOKEN_INVALID", "{}", &token[..token.len().min(60)]);
        }
        app.me(&person.session).await.unwrap();
    });
}

#[test]
fn a_token_with_one_changed_character_is_refused_wherever_it_was_changed() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        // A token that was opened before is compared as a whole.
        app.me(&session).await.unwrap();
        let good = session.access_token;
        for at in (0..good.len()).step_by(9).chain(good.len() - 24..good.len()) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(reason_of(app, &changed).await, "TOKEN_INVALID", "changed at {at}");
        }
    });
}

#[test]
fn only_one_authorization_header_with_the_scheme_bearer_is_read() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let good = &person.session.access_token;
        for value in
            [format!("Basic {good}"), format!("DPoP {good}"), good.clone(), "Bearer".to_owned(), "Bearer ".to_owned()]
        {
            let refused = app.account().get_me(request_with("authorization", &value, GetMeRequest {})).await;
            assert_eq!(refused.reason(), "TOKEN_INVALID", "{}", &value[..6]);
        }
        for second in [format!("Bearer {good}"), "Bearer other".to_owned()] {
            let mut twice: Request<GetMeRequest> = person.asks(GetMeRequest {});
            twice.metadata_mut().append("authorization", second.parse().unwrap());
            assert_eq!(app.account().get_me(twice).await.reason(), "TOKEN_INVALID");
        }
        let lower = request_with("authorization", &format!("bearer {good}"), GetMeRequest {});
        app.account().get_me(lower).await.unwrap();
    });
}

#[test]
fn an_access_token_expires_at_the_second_that_was_told() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        app.advance(Duration::from_secs(599));
        app.me(&session).await.unwrap();
        app.advance(Duration::from_secs(1));
        assert_eq!(app.me(&session).await.reason(), "TOKEN_EXPIRED");
        let refreshed = app.refresh(&session.refresh_token).await.unwrap();
        app.me(&refreshed).await.unwrap();
    });
}

#[test]
fn the_access_token_of_a_deleted_account_opens_nothing() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let leave = DeleteMeRequest { current_password: PASSWORD.to_owned() };
        app.account().delete_me(person.asks(leave)).await.unwrap();
        assert_eq!(app.me(&person.session).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&person.session.refresh_token).await.reason(), "SESSION_ENDED");
        assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(app.rows("sessions").await, 0);
    });
}
