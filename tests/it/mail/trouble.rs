//! A mail server that refuses, is busy, or says nothing.

use super::server::{MailServer, Reply};
use crate::support::{App, AppOptions, PASSWORD, Refused as _, on_each_database_with};
use countersign::{
    grpc::wire::proto::*,
    usecase::mail::{Delivered, OperateOutbox},
};
use std::time::Duration;

const POSTPONED: Delivered = Delivered { sent: 0, postponed: 1, ended: 0 };
const SENT: Delivered = Delivered { sent: 1, postponed: 0, ended: 0 };
const ENDED: Delivered = Delivered { sent: 0, postponed: 0, ended: 1 };

fn options(server: &MailServer) -> AppOptions {
    AppOptions::with("COUNTERSIGN_SMTP_URL", &server.url()).and("COUNTERSIGN_MAIL__TIMEOUT", "1s")
}

async fn register(app: &App, email: &str) {
    let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.account().register(form).await.unwrap();
}

async fn verify(app: &App, token: String) -> Result<tonic::Response<VerifyResponse>, tonic::Status> {
    app.account().verify(VerifyRequest { token, ..Default::default() }).await
}

fn outbox(app: &App) -> OperateOutbox {
    OperateOutbox { store: app.deliver.store.clone(), clock: app.deliver.clock.clone() }
}

/// How long the one waiting mail still waits.
async fn wait(app: &App) -> Duration {
    let due = app.number("SELECT due_at FROM outbox WHERE finished_at IS NULL").await;
    Duration::from_micros(u64::try_from(due - app.deliver.clock.now().as_micros()).unwrap())
}

#[test]
fn a_mail_that_is_refused_for_now_is_tried_again_after_waits_that_grow() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        register(app, "ada@example.org").await;
        let busy = [Reply::Recipient("451 4.3.0 later"), Reply::Greet("421 busy"), Reply::Content("452 4.3.1 full")];
        server.next(&busy);
        for longest in [5, 10, 20] {
            assert_eq!(app.deliver.run().await.unwrap(), POSTPONED);
            let wait = wait(app).await;
            let longest = Duration::from_secs(longest);
            assert!(wait >= longest / 2 && wait <= longest, "{wait:?} of {longest:?}");
            app.advance(wait - Duration::from_micros(1));
            assert_eq!(app.deliver.run().await.unwrap(), Delivered::default(), "not before its time");
            app.advance(Duration::from_micros(1));
        }
        assert_eq!(app.deliver.run().await.unwrap(), SENT);
        let mails = server.heard();
        let accepted: Vec<_> = mails.iter().filter(|mail| mail.accepted).collect();
        assert_eq!(accepted.len(), 1);
        verify(app, accepted[0].token()).await.unwrap();
    });
}

#[test]
fn each_attempt_carries_a_fresh_link_under_one_message_id_and_any_of_them_works_once() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        for (email, used) in [("first@example.org", 0), ("second@example.org", 1)] {
            register(app, email).await;
            // The server kept the mail, but its yes was lost: the person gets both.
            server.next(&[Reply::Content("451 4.3.0 later")]);
            assert_eq!(app.deliver.run().await.unwrap(), POSTPONED);
            app.advance(Duration::from_secs(5));
            assert_eq!(app.deliver.run().await.unwrap(), SENT);
            let mails = server.heard();
            assert_eq!(mails.len(), 2);
            assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
            assert_ne!(mails[0].token(), mails[1].token());
            verify(app, mails[used].token()).await.unwrap();
            for mail in &mails {
                assert_eq!(verify(app, mail.token()).await.reason(), "LINK_USED");
            }
        }
    });
}

#[test]
fn a_late_retry_carries_a_link_that_is_still_good() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        register(app, "ada@example.org").await;
        server.next(&[Reply::Content("451 4.3.0 later")]);
        assert_eq!(app.deliver.run().await.unwrap(), POSTPONED);
        app.advance(Duration::from_secs(3 * 24 * 60 * 60));
        assert_eq!(app.deliver.run().await.unwrap(), SENT);
        let mails = server.heard();
        assert_eq!(verify(app, mails[0].token()).await.reason(), "LINK_EXPIRED");
        verify(app, mails[1].token()).await.unwrap();
    });
}

#[test]
fn a_mail_that_is_refused_for_good_is_dead_until_an_operator_requeues_it() {
    let server = MailServer::start();
    on_each_database_with(options(&server).expecting_errors(), async |app| {
        register(app, "ada@example.org").await;
        server.next(&[Reply::Recipient("550 5.1.1 <ada@example.org> unknown 12345678")]);
        assert_eq!(app.deliver.run().await.unwrap(), ENDED);
        app.advance(Duration::from_secs(24 * 60 * 60));
        assert_eq!(app.deliver.run().await.unwrap(), Delivered::default());
        let dead = outbox(app).list(true, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].state.as_str(), dead[0].recipient.as_str()), (1, "dead", "ada@example.org"));
        assert_eq!(dead[0].last_error.as_deref(), Some("envelope: 550 5.1.1 [...] unknown [...]"));
        assert_eq!(app.log.errors().len(), 1, "an operator hears of it");

        assert!(outbox(app).requeue(dead[0].id).await.unwrap());
        assert!(!outbox(app).requeue(dead[0].id).await.unwrap(), "it is dead no more");
        assert_eq!(app.deliver.run().await.unwrap(), SENT);
        assert!(outbox(app).list(true, 10).await.unwrap().is_empty());
        assert!(!outbox(app).requeue(dead[0].id).await.unwrap(), "what was sent is not sent again");
        let token = server.heard().pop().unwrap().token();
        verify(app, token).await.unwrap();
    });
}

#[test]
fn a_mail_is_given_up_after_the_last_attempt() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "2").expecting_errors();
    on_each_database_with(options, async |app| {
        register(app, "ada@example.org").await;
        server.next(&[Reply::Recipient("451 4.3.0 later"); 2]);
        assert_eq!(app.deliver.run().await.unwrap(), POSTPONED);
        app.advance(Duration::from_secs(60));
        assert_eq!(app.deliver.run().await.unwrap(), ENDED);
        let dead = outbox(app).list(true, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts), (1, 2));
    });
}

#[test]
fn no_mail_is_given_up_while_the_server_refuses_us_rather_than_the_mail() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "1");
    on_each_database_with(options, async |app| {
        register(app, "ada@example.org").await;
        server.next(&[Reply::Greet("554 go away"); 3]);
        for _ in 0..3 {
            assert_eq!(app.deliver.run().await.unwrap(), POSTPONED);
            app.advance(Duration::from_secs(60 * 60));
        }
        assert_eq!(app.deliver.run().await.unwrap(), SENT);
        server.heard();
    });
}

#[test]
fn a_server_that_says_nothing_holds_up_neither_its_mail_for_ever_nor_the_others() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        register(app, "ada@example.org").await;
        register(app, "eve@example.org").await;
        server.next(&[Reply::Silence]);
        let round = app.deliver.run().await.unwrap();
        assert_eq!(round, Delivered { sent: 1, postponed: 1, ended: 0 });
        let error = "SELECT count(*) FROM outbox WHERE last_error LIKE '%no answer in time'";
        assert_eq!(app.number(error).await, 1);
        app.advance(Duration::from_secs(5));
        assert_eq!(app.deliver.run().await.unwrap(), SENT);
        let mut recipients: Vec<_> = server.heard().into_iter().map(|mail| mail.recipient).collect();
        recipients.sort();
        assert_eq!(recipients, ["ada@example.org", "eve@example.org"]);
    });
}
