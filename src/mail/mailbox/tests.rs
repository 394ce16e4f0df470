#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;
use crate::mail::{ComposedMail, Composer, ComposerSettings, FileTransport, MailValues, Renderer};
use countersign_domain::{id::MailId, locale::Locale, mail::MailTemplate, secret::SecretText};

const LINK: &str = "https://id.example.org/verify#v4.local.AbCdEf";

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn mail(second: i64, to: &str, template: MailTemplate) -> ComposedMail {
    let values = MailValues {
        product: "Möbel & Söhne".into(),
        address: to.into(),
        link: Some(SecretText::new(LINK.into())),
        link_life: Some(Duration::from_secs(1800)),
        code: Some(SecretText::new("1234 5678".into())),
        code_life: Some(Duration::from_secs(600)),
        new_address: None,
        occurred_at: Timestamp::from_seconds(second),
        device: None,
        place: None,
        client_address: None,
        codes_left: None,
        request_url: "https://id.example.org".into(),
    };
    let rendered = Renderer::new(None).unwrap().render(template, Locale::German, &values).unwrap();
    let composer = Composer::new(ComposerSettings {
        from_name: "Shop".into(),
        from: "no-reply@localhost".into(),
        reply_to: None,
        dkim: None,
        message_id_domain: "localhost".into(),
    });
    let at = Timestamp::from_seconds(second);
    composer.unwrap().compose(MailId::new(at, [7; 10]), &address(to), at, &rendered).unwrap()
}

async fn deliver(folder: &Path, second: i64, to: &str, template: MailTemplate) {
    FileTransport::new(folder).unwrap().send(&mail(second, to, template)).await.unwrap();
}

#[tokio::test]
async fn the_newest_mails_come_first_and_can_be_those_of_one_recipient() {
    let place = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(place.path());
    assert_eq!(mailbox.list(None, 10).await.unwrap(), []);
    deliver(place.path(), 1, "ada@example.org", MailTemplate::VerifyAddress).await;
    deliver(place.path(), 3, "Ada@Example.org", MailTemplate::PasswordChanged).await;
    deliver(place.path(), 2, "ольга@пример.рф", MailTemplate::VerifyAddress).await;
    let seconds = |mails: Vec<StoredMail>| mails.iter().map(|mail| mail.date.as_seconds()).collect::<Vec<_>>();
    assert_eq!(seconds(mailbox.list(None, 10).await.unwrap()), [3, 2, 1]);
    assert_eq!(seconds(mailbox.list(None, 2).await.unwrap()), [3, 2]);
    assert_eq!(seconds(mailbox.list(Some(&address("ada@example.org")), 10).await.unwrap()), [3, 1]);
    assert_eq!(seconds(mailbox.list(Some(&address("ольга@пример.рф")), 10).await.unwrap()), [2]);
    assert_eq!(seconds(mailbox.list(Some(&address("eve@example.org")), 10).await.unwrap()), Vec::<i64>::new());
}

#[tokio::test]
async fn a_stored_mail_reads_as_it_was_written() {
    let place = tempfile::tempdir().unwrap();
    deliver(place.path(), 1_700_000_000, "ada@example.org", MailTemplate::VerifyAddress).await;
    let mail = Mailbox::new(place.path()).list(None, 1).await.unwrap().remove(0);
    assert!(mail.id.starts_with("1700000000000-"));
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("no-reply@localhost", "ada@example.org"));
    assert_eq!(mail.subject, "Bestätigen Sie Ihre E-Mail-Adresse für Möbel & Söhne");
    assert!(mail.text.contains(LINK) && mail.text.contains("1234 5678"));
    assert!(mail.html.contains("<!doctype html>"));
    let shown = format!("{mail:?}");
    assert!(!shown.contains("v4.local") && !shown.contains("1234 5678") && !shown.contains("ada"), "{shown}");
}

#[tokio::test]
async fn what_is_no_mail_is_passed_over() {
    let place = tempfile::tempdir().unwrap();
    deliver(place.path(), 1, "ada@example.org", MailTemplate::VerifyAddress).await;
    let outside = tempfile::tempdir().unwrap();
    deliver(outside.path(), 9, "ada@example.org", MailTemplate::VerifyAddress).await;
    let at = |name: &str| place.path().join(name);
    fs::write(at("2-broken.eml"), "no mail at all").unwrap();
    fs::write(at("3-empty.eml"), "").unwrap();
    fs::write(at("4-bytes.eml"), [0xFF; 64]).unwrap();
    fs::write(at("5-large.eml"), format!("From: <a@b.cd>\r\nTo: <ada@example.org>\r\n\r\n{}", "x".repeat(2 << 20)))
        .unwrap();
    fs::write(at("6-note.txt"), "From: <a@b.cd>").unwrap();
    fs::write(at(".7-unfinished.eml"), "From: <a@b.cd>").unwrap();
    fs::create_dir(at("8-folder.eml")).unwrap();
    #[cfg(unix)]
    {
        let target = fs::read_dir(outside.path()).unwrap().next().unwrap().unwrap().path();
        std::os::unix::fs::symlink(target, at("9-link.eml")).unwrap();
    }
    let mails = Mailbox::new(place.path()).list(None, 100).await.unwrap();
    assert_eq!(mails.iter().map(|mail| mail.date.as_seconds()).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn waiting_ends_when_the_mail_comes_even_from_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("not there yet");
    let mailbox = Mailbox::new(&folder);
    let ada = address("ada@example.org");
    let waiting = mailbox.wait_for(&ada, Some("Bestätigen"), None, Duration::from_secs(20));
    let writing = async {
        deliver(&folder, 1, "eve@example.org", MailTemplate::VerifyAddress).await;
        deliver(&folder, 2, "ada@example.org", MailTemplate::PasswordChanged).await;
        fs::write(folder.join("9-half.eml"), "From: <no-rep").unwrap();
        deliver(&folder, 3, "ada@example.org", MailTemplate::VerifyAddress).await;
    };
    let (found, ()) = tokio::join!(waiting, writing);
    assert_eq!(found.map(|mail| mail.date.as_seconds()), Some(3));
}

#[tokio::test]
async fn waiting_for_a_newer_mail_ignores_the_known_one_and_ends_with_the_limit() {
    let place = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(place.path());
    let ada = address("ada@example.org");
    deliver(place.path(), 1, "ada@example.org", MailTemplate::VerifyAddress).await;
    let known = mailbox.wait_for(&ada, None, None, Duration::from_secs(20)).await.unwrap();
    let none = mailbox.wait_for(&ada, None, Some(&known.id), Duration::from_millis(120)).await;
    assert_eq!(none, None);
    deliver(place.path(), 2, "ada@example.org", MailTemplate::VerifyAddress).await;
    let newer = mailbox.wait_for(&ada, None, Some(&known.id), Duration::from_secs(20)).await.unwrap();
    assert_eq!(newer.date.as_seconds(), 2);
}

#[test]
fn a_file_that_was_half_written_is_read_once_it_is_whole() {
    let place = tempfile::tempdir().unwrap();
    let whole = mail(1, "ada@example.org", MailTemplate::VerifyAddress);
    let path = place.path().join("1-slow.eml");
    let wanted = Wanted { recipient: "ada@example.org".into(), subject_contains: None, newer_than: None };
    let mut search = Search { folder: place.path().to_owned(), wanted, passed_over: HashSet::new() };
    fs::write(&path, &whole.bytes[..10]).unwrap();
    assert_eq!(search.look(), None);
    fs::write(&path, whole.bytes.as_slice()).unwrap();
    assert_eq!(search.look().map(|mail| mail.id), Some("1-slow".to_owned()));
}
