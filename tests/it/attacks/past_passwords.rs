//! A reset link as an oracle for the former passwords of its owner.

use crate::support::{
    App, AppOptions, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database_with, reason,
    reset_mail, retry_after,
};
use countersign::grpc::wire::proto::*;
use countersign_domain::limit::Limit;
use futures_util::future::join_all;
use std::time::Duration;
use tonic::{Request, Status};

const ADA: &str = "ada@example.org";
const NEW_PASSWORD: &str = "eleven brass kettles humming";

/// The usual limits, behind a proxy that names the addresses of callers.
fn usual() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LIMITS__PERCENT", "100").and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
}

/// How often an answer says that a password was used before.
fn tries() -> u32 {
    Limit::PasswordHistoryChecksPerAccount.quota().burst()
}

async fn reset(app: &App, proof: &Proof, password: &str) -> Result<(), Status> {
    Purpose::Reset.claim(app, proof, password, "").await
}

async fn link(app: &App) -> Proof {
    Proof::Link(reset_mail(app, ADA).await.link_token())
}

#[test]
fn a_link_tells_of_a_few_former_passwords_and_so_do_all_links_together() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let first = link(app).await;
        for _ in 0..tries() {
            assert_eq!(reset(app, &first, PASSWORD).await.reason(), "PASSWORD_REJECTED");
        }
        let second = link(app).await;
        let computed = app.hasher.computed();
        for proof in [&first, &second] {
            for password in [PASSWORD, NEW_PASSWORD] {
                let refused = reset(app, proof, password).await.unwrap_err();
                assert_eq!(reason(&refused), "RATE_LIMITED");
                assert!(retry_after(&refused).unwrap() <= Limit::PasswordHistoryChecksPerAccount.quota().emission());
            }
        }
        assert_eq!(app.hasher.computed(), computed, "no password was compared");

        // The owner waits for less time than the link lives.
        app.advance(Limit::PasswordHistoryChecksPerAccount.quota().emission());
        reset(app, &first, NEW_PASSWORD).await.unwrap();
        app.log_in(ADA, NEW_PASSWORD).await.unwrap();
    });
}

/// The link stays valid when its user hangs up before the password is set, or calls many times at once.
#[test]
fn of_many_passwords_tried_at_once_few_are_compared() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let link = link(app).await;
        let (computed, app) = (app.hasher.computed(), &*app);
        let answers = join_all((0..20).map(|_| reset(app, &link, PASSWORD))).await;
        let told = answers.into_iter().filter(|answer| reason(answer.as_ref().unwrap_err()) == "PASSWORD_REJECTED");
        assert_eq!((told.count() as u32, app.hasher.computed() - computed), (tries(), u64::from(tries())));
    });
}

#[test]
fn nobody_without_a_link_uses_up_the_tries_of_its_owner() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let link = link(app).await;
        for number in 0..4 * tries() {
            let mut form = ResetRequest { new_password: PASSWORD.to_owned(), ..Default::default() };
            if number % 2 == 0 {
                form.token = "made up".to_owned();
            } else {
                (form.email, form.code) = (ADA.to_owned(), "12345678".to_owned());
            }
            let mut request = Request::new(form);
            request.metadata_mut().insert("x-forwarded-for", format!("192.0.2.{number}").parse().unwrap());
            let refused = app.account().reset(request).await.reason();
            assert!(["LINK_INVALID", "CODE_INVALID"].contains(&refused.as_str()), "{refused}");
        }
        app.advance(Duration::from_secs(1));
        for _ in 0..tries() {
            assert_eq!(reset(app, &link, PASSWORD).await.reason(), "PASSWORD_REJECTED");
        }
    });
}
