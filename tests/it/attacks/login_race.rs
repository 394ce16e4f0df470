use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail,
};
use countersign::{grpc::wire::proto::Session, usecase::Origin};
use futures_util::future::{join, join_all};
use std::cell::Cell;
use tonic::Status;

/// Logins in progress at every moment.
const LANES: usize = 4;
const ROUNDS: usize = 6;

/// Logs in without a pause during `act`, so that some logins have proven the password before `act` and open their
/// session after it.
async fn race(app: &App, password: &str, act: impl Future<Output = ()>) -> Vec<Result<Session, Status>> {
    let done = Cell::new(false);
    let lane = async || {
        let mut logins = Vec::new();
        while !done.get() {
            logins.push(app.log_in("ada@example.org", password).await);
        }
        logins
    };
    let act = async {
        act.await;
        done.set(true);
    };
    let (lanes, ()) = join(join_all((0..LANES).map(|_| lane())), act).await;
    lanes.into_iter().flatten().collect()
}

async fn assert_nobody_is_in(app: &App, logins: Vec<Result<Session, Status>>, round: usize, reason: &str) {
    let live = app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await;
    assert_eq!(live, 0, "round {round}");
    for login in logins {
        match login {
            Ok(session) => assert_eq!(app.refresh(&session.refresh_token).await.reason(), reason),
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
            let logins = race(app, &password, reset).await;
            assert_nobody_is_in(app, logins, round, "SESSION_ENDED").await;
            password = new_password;
        }
        app.log_in("ada@example.org", &password).await.unwrap();
    });
}

#[test]
fn no_session_survives_the_disabling_of_its_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let id = ada.session.account.unwrap().account_id.parse().unwrap();
        for round in 0..ROUNDS {
            let disable = async {
                // Not before the first logins were answered.
                let _ = app.log_in("nobody@example.org", PASSWORD).await;
                assert!(app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap());
            };
            let logins = race(app, PASSWORD, disable).await;
            assert_nobody_is_in(app, logins, round, "ACCOUNT_DISABLED").await;
            assert!(app.operations.enable_account.enable(&Origin::terminal(), id).await.unwrap());
        }
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
    });
}
