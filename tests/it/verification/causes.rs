//! Everything that ends a session, an account or a service is published in the feed.

use crate::support::{App, Backend, Following, PASSWORD, Person, Refused as _, on_each_database};
use countersign::{
    grpc::wire::proto::{revocation::Target, *},
    usecase::Origin,
};

/// The entries that one read of the database adds to a stream that is up to date.
async fn heard(app: &App, following: &mut Following) -> Vec<Target> {
    app.follow.follow().await.unwrap();
    following.changes().await.into_iter().filter_map(|revocation| revocation.target).collect()
}

fn ended(session: &Session) -> Target {
    Target::SessionId(session.session_id.clone())
}

async fn logged_in(app: &App) -> Session {
    app.log_in("ada@example.org", PASSWORD).await.unwrap()
}

#[test]
fn every_way_of_ending_a_session_is_published_to_backends() {
    on_each_database(async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        assert_eq!(following.snapshot().await, []);
        let ada = Person::sign_up(app, "ada@example.org").await;

        let session = logged_in(app).await;
        let leaving = LogoutRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&session)], "Logout");

        let session = logged_in(app).await;
        let revoking = RevokeSessionRequest { session_id: session.session_id.clone() };
        app.sessions().revoke_session(ada.asks(revoking)).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&session)], "RevokeSession");

        let session = logged_in(app).await;
        app.sessions().revoke_other_sessions(ada.asks(RevokeOtherSessionsRequest {})).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&session)], "RevokeOtherSessions");

        let session = logged_in(app).await;
        let second = app.refresh(&session.refresh_token).await.unwrap();
        app.refresh(&second.refresh_token).await.unwrap();
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(heard(app, &mut following).await, [ended(&session)], "reuse");

        let session = logged_in(app).await;
        let new_password = "eleven patient cranes at dawn".to_owned();
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: new_password.clone(),
            ..Default::default()
        };
        app.account().change_password(ada.asks(change)).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&session)], "ChangePassword, all but its own");

        let asked = RequestResetRequest { email: ada.email.clone(), ..Default::default() };
        app.account().request_reset(asked).await.unwrap();
        Person::set_password_by_mail(app, &ada.email, "nineteen grey geese in march").await;
        assert_eq!(heard(app, &mut following).await, [ended(&ada.session)], "Reset");
    });
}

#[test]
fn logging_out_everywhere_and_wrong_current_passwords_are_published_to_backends() {
    on_each_database(async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = logged_in(app).await;
        let leaving =
            LogoutRequest { refresh_token: other.refresh_token.clone(), everywhere: true, ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        let mut all = heard(app, &mut following).await;
        all.sort_by_key(|target| format!("{target:?}"));
        let mut both = vec![ended(&ada.session), ended(&other)];
        both.sort_by_key(|target| format!("{target:?}"));
        assert_eq!(all, both);

        let session = logged_in(app).await;
        let thief = Person { email: ada.email.clone(), session };
        for _ in 0..5 {
            let attempt = DeleteMeRequest { current_password: "not this one at all".to_owned() };
            app.account().delete_me(thief.asks(attempt)).await.unwrap_err();
        }
        assert_eq!(heard(app, &mut following).await, [ended(&thief.session)]);
    });
}

#[test]
fn disabling_and_deleting_an_account_are_published_to_backends() {
    on_each_database(async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let id = ada.session.account.as_ref().unwrap().account_id.clone();
        app.operations.disable_account.disable(&Origin::terminal(), id.parse().unwrap()).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&ada.session), Target::Subject(id)]);

        let eve = Person::sign_up(app, "eve@example.org").await;
        let id = eve.session.account.as_ref().unwrap().account_id.clone();
        let leave = DeleteMeRequest { current_password: PASSWORD.to_owned() };
        app.account().delete_me(eve.asks(leave)).await.unwrap();
        assert_eq!(heard(app, &mut following).await, [ended(&eve.session), Target::Subject(id)]);
    });
}

#[test]
fn an_operator_who_signs_everybody_out_tells_backends_so_in_one_line() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        app.advance(std::time::Duration::from_secs(1));
        assert_eq!(app.operations.end_sessions.end_all(&Origin::terminal()).await.unwrap(), 2);
        for person in [&ada, &eve] {
            assert_eq!(app.me(&person.session).await.reason(), "SESSION_ENDED");
        }
        let told = heard(app, &mut following).await;
        assert!(matches!(&told[..], [Target::TenantId(_)]), "{told:?}");
        app.advance(std::time::Duration::from_secs(1));
        // Tokens of services end too, but a service can get another one by itself.
        assert_eq!(following.next().await.reason(), "SESSION_ENDED");
        assert_eq!(backend.follow(app, "").await.map(drop).reason(), "SESSION_ENDED");
        let token = Backend::draw(app, &backend.created, "").await.unwrap().access_token;
        let after = Backend { token, ..backend }.follow(app, "").await.unwrap().snapshot().await;
        let [entry] = &after[..] else { panic!("{after:?}") };
        assert!(matches!(&entry.target, Some(Target::TenantId(_))), "{entry:?}");
        let not_after = entry.not_after_time.as_ref().unwrap();
        assert_eq!((not_after.seconds, not_after.nanos), (1_800_000_001, 0));
    });
}

#[test]
fn a_session_without_a_living_access_token_is_not_worth_a_line() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.advance(std::time::Duration::from_secs(2 * 3_600));
        let leaving = LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        assert_eq!(app.rows("revocations").await, 0);
    });
}

#[test]
fn a_call_that_failed_leaves_no_line() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let unknown = RevokeSessionRequest { session_id: "01890000-0000-7000-8000-000000000000".to_owned() };
        assert_eq!(app.sessions().revoke_session(ada.asks(unknown)).await.reason(), "SESSION_NOT_FOUND");
        assert_eq!(app.rows("revocations").await, 0);
    });
}

#[test]
fn a_token_that_was_issued_while_everybody_was_signed_out_has_ended_too() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        Person::sign_up(app, "ada@example.org").await;
        // Written by a process whose clock is three seconds ahead.
        app.execute("UPDATE sessions SET refreshed_at = refreshed_at + 3000000").await;
        app.operations.end_sessions.end_all(&Origin::terminal()).await.unwrap();
        app.follow.follow().await.unwrap();
        let not_after = following.changes().await[0].not_after_time.unwrap();
        assert_eq!(not_after.seconds, 1_800_000_003);
    });
}
