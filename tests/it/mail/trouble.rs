//! A mail server that refuses, is busy, or does not answer.

use super::server::{MailServer, Reply};
use crate::support::{App, AppOptions, PASSWORD, Refused as _, on_each_database_with};
use countersign::{
    grpc::wire::proto::*,
    store::outbox_report::Dead,
    usecase::mail::{Delivered, Requeued},
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

/// How long the one waiting mail will still wait.
async fn wait(app: &App) -> Duration {
    let due = app.number("SELECT due_at FROM outbox WHERE finished_at IS NULL").await;
    Duration::from_micros(u64::try_from(due - app.deliver.clock.now().as_micros()).unwrap())
}

#[test]
fn a_mail_that_is_refused_for_now_is_tried_again_after_waits_that_grow() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        register(app, "ada@example.org").await;
        let busy = [
            Reply::Recipient("451 4.3.0 later"),
            Reply::Recipient("450 4.2.1 greylisted"),
            Reply::Content("452 4.3.1 full"),
        ];
        server.next(&busy);
        for longest in [5, 10, 20] {
            assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
            let wait = wait(app).await;
            let longest = Duration::from_secs(longest);
            assert!(wait >= longest / 2 && wait <= longest, "{wait:?} of {longest:?}");
            app.advance(wait - Duration::from_micros(1));
            assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default(), "not before its time");
            app.advance(Duration::from_micros(1));
        }
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
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
            // The server kept the mail, but its reply was lost: the person gets both mails.
            server.next(&[Reply::Content("451 4.3.0 later")]);
            assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
            app.advance(Duration::from_secs(5));
            assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
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
        assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
        app.advance(Duration::from_secs(3 * 24 * 60 * 60));
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
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
        assert_eq!(app.deliver.deliver().await.unwrap(), ENDED);
        app.advance(Duration::from_secs(24 * 60 * 60));
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
        let dead = app.store_operations.list_outbox.list(true, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].state.as_str(), dead[0].recipient.as_str()), (1, "dead", "ada@example.org"));
        assert_eq!(dead[0].last_error.as_deref(), Some("recipient: 550 5.1.1 [...] unknown [...]"));
        assert_eq!(app.log.errors().len(), 1, "an operator hears of it");

        let requeue = async || app.store_operations.requeue_mail.requeue(Dead::One(dead[0].id)).await.unwrap();
        assert_eq!(requeue().await, Requeued { mails: 1, over: 0 });
        assert_eq!(requeue().await, Requeued { mails: 0, over: 0 }, "it is dead no more");
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
        assert!(app.store_operations.list_outbox.list(true, 10).await.unwrap().is_empty());
        assert_eq!(requeue().await, Requeued { mails: 0, over: 0 }, "what was sent is not sent again");
        let token = server.heard().pop().unwrap().token();
        verify(app, token).await.unwrap();
    });
}

#[test]
fn a_mail_whose_content_is_refused_is_given_up_after_the_last_attempt() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "2").expecting_errors();
    on_each_database_with(options, async |app| {
        register(app, "ada@example.org").await;
        server.next(&[Reply::Content("554 5.7.1 spam"); 2]);
        assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
        app.advance(Duration::from_secs(60));
        assert_eq!(app.deliver.deliver().await.unwrap(), ENDED);
        let dead = app.store_operations.list_outbox.list(true, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts), (1, 2));
        server.heard();
    });
}

#[test]
fn a_recipient_who_is_refused_for_now_is_tried_until_the_purpose_of_the_mail_has_ended() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "1");
    on_each_database_with(options, async |app| {
        register(app, "ada@example.org").await;
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
        verify(app, server.heard()[0].token()).await.unwrap();
        let email = "ada@example.org".to_owned();
        app.account().request_reset(RequestResetRequest { email, ..Default::default() }).await.unwrap();
        server.always(Some(Reply::Recipient("450 4.2.2 mailbox full")));
        for _ in 0..24 {
            assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
            app.advance(Duration::from_secs(60 * 60));
        }
        assert_eq!(app.deliver.deliver().await.unwrap(), ENDED);
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE outcome = 'expired'").await, 1);
        server.always(None);
        assert!(server.heard().is_empty());
    });
}

/// The server gives each of these replies to every mail, whoever it is for.
#[test]
fn no_mail_is_charged_while_the_server_refuses_us_rather_than_the_mail() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "1").expecting_errors();
    on_each_database_with(options, async |app| {
        for refusal in [
            Reply::Greet("554 go away"),
            Reply::Greet("421 4.7.0 too many"),
            Reply::Sender("553 5.7.1 sender not owned"),
            Reply::Sender("501 5.1.7 bad address"),
            Reply::Sender("503 5.5.1 log in first"),
            Reply::Sender("550 no"),
            Reply::Sender("452 4.5.3 daily quota"),
        ] {
            server.always(Some(refusal));
            for email in ["ada@example.org", "bob@example.org", "eve@example.org"] {
                register(app, email).await;
            }
            server.connections();
            let round = app.deliver.deliver().await.unwrap();
            assert_eq!(round, Delivered { sent: 0, postponed: 3, ended: 0 }, "{refusal:?}");
            assert_eq!(server.connections(), 3, "{refusal:?}");
            for _ in 0..20 {
                app.advance(Duration::from_secs(60 * 60));
                assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
                assert_eq!(server.connections(), 1, "one probe instead of three mails: {refusal:?}");
                assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
                assert_eq!(server.connections(), 0, "not before its time: {refusal:?}");
            }
            let uncharged =
                "SELECT count(*) FROM outbox WHERE finished_at IS NULL AND attempts = 0 AND last_error IS NOT NULL";
            assert_eq!(app.number(uncharged).await, 3, "{refusal:?}");
            assert!(app.log.errors().iter().any(|line| line.contains("takes no mail")), "an operator is told");
            server.always(None);
            app.advance(Duration::from_secs(5 * 60));
            let round = app.deliver.deliver().await.unwrap();
            assert_eq!(round, Delivered { sent: 3, postponed: 0, ended: 0 }, "{refusal:?}");
            server.heard();
        }
    });
}

#[test]
fn mails_wait_days_for_a_server_that_cannot_be_reached_and_then_all_arrive() {
    let gone = MailServer::start();
    let (address, options) = (gone.address(), options(&gone).expecting_errors());
    drop(gone);
    on_each_database_with(options, async |app| {
        for number in 0..20 {
            register(app, &format!("person{number}@example.org")).await;
        }
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered { sent: 0, postponed: 8, ended: 0 });
        for _ in 0..6 * 24 {
            app.advance(Duration::from_secs(60 * 60));
            assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
        }
        let server = MailServer::start_at(address);
        app.advance(Duration::from_secs(5 * 60));
        let mut sent = 0;
        loop {
            let round = app.deliver.deliver().await.unwrap();
            assert_eq!((round.postponed, round.ended), (0, 0));
            if round.sent == 0 {
                break;
            }
            sent += round.sent;
        }
        assert_eq!(sent, 20);
        let mails = server.heard();
        verify(app, mails[0].token()).await.unwrap();
    });
}

#[test]
fn a_mail_is_given_up_when_its_purpose_has_ended_and_no_sooner() {
    let gone = MailServer::start();
    let (address, options) = (gone.address(), options(&gone).expecting_errors());
    drop(gone);
    on_each_database_with(options, async |app| {
        {
            let server = MailServer::start_at(address);
            register(app, "ada@example.org").await;
            assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
            verify(app, server.heard()[0].token()).await.unwrap();
        }
        let email = "ada@example.org".to_owned();
        app.account().request_reset(RequestResetRequest { email, ..Default::default() }).await.unwrap();
        register(app, "bob@example.org").await;
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered { sent: 0, postponed: 2, ended: 0 });
        app.advance(Duration::from_secs(24 * 60 * 60));
        let server = MailServer::start_at(address);
        let round = app.deliver.deliver().await.unwrap();
        assert_eq!(round, Delivered { sent: 1, postponed: 0, ended: 1 }, "nobody waits for a day for a new password");
        assert_eq!(server.heard()[0].recipient, "bob@example.org");
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE outcome = 'expired'").await, 1);
    });
}

#[test]
fn a_refusal_that_every_mail_gets_is_held_against_none_of_them() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "1").expecting_errors();
    let refusals = [
        Reply::Content("554 Message rejected: sending is paused"),
        Reply::Recipient("554 5.7.1 Relay access denied"),
        Reply::Recipient("553 5.7.1 Sender address rejected: not owned by user"),
        Reply::Recipient("550 relay not permitted"),
    ];
    on_each_database_with(options, async |app| {
        for refusal in refusals {
            server.always(Some(refusal));
            for number in 0..6 {
                register(app, &format!("person{number}@example.org")).await;
            }
            for _ in 0..20 {
                app.deliver.deliver().await.unwrap();
                app.advance(Duration::from_secs(60 * 60));
            }
            let dead = "SELECT count(*) FROM outbox WHERE outcome = 'dead'";
            assert_eq!(app.number(dead).await, 2, "the first two could not be told from bad mails: {refusal:?}");
            server.always(None);
            assert_eq!(app.deliver.deliver().await.unwrap(), Delivered { sent: 4, postponed: 0, ended: 0 });
            let why = if matches!(refusal, Reply::Content(_)) { "content" } else { "recipient: 55" };
            let outbox = &app.store_operations.requeue_mail;
            assert_eq!(outbox.requeue(Dead::BecauseOf("sender")).await.unwrap(), Requeued { mails: 0, over: 0 });
            assert_eq!(outbox.requeue(Dead::BecauseOf("%")).await.unwrap(), Requeued { mails: 0, over: 0 });
            assert_eq!(outbox.requeue(Dead::BecauseOf(why)).await.unwrap(), Requeued { mails: 2, over: 0 });
            assert_eq!(app.deliver.deliver().await.unwrap(), Delivered { sent: 2, postponed: 0, ended: 0 });
            server.heard();
        }
    });
}

#[test]
fn a_mail_that_is_refused_alone_does_not_hold_up_the_others_and_ends() {
    let server = MailServer::start();
    let options = options(&server).and("COUNTERSIGN_MAIL__MAX_ATTEMPTS", "3").expecting_errors();
    on_each_database_with(options, async |app| {
        register(app, "ada@example.org").await;
        for _ in 0..2 {
            server.next(&[Reply::Content("554 5.7.1 spam")]);
            assert_eq!(app.deliver.deliver().await.unwrap(), POSTPONED);
            register(app, "eve@example.org").await;
            assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
            app.advance(Duration::from_secs(60 * 60));
        }
        server.next(&[Reply::Content("554 5.7.1 spam")]);
        assert_eq!(app.deliver.deliver().await.unwrap(), ENDED);
        server.heard();
    });
}

#[test]
fn refused_recipients_hold_up_nobody_elses_mail() {
    let server = MailServer::start();
    on_each_database_with(options(&server).expecting_errors(), async |app| {
        for refusal in [
            "550 5.1.1 unknown",
            "550 5.7.1 blocked",
            "421 4.7.0 too many unknown recipients",
            "451 4.3.0 lookup failed",
            "500 what?",
        ] {
            for number in 0..7 {
                register(app, &format!("nobody{number}@example.org")).await;
                server.next(&[Reply::Recipient(refusal)]);
                app.deliver.deliver().await.unwrap();
            }
            register(app, "ada@example.org").await;
            assert_eq!(app.deliver.deliver().await.unwrap(), SENT, "{refusal}");
            // No mail is left for the next round.
            app.execute("DELETE FROM outbox").await;
            server.heard();
        }
    });
}

#[test]
fn expired_mails_are_not_requeued() {
    let server = MailServer::start();
    on_each_database_with(options(&server).expecting_errors(), async |app| {
        for email in ["old@example.org", "new@example.org"] {
            register(app, email).await;
            server.next(&[Reply::Recipient("550 5.1.1 unknown")]);
            assert_eq!(app.deliver.deliver().await.unwrap(), ENDED);
            app.advance(Duration::from_secs(4 * 24 * 60 * 60));
        }
        assert_eq!(app.store_operations.requeue_mail.requeue(Dead::All).await.unwrap(), Requeued { mails: 1, over: 1 });
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
        assert_eq!(server.heard()[0].recipient, "new@example.org");
    });
}

#[test]
fn a_server_that_says_nothing_holds_up_neither_its_mail_for_ever_nor_the_others() {
    let server = MailServer::start();
    on_each_database_with(options(&server), async |app| {
        register(app, "ada@example.org").await;
        register(app, "eve@example.org").await;
        server.next(&[Reply::Silence]);
        let round = app.deliver.deliver().await.unwrap();
        assert_eq!(round, Delivered { sent: 1, postponed: 1, ended: 0 });
        let error = "SELECT count(*) FROM outbox WHERE last_error LIKE '%no answer in time'";
        assert_eq!(app.number(error).await, 1);
        app.advance(Duration::from_secs(5));
        assert_eq!(app.deliver.deliver().await.unwrap(), SENT);
        let mut recipients: Vec<_> = server.heard().into_iter().map(|mail| mail.recipient).collect();
        recipients.sort();
        assert_eq!(recipients, ["ada@example.org", "eve@example.org"]);
    });
}
