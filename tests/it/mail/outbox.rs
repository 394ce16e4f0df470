use super::server::MailServer;
use crate::support::{App, AppOptions, MailText as _, PASSWORD, Person, on_each_database, on_each_database_with};
use countersign::{grpc::wire::proto::*, store::outbox, usecase::mail::Delivered};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, Statement};
use std::{collections::BTreeMap, time::Duration};

async fn register(app: &App, email: &str) {
    let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.account().register(form).await.unwrap();
}

/// All values of one text column.
async fn texts(app: &App, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(app.database.get_database_backend(), sql);
    let rows = app.database.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
}

#[test]
fn a_mail_of_a_sender_that_died_is_sent_once_its_lease_has_expired() {
    on_each_database(async |app| {
        register(app, "ada@example.org").await;
        let lease = Duration::from_secs(60);
        let claim = async || outbox::claim(&app.deliver.store.write(), app.deliver.clock.now(), lease, 8).await;
        assert_eq!(claim().await.unwrap().len(), 1);
        assert!(claim().await.unwrap().is_empty(), "nobody else gets it");
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
        app.advance(lease - Duration::from_micros(1));
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered::default());
        app.advance(Duration::from_micros(1));
        assert_eq!(app.deliver.deliver().await.unwrap(), Delivered { sent: 1, ..Default::default() });
        let token = app.mail_to("ada@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE attempts = 2 AND outcome = 'sent'").await, 1);
    });
}

#[test]
fn several_senders_at_once_send_each_mail_once() {
    let server = MailServer::start();
    let options = AppOptions::with("COUNTERSIGN_SMTP_URL", &server.url());
    on_each_database_with(options, async |app| {
        let emails: Vec<String> = (0..30).map(|n| format!("person{n}@example.org")).collect();
        join_all(emails.iter().map(|email| register(app, email))).await;
        let senders = (0..4).map(|_| async {
            let mut sent = 0;
            loop {
                let delivered = app.deliver.deliver().await.unwrap();
                if delivered == Delivered::default() {
                    return sent;
                }
                sent += delivered.sent;
            }
        });
        let sent: Vec<usize> = join_all(senders).await;
        assert_eq!(sent.iter().sum::<usize>(), emails.len(), "{sent:?}");
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        for mail in server.heard() {
            *heard.entry(mail.recipient).or_default() += 1;
        }
        assert_eq!(heard.len(), emails.len());
        assert!(heard.values().all(|times| *times == 1), "{heard:?}");
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE attempts <> 1").await, 0);
    });
}

#[test]
fn nothing_in_the_outbox_or_the_log_is_a_secret() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.advance(Duration::from_secs(1));
        let form = RequestResetRequest { email: ada.email.clone(), ..Default::default() };
        app.account().request_reset(form).await.unwrap();
        let form = RequestEmailChangeRequest {
            new_email: "new@example.org".to_owned(),
            current_password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().request_email_change(ada.asks(form)).await.unwrap();
        let token = app.mail_to("new@example.org").await.link_token();
        app.account().confirm_email_change(ConfirmEmailChangeRequest { token, ..Default::default() }).await.unwrap();
        app.send_mail().await;
        let mut stored = texts(app, "SELECT details FROM outbox").await;
        assert_eq!(stored.len(), 4);
        stored.extend(texts(app, "SELECT last_error FROM outbox").await);
        stored.push(app.log.text());
        let details = r#"{"new_address":"new@example.org"}"#;
        assert!(stored[..4].iter().all(|text| text == "{}" || text == details), "{:?}", &stored[..4]);
        let mails = app.mailbox.list(None, 100).await.unwrap();
        let secrets: Vec<String> = mails.iter().flat_map(|mail| [mail.token(), mail.code()]).flatten().collect();
        assert_eq!(secrets.len(), 6);
        for secret in secrets.iter().flat_map(|secret| [secret.clone(), secret.replace(' ', "")]) {
            assert!(stored.iter().all(|text| !text.contains(&secret)), "{secret} was written down");
        }
    });
}

#[test]
fn a_row_that_this_release_cannot_read_holds_up_no_other_mail() {
    on_each_database_with(AppOptions::default().expecting_errors(), async |app| {
        register(app, "newer@example.org").await;
        app.execute("UPDATE outbox SET template = 'written_by_a_newer_release'").await;
        register(app, "ada@example.org").await;
        let delivered = app.deliver.deliver().await.unwrap();
        assert_eq!(delivered, Delivered { sent: 1, ended: 1, ..Default::default() });
        assert_eq!(
            texts(app, "SELECT last_error FROM outbox WHERE outcome = 'dead'").await,
            ["this release cannot read it"]
        );
    });
}
