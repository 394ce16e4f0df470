use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, at_once, email_change_mail, log_in_from, on_each_database,
    recognized_device, reset_mail,
};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use futures_util::future::join;
use tonic::Status;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";
const ROUNDS: usize = 8;

async fn delete(app: &App, person: &Person) -> Result<(), Status> {
    let form = DeleteMeRequest { current_password: PASSWORD.to_owned() };
    app.account().delete_me(person.asks(form)).await.map(drop)
}

async fn change_password(app: &App, person: &Person, new: &str) -> Result<(), Status> {
    let form = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: new.to_owned(),
        ..Default::default()
    };
    app.account().change_password(person.asks(form)).await.map(drop)
}

#[test]
fn nothing_is_done_with_a_proof_once_the_account_was_disabled() {
    on_each_database(async |app| {
        for round in 0..ROUNDS {
            let email = format!("ada{round}@example.org");
            let ada = Person::sign_up(app, &email).await;
            let id = ada.session.account.as_ref().unwrap().account_id.parse().unwrap();
            let origin = Origin::terminal();
            let (disabled, deleted) =
                join(app.operations.disable_account.disable(&origin, id), delete(app, &ada)).await;
            let accounts = app.number(&format!("SELECT count(*) FROM accounts WHERE email = '{email}'")).await;
            assert_eq!(deleted.is_err(), disabled.unwrap(), "either the one or the other: {deleted:?}");
            assert_eq!(accounts, i64::from(deleted.is_err()));
        }
    });
}

#[test]
fn an_account_is_deleted_once_however_often_that_is_asked() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let app = &*app;
        let deletions = at_once(4, async |_| delete(app, &ada).await).await;
        deletions.assert_one_won(&["SESSION_ENDED"], "deletions");
        let farewells = "SELECT count(*) FROM outbox WHERE template = 'account_deleted'";
        assert_eq!(app.number(farewells).await, 1);
    });
}

#[test]
fn acts_on_one_account_at_once_wait_for_each_other_and_never_for_nothing() {
    on_each_database(async |app| {
        for round in 0..ROUNDS {
            let email = format!("ada{round}@example.org");
            let ada = Person::sign_up(app, &email).await;
            let moved =
                Proof::Link(email_change_mail(app, &ada, &format!("new{round}@example.org")).await.link_token());
            let first = Proof::Link(reset_mail(app, &email).await.link_token());
            let second = Proof::Link(reset_mail(app, &email).await.link_token());
            let app = &*app;
            let acts = at_once(5, async |number| match number {
                0 => Purpose::Reset.claim(app, &first, NEW_PASSWORD, "").await,
                1 => Purpose::Reset.claim(app, &second, "twelve muddy boots outside", "").await,
                2 => Purpose::ConfirmEmail.claim(app, &moved, "", "").await,
                3 => change_password(app, &ada, "a lantern made of old rhubarb").await,
                _ => delete(app, &ada).await,
            });
            // Losing a race is no fault; a deadlock would be STORE_UNAVAILABLE.
            let reasons = ["LINK_USED", "LINK_INVALID", "CURRENT_PASSWORD_WRONG", "SESSION_ENDED"];
            acts.await.assert_refused_only_for(&reasons, "acts at once");
        }
    });
}

#[test]
fn signing_out_everywhere_and_in_again_at_once_wait_for_each_other_and_never_for_nothing() {
    on_each_database(async |app| {
        for round in 0..ROUNDS {
            let email = format!("ada{round}@example.org");
            let device = recognized_device(app, &email).await;
            let session = app.log_in(&email, PASSWORD).await.unwrap();
            let (here, there) = (
                Person { email: email.clone(), session },
                Person { email: email.clone(), session: app.log_in(&email, PASSWORD).await.unwrap() },
            );
            let app = &*app;
            let acts = at_once(6, async |number| match number {
                0 => {
                    let everywhere = LogoutRequest {
                        refresh_token: here.session.refresh_token.clone(),
                        everywhere: true,
                        ..Default::default()
                    };
                    app.auth().logout(everywhere).await.map(drop)
                }
                1 => {
                    let others = there.asks(RevokeOtherSessionsRequest {});
                    app.sessions().revoke_other_sessions(others).await.map(drop)
                }
                2 | 3 => log_in_from(app, &email, PASSWORD, &device).await.map(drop),
                4 => app.log_in(&email, PASSWORD).await.map(drop),
                _ => app.log_in(&email, "not the password at all").await.map(drop),
            });
            // A deadlock would be STORE_UNAVAILABLE.
            acts.await.assert_refused_only_for(&["SESSION_ENDED", "CREDENTIALS_INVALID"], "acts at once");
        }
    });
}
