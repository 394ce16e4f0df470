use crate::support::{AppOptions, MailText as _, PASSWORD, on_sqlite_with};
use countersign::grpc::wire::proto::*;
use std::fs;

const TEXT: &str = r#"{% extends "en/frame.txt" %}
{% block subject %}Welcome to the Vale, {{ address }}{% endblock %}
{% block lead %}The Vale waits behind this link:{% endblock %}
"#;

#[test]
fn an_operators_template_takes_the_place_of_the_built_in_one_and_of_no_other() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("en")).unwrap();
    fs::write(folder.path().join("en/verify_address.txt"), TEXT).unwrap();
    let options = AppOptions::with("COUNTERSIGN_MAIL__TEMPLATES_DIR", &folder.path().display().to_string());
    on_sqlite_with(options, async |app| {
        for (email, locale) in [("ada@example.org", "en"), ("olga@example.org", "de")] {
            let form = RegisterRequest {
                email: email.to_owned(),
                password: PASSWORD.to_owned(),
                locale: locale.to_owned(),
                ..Default::default()
            };
            app.account().register(form).await.unwrap();
        }
        let mail = app.mail_to("ada@example.org").await;
        assert_eq!(mail.subject, "Welcome to the Vale, ada@example.org");
        assert!(mail.text.contains("The Vale waits behind this link:"), "{}", mail.text);
        assert!(mail.html.contains("Somebody, hopefully you"), "the page is still the built-in one");
        let verify = VerifyRequest { token: mail.link_token(), ..Default::default() };
        app.account().verify(verify).await.unwrap();
        assert!(app.mail_to("olga@example.org").await.subject.starts_with("Bestätigen Sie"));
        app.advance(std::time::Duration::from_secs(1));
        let form = RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() };
        app.account().request_reset(form).await.unwrap();
        assert_eq!(app.mail_to("ada@example.org").await.subject, "Set a new password for Countersign");
    });
}
