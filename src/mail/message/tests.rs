#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;
use crate::mail::{MailValues, Renderer};
use countersign_domain::{locale::Locale, mail::MailTemplate, secret::SecretText};
use mail_parser::{Message, MessageParser, MimeHeaders};
use std::time::Duration;

const LINK: &str =
    "https://id.example.org/verify#v4.local.AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz";

fn id() -> MailId {
    MailId::new(Timestamp::from_seconds(1_763_715_180), [7; 10])
}

fn rendered(template: MailTemplate, locale: Locale, product: &str) -> Rendered {
    let values = MailValues {
        product: product.into(),
        address: "ada@example.org".into(),
        link: Some(SecretText::new(LINK.into())),
        link_life: Some(Duration::from_secs(1800)),
        code: Some(SecretText::new("1234 5678".into())),
        code_life: Some(Duration::from_secs(600)),
        new_address: Some("a\r\nBcc: eve@example.org\r\n\r\nx".into()),
        occurred_at: Timestamp::from_seconds(1_763_715_180),
        device: None,
        place: None,
        client_address: None,
        codes_left: None,
        request_url: "https://id.example.org".into(),
    };
    Renderer::new(None).unwrap().render(template, locale, &values).unwrap()
}

fn settings() -> ComposerSettings {
    ComposerSettings {
        from_name: "Möbel, \"Söhne\" & Co".into(),
        from: "no-reply@localhost".into(),
        reply_to: Some("help@example.org".into()),
        dkim: None,
        message_id_domain: "id.example.org".into(),
    }
}

fn compose(settings: ComposerSettings, to: &str, rendered: &Rendered) -> ComposedMail {
    let to = EmailAddress::parse(to).unwrap();
    Composer::new(settings).unwrap().compose(id(), &to, Timestamp::from_seconds(1_763_715_200), rendered).unwrap()
}

fn parsed(mail: &ComposedMail) -> Message<'_> {
    MessageParser::default().parse(mail.bytes.as_slice()).unwrap()
}

fn header_names(mail: &ComposedMail) -> Vec<String> {
    let text = std::str::from_utf8(&mail.bytes).unwrap();
    let head = text.split_once("\r\n\r\n").unwrap().0;
    let starts = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    starts.map(|line| line.split_once(':').unwrap().0.to_owned()).collect()
}

#[test]
fn a_mail_parses_back_to_what_was_put_into_it() {
    for locale in Locale::ALL {
        let texts = rendered(MailTemplate::VerifyAddress, locale, "Größenwahn ☂ 日本");
        let mail = compose(settings(), "ada@example.org", &texts);
        let message = parsed(&mail);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.name.as_deref(), Some("Möbel, \"Söhne\" & Co"));
        assert_eq!(from.address.as_deref(), Some("no-reply@localhost"));
        assert_eq!(message.to().unwrap().first().unwrap().address.as_deref(), Some("ada@example.org"));
        assert_eq!(message.to().unwrap().iter().count(), 1);
        assert_eq!(message.reply_to().unwrap().first().unwrap().address.as_deref(), Some("help@example.org"));
        assert_eq!(message.date().unwrap().to_timestamp(), 1_763_715_200);
        assert_eq!(message.message_id(), Some(format!("{}@id.example.org", id()).as_str()));
        assert_eq!(message.subject(), Some(texts.subject()));
        assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
        assert_eq!(message.header_raw("Content-Language").map(str::trim), Some(locale.tag()));
        assert_eq!(message.parts[0].content_type().unwrap().subtype(), Some("alternative"));
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), texts.text().trim_end());
        assert_eq!(message.body_html(0).unwrap().replace("\r\n", "\n").trim_end(), texts.html().trim_end());
        assert_eq!((mail.envelope_from.as_str(), mail.envelope_to.as_str()), ("no-reply@localhost", "ada@example.org"));
    }
}

#[test]
fn every_line_ends_with_crlf_and_is_short_enough() {
    for template in MailTemplate::ALL {
        let mail = compose(settings(), "ada@example.org", &rendered(template, Locale::German, &"Ö".repeat(60)));
        let text = std::str::from_utf8(&mail.bytes).unwrap();
        assert!(text.is_ascii() && text.ends_with("\r\n"));
        for line in text.split_inclusive("\r\n") {
            assert!(line.len() <= 1000, "{line}");
            assert!(!line.trim_end_matches("\r\n").contains(['\r', '\n']), "{line:?}");
        }
    }
}

#[test]
fn a_link_in_a_plain_ascii_mail_stays_whole_in_the_raw_text() {
    let mail = compose(settings(), "ada@example.org", &rendered(MailTemplate::VerifyAddress, Locale::English, "Shop"));
    let text = std::str::from_utf8(&mail.bytes).unwrap();
    assert!(text.contains(&format!("\r\n{LINK}\r\n")), "{text}");
}

#[test]
fn a_retry_is_the_same_bytes() {
    let texts = rendered(MailTemplate::VerifyAddress, Locale::German, "Shop");
    let first = compose(settings(), "ada@example.org", &texts);
    assert_eq!(first.bytes, compose(settings(), "ada@example.org", &texts).bytes);
}

#[test]
fn no_value_can_add_a_header_or_a_recipient() {
    let hostile = "Shop\r\nBcc: eve@example.org\r\n\r\nbody";
    for template in MailTemplate::ALL {
        let mail = compose(settings(), "ada@example.org", &rendered(template, Locale::English, hostile));
        let expected = [
            "From",
            "To",
            "Reply-To",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "Auto-Submitted",
            "Content-Language",
            "Content-Type",
        ];
        assert_eq!(header_names(&mail), expected);
        assert!(parsed(&mail).bcc().is_none() && parsed(&mail).cc().is_none());
        assert!(parsed(&mail).subject().unwrap().contains("Bcc: eve@example.org"), "kept, but harmless");
    }
}

#[test]
fn settings_that_could_end_a_header_or_a_command_are_refused() {
    let broken: [fn(&mut ComposerSettings); 8] = [
        |s| s.from = "a@example.org\r\nRCPT TO:<eve@example.org>".into(),
        |s| s.from = "a@example.org> SIZE=1".into(),
        |s| s.from = "a b@example.org".into(),
        |s| s.from = "example.org".into(),
        |s| s.from_name = "Shop\r\nBcc: eve@example.org".into(),
        |s| s.reply_to = Some("a@example.org\n".into()),
        |s| s.message_id_domain = "example.org>\r\nBcc: eve@example.org".into(),
        |s| s.message_id_domain = String::new(),
    ];
    for spoil in broken {
        let mut settings = settings();
        spoil(&mut settings);
        assert_eq!(Composer::new(settings).unwrap_err(), ComposeFault::InvalidSettings);
    }
}

#[test]
fn domains_beyond_ascii_are_sent_in_their_ascii_form() {
    let texts = rendered(MailTemplate::PasswordChanged, Locale::English, "Shop");
    let german = compose(settings(), "ada@bücher.example", &texts);
    assert_eq!((german.envelope_to.as_str(), german.needs_smtputf8), ("ada@xn--bcher-kva.example", false));
    assert_eq!(parsed(&german).to().unwrap().first().unwrap().address.as_deref(), Some("ada@xn--bcher-kva.example"));
    let russian = compose(settings(), "ольга@пример.рф", &texts);
    assert_eq!((russian.envelope_to.as_str(), russian.needs_smtputf8), ("ольга@xn--e1afmkfd.xn--p1ai", true));
    assert_eq!(parsed(&russian).to().unwrap().first().unwrap().address.as_deref(), Some(russian.envelope_to.as_str()));
}

#[test]
fn a_domain_that_reads_as_an_ip_address_is_refused() {
    let composer = Composer::new(settings()).unwrap();
    let texts = rendered(MailTemplate::PasswordChanged, Locale::English, "Shop");
    // UTS 46 maps mathematical digits to ASCII digits.
    let to = EmailAddress::parse("ada@𝟏𝟐𝟕.0.0.𝟏").unwrap();
    assert_eq!(composer.compose(id(), &to, Timestamp::default(), &texts).unwrap_err(), ComposeFault::InvalidRecipient);
}

#[test]
fn a_signed_mail_begins_with_its_signature_and_is_otherwise_unchanged() {
    let texts = rendered(MailTemplate::VerifyAddress, Locale::English, "Shop");
    let plain = compose(settings(), "ada@example.org", &texts);
    let pem = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    let dkim = DkimSigner::new("example.org", "s1", &SecretText::new(pem.into())).unwrap();
    let signed = compose(ComposerSettings { dkim: Some(dkim), ..settings() }, "ada@example.org", &texts);
    assert!(signed.bytes.starts_with(b"DKIM-Signature: v=1; a=ed25519-sha256;"));
    assert!(signed.bytes.ends_with(&plain.bytes));
    assert_eq!(parsed(&signed).subject(), parsed(&plain).subject());
}

#[test]
fn debug_says_only_which_mail_it_is() {
    let mail = compose(settings(), "ada@example.org", &rendered(MailTemplate::VerifyAddress, Locale::English, "Shop"));
    let shown = format!("{mail:?}");
    assert!(shown.contains(&id().to_string()));
    assert!(!shown.contains("ada@") && !shown.contains("v4.local") && !shown.contains("1234"), "{shown}");
}
