use crate::support::{PASSWORD, Person, Purpose, email_change_mail, on_sqlite, reset_mail};
use countersign::grpc::wire::proto::{account_service_client::AccountServiceClient, *};
use tonic::{Request, transport::Endpoint};

const HOSTILE: [(&str, &str); 9] = [
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "evil"),
    ("x-forwarded-for", "evil.example"),
    ("x-forwarded-prefix", "/evil.example"),
    ("x-original-url", "https://evil.example/"),
    ("x-host", "evil.example"),
    ("forwarded", "host=evil.example;proto=https"),
    ("origin", "https://evil.example"),
    ("referer", "https://evil.example/reset"),
];

fn hostile<T>(mut request: Request<T>) -> Request<T> {
    for (name, value) in HOSTILE {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[test]
fn no_header_reaches_a_link() {
    on_sqlite(async |app| {
        // The attacker also chooses `:authority`, which the service sees as its own host.
        let endpoint = Endpoint::from_shared(format!("http://{}", app.address)).unwrap();
        let channel = endpoint.origin("https://evil.example:444".parse().unwrap()).connect().await.unwrap();
        let mut client = AccountServiceClient::new(channel);

        let form = RegisterRequest {
            email: "vic@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        client.register(hostile(Request::new(form))).await.unwrap();
        let resend = ResendVerificationRequest { email: "vic@example.org".to_owned(), ..Default::default() };
        client.resend_verification(hostile(Request::new(resend))).await.unwrap();

        let ada = Person::sign_up(app, "ada@example.org").await;
        let reset = RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() };
        client.request_reset(hostile(Request::new(reset))).await.unwrap();
        let change = RequestEmailChangeRequest {
            new_email: "ada@example.net".to_owned(),
            current_password: PASSWORD.to_owned(),
            ..Default::default()
        };
        client.request_email_change(hostile(ada.asks(change))).await.unwrap();

        app.send_mail().await;
        let mails = app.mailbox.list(None, 100).await.unwrap();
        assert_eq!(mails.iter().filter(|mail| mail.token().is_some()).count(), 5);
        for mail in &mails {
            let file = std::fs::read_to_string(app.data_dir.join("mail").join(format!("{}.eml", mail.id))).unwrap();
            for text in [&mail.text, &mail.html, &mail.subject, &file] {
                assert!(!text.to_lowercase().contains("evil"), "{}", mail.subject);
            }
            let links = mail.text.split_whitespace().filter(|word| word.contains("://"));
            for link in links {
                assert!(link.starts_with("https://id.example.org/"), "{}", mail.subject);
            }
        }
    });
}

#[test]
fn every_mailed_link_leads_to_the_configured_place() {
    on_sqlite(async |app| {
        let verify = Purpose::Verify.mail(app, "vic@example.org").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let reset = reset_mail(app, "ada@example.org").await;
        let change = email_change_mail(app, &ada, "ada@example.net").await;
        for (mail, page) in [(verify, "verify"), (reset, "reset"), (change, "confirm-email")] {
            let link = format!("https://id.example.org/{page}#token=");
            // Decoded as a mail program does.
            let html = mail.html.replace("&#x2f;", "/");
            assert!(mail.text.contains(&link) && html.contains(&link), "{}", mail.subject);
        }
    });
}
