use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail,
};
use countersign::{grpc::wire::proto::Session, usecase::Origin};
use futures_util::future::{join, join_all};
use tonic::Status;

const LOGINS: usize = 6;
/// How many calls of another kind go before the act that the logins race with: each moves it to another place among them.
const ROUNDS: usize = 10;

/// Logs in many times while `act` happens; the act waits for `late` answers of another call first.
async fn race(app: &App, password: &str, late: usize, act: impl Future<Output = ()>) -> Vec<Result<Session, Status>> {
    let logins = join_all((0..LOGINS).map(|_| Person::log_in(app, "ada@example.org", password)));
    let act = async {
        for _ in 0..late {
            let _ = Person::refresh(app, "v4.local.none").await;
            tokio::task::yield_now().await;
        }
        // A hash takes about as long as several calls; half of the rounds wait for one more.
        if late.is_multiple_of(2) {
            let _ = Person::log_in(app, "nobody@example.org", password).await;
        }
        act.await;
    };
    join(logins, act).await.0
}

async fn assert_nobody_is_in(app: &App, logins: Vec<Result<Session, Status>>, round: usize, reason: &str) {
    let live = app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await;
    assert_eq!(live, 0, "round {round}");
    for login in logins {
        match login {
            Ok(session) => assert_eq!(Person::refresh(app, &session.refresh_token).await.reason(), reason),
            refused => assert_eq!(refused.reason(), "CREDENTIALS_INVALID"),
        }
    }
}

#[test]
fn no_session_opened_with_the_old_password_survives_a_reset() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let mut password = PASSWORD.to_owned();
        for round in 0..ROUNDS {
            let link = Proof::Link(reset_mail(app, "ada@example.org").await.link_token());
            let new_password = format!("nine loud ravens at dawn {round}");
            let reset = async { Purpose::Reset.claim(app, &link, &new_password, "").await.unwrap() };
            let logins = race(app, &password, round, reset).await;
            assert_nobody_is_in(app, logins, round, "SESSION_ENDED").await;
            password = new_password;
        }
        Person::log_in(app, "ada@example.org", &password).await.unwrap();
    });
}

#[test]
fn no_session_survives_the_disabling_of_its_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let id = ada.session.account.unwrap().account_id.parse().unwrap();
        for round in 0..ROUNDS {
            let disable = async { assert!(app.accounts.disable(&Origin::terminal(), id).await.unwrap()) };
            let logins = race(app, PASSWORD, round, disable).await;
            assert_nobody_is_in(app, logins, round, "ACCOUNT_DISABLED").await;
            assert!(app.accounts.enable(&Origin::terminal(), id).await.unwrap());
        }
        Person::log_in(app, "ada@example.org", PASSWORD).await.unwrap();
    });
}
