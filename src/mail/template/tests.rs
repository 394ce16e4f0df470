#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;
use std::fs;

const LINK: &str = "https://id.example.org/verify?purpose=a&token=v4.local.AbCdEf";

fn values() -> MailValues {
    MailValues {
        product: "Möbel & Söhne".into(),
        address: "ada@example.org".into(),
        link: Some(SecretText::new(LINK.into())),
        link_life: Some(Duration::from_secs(24 * 3600)),
        code: Some(SecretText::new("1234 5678".into())),
        code_life: Some(Duration::from_secs(600)),
        new_address: Some("new@example.org".into()),
        occurred_at: Timestamp::from_seconds(1_741_011_480),
        device: Some("Firefox 128.0 on Linux".into()),
        place: None,
        client_address: None,
        codes_left: None,
        request_url: "https://id.example.org".into(),
    }
}

fn renderer() -> Renderer {
    Renderer::new(None).unwrap()
}

fn unescaped(html: &str) -> String {
    html.replace("&#x2f;", "/").replace("&amp;", "&").replace("&#x27;", "'")
}

#[test]
fn every_mail_renders_in_every_language_with_links_and_codes_exactly_where_they_belong() {
    let renderer = renderer();
    for template in MailTemplate::ALL {
        for locale in Locale::ALL {
            let mail = renderer.render(template, locale, &values()).unwrap();
            let place = format!("{} in {}", template.name(), locale.tag());
            assert_eq!(mail.locale(), locale);
            assert!(mail.subject().contains("Möbel & Söhne"), "{place}: {}", mail.subject());
            assert!(!mail.text().contains("&amp;"), "{place}: text is not HTML");
            assert!(mail.html().contains("Möbel &amp; Söhne"), "{place}: HTML is escaped");
            assert!(mail.html().contains(&format!("<html lang=\"{}\"", locale.tag())), "{place}");
            for body in [mail.text().to_owned(), unescaped(mail.html())] {
                assert_eq!(body.contains(LINK), asks_for_action(template), "{place}: link");
                assert_eq!(body.contains("1234 5678"), asks_for_action(template), "{place}: code");
                assert!(!body.contains("{{") && !body.contains("{%"), "{place}: {body}");
                assert!(body.contains("ada@example.org"), "{place}: to whom");
            }
            assert!(!mail.text().contains("none"), "{place}: an absent value shows");
            assert_eq!(mail.text().lines().any(|line| line == LINK), asks_for_action(template), "{place}: own line");
        }
    }
}

#[test]
fn lives_and_moments_are_in_the_mails_language() {
    let renderer = renderer();
    let english = renderer.render(MailTemplate::VerifyAddress, Locale::English, &values()).unwrap();
    assert!(english.text().contains("24 hours") && english.text().contains("10 minutes"));
    let german = renderer.render(MailTemplate::VerifyAddress, Locale::German, &values()).unwrap();
    assert!(german.text().contains("24 Stunden") && german.html().contains("10 Minuten"));
    let german = renderer.render(MailTemplate::PasswordChanged, Locale::German, &values()).unwrap();
    assert!(german.text().contains("3. März 2025 um 14:18 Uhr (UTC)"));
}

#[test]
fn no_mail_loads_anything_or_runs_anything() {
    let renderer = renderer();
    for template in MailTemplate::ALL {
        for locale in Locale::ALL {
            let html = renderer.render(template, locale, &values()).unwrap().html().to_lowercase();
            for forbidden in ["<img", "<script", "<link", "src=", "url(", "@import", "javascript:", "<form", "onclick"]
            {
                assert!(!html.contains(forbidden), "{}: {forbidden}", template.name());
            }
        }
    }
}

#[test]
fn a_mail_without_its_optional_values_says_nothing_about_them() {
    let renderer = renderer();
    let bare = MailValues { device: None, new_address: None, link_life: None, code_life: None, ..values() };
    for template in MailTemplate::ALL {
        for locale in Locale::ALL {
            let mail = renderer.render(template, locale, &bare).unwrap();
            assert!(!mail.text().contains("Firefox") && !mail.text().to_lowercase().contains("none"));
        }
    }
    for (link, code) in [(None, values().code), (values().link, None)] {
        let one = MailValues { link, code, ..values() };
        assert!(renderer.render(MailTemplate::ResetPassword, Locale::English, &one).is_ok());
    }
    let neither = MailValues { link: None, code: None, ..values() };
    let fault = renderer.render(MailTemplate::ResetPassword, Locale::English, &neither).unwrap_err();
    assert_eq!(fault.detail, "this mail needs a link or a code");
}

#[test]
fn no_value_can_add_a_line_to_the_subject_or_markup_to_the_page() {
    let renderer = renderer();
    let hostile = "x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>";
    let values = MailValues {
        product: hostile.into(),
        address: hostile.into(),
        new_address: Some(hostile.into()),
        device: Some(hostile.into()),
        request_url: hostile.into(),
        ..values()
    };
    for template in MailTemplate::ALL {
        for locale in Locale::ALL {
            let mail = renderer.render(template, locale, &values).unwrap();
            assert!(!mail.subject().chars().any(char::is_control), "{}", template.name());
            assert!(!mail.html().contains("<script"), "{}", template.name());
            assert!(!mail.text().lines().any(|line| line.starts_with("Bcc:")), "{}", template.name());
            assert!(!mail.text().contains('\r'), "{}", template.name());
        }
    }
}

#[test]
fn an_operators_file_replaces_one_template() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("de")).unwrap();
    let source = "{% extends \"de/frame.txt\" %}{% block subject %}Hallo von {{ product }}{% endblock %}";
    fs::write(folder.path().join("de/password_changed.txt"), source).unwrap();
    fs::write(folder.path().join("README.md"), "ours").unwrap();
    let renderer = Renderer::new(Some(folder.path())).unwrap();
    let german = renderer.render(MailTemplate::PasswordChanged, Locale::German, &values()).unwrap();
    assert_eq!(german.subject(), "Hallo von Möbel & Söhne");
    let english = renderer.render(MailTemplate::PasswordChanged, Locale::English, &values()).unwrap();
    assert!(english.subject().starts_with("Your password"));
}

fn fault_of(name: &str, source: &str) -> (String, TemplateFault) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, source).unwrap();
    (path.display().to_string(), Renderer::new(Some(folder.path())).unwrap_err())
}

#[test]
fn a_broken_override_is_found_at_start_with_its_file_and_line() {
    for (name, source, line) in [
        ("en/reset_password.txt", "{% extends \"en/frame.txt\" %}\n{% block subject %}x", Some(2)),
        ("en/reset_password.html", "ok {{ link }}\n\n{{ no_such_thing }}", Some(3)),
        ("de/frame.html", "{{ code }}\n{% if undefined_thing %}x{% endif %}", Some(2)),
        ("base.txt", "subject\n\n{{ product | no_such_filter }} {{ link }}", Some(3)),
        ("en/account_deleted.txt", "subject\n\n{{ link }}", Some(3)),
        ("en/password_changed.txt", "{% include \"en/no_such_file.txt\" %}", Some(1)),
        ("en/password_changed.txt", "subject\nsecond line\n\nbody", None),
        ("en/password_changed.txt", "", None),
    ] {
        let (path, fault) = fault_of(name, source);
        assert_eq!((fault.file.as_str(), fault.line), (path.as_str(), line), "{name}: {fault}");
        assert!(fault.to_string().starts_with(&format!("mail template {path}")), "{fault}");
    }
}

#[test]
fn an_override_that_forgets_link_and_code_is_refused() {
    for name in ["de/verify_address.html", "de/frame.html", "base.html"] {
        let (path, fault) = fault_of(name, "<p>Hello</p>");
        assert_eq!(fault.detail, "shows neither the link nor the code");
        assert_eq!(fault.file, path);
    }
}

#[test]
fn a_misspelt_override_and_a_missing_folder_are_refused() {
    let (path, fault) = fault_of("en/verify_adress.txt", "subject\n\n{{ link }}");
    assert_eq!((fault.file, fault.detail.as_str()), (path, "replaces no built-in template"));
    let folder = tempfile::tempdir().unwrap();
    assert!(Renderer::new(Some(&folder.path().join("missing"))).is_err());
}

#[test]
fn an_override_that_is_too_large_or_not_text_is_refused() {
    let (_, fault) = fault_of("base.txt", &"x".repeat(300 * 1024));
    assert_eq!(fault.detail, "has more than 256 KiB");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("base.txt"), [0xFF, 0xFE]).unwrap();
    assert!(Renderer::new(Some(folder.path())).unwrap_err().file.ends_with("base.txt"));
}

#[test]
fn a_fault_while_sending_shows_no_value() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("en")).unwrap();
    // Broken for every code except the one of the trial at start.
    let source = "{% if code is defined and code != \"0123 4567\" %}{{ code | int }}{% endif %}subject\n\n{{ link }}";
    fs::write(folder.path().join("en/verify_address.txt"), source).unwrap();
    let renderer = Renderer::new(Some(folder.path())).unwrap();
    let fault = renderer.render(MailTemplate::VerifyAddress, Locale::English, &values()).unwrap_err();
    assert!(!fault.to_string().contains("1234"), "{fault}");
}

#[test]
fn neither_values_nor_texts_show_in_debug() {
    let mail = renderer().render(MailTemplate::VerifyAddress, Locale::English, &values()).unwrap();
    for shown in [format!("{:?}", values()), format!("{mail:?}")] {
        assert!(!shown.contains("v4.local") && !shown.contains("1234"), "{shown}");
    }
}
