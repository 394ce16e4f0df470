use crate::support::{MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

fn form(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

#[test]
fn a_person_registers_verifies_and_logs_in() {
    on_each_database(async |app| {
        let with_names = RegisterRequest {
            username: "Ольга".to_owned(),
            display_name: "Ольга Ладыженская".to_owned(),
            locale: "de-AT".to_owned(),
            ..form("Olga@Example.org")
        };
        app.account().register(with_names).await.unwrap();
        assert_eq!(Person::log_in(app, "olga@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");

        let mail = app.mail_to("Olga@Example.org").await;
        assert!(mail.text.contains("https://id.example.org/verify#token="), "{}", mail.text);
        let token = mail.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();

        for identifier in ["olga@example.org", "OLGA@EXAMPLE.ORG", "ольга"] {
            let session = Person::log_in(app, identifier, PASSWORD).await.unwrap();
            let account = Person::me(app, &session).await.unwrap();
            assert_eq!((account.email.as_str(), account.username.as_str()), ("Olga@Example.org", "Ольга"));
            assert_eq!((account.display_name.as_str(), account.locale.as_str()), ("Ольга Ладыженская", "de"));
        }
    });
}
