use crate::support::{
    MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, email_change_mail, on_each_database, reset_mail,
};
use countersign::{grpc::wire::proto::*, mail::StoredMail};

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

/// The link and the code of a mail.
fn both(mail: &StoredMail) -> [(Proof, &'static str); 2] {
    let code = Proof::Code { email: mail.to.clone(), code: mail.typed_code() };
    [(Proof::Link(mail.link_token()), "LINK_USED"), (code, "CODE_INVALID")]
}

#[test]
fn a_reset_link_dies_with_the_old_address() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let stale = reset_mail(app, "ada@example.org").await;
        let change = email_change_mail(app, &ada, "ada@example.net").await;
        Purpose::ConfirmEmail.claim(app, &Proof::Link(change.link_token()), "", "").await.unwrap();
        for (proof, reason) in both(&stale) {
            assert_eq!(Purpose::Reset.claim(app, &proof, NEW_PASSWORD, "").await.reason(), reason);
        }
        app.log_in("ada@example.net", PASSWORD).await.unwrap();
        assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
    });
}

#[test]
fn a_reset_that_was_asked_for_before_the_address_changed_is_not_mailed_after() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let change = email_change_mail(app, &ada, "ada@example.net").await;
        let sent = app.mails_to("ada@example.org").await.len();
        app.advance(std::time::Duration::from_secs(1));
        let reset = RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() };
        app.account().request_reset(reset).await.unwrap();
        Purpose::ConfirmEmail.claim(app, &Proof::Link(change.link_token()), "", "").await.unwrap();
        let mails = app.mails_to("ada@example.org").await;
        assert_eq!(mails.len(), sent + 1, "the news of the change, and nothing else");
        assert_eq!(mails[0].token(), None);
    });
}

#[test]
fn a_reset_link_dies_with_the_old_password() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let stale = reset_mail(app, "ada@example.org").await;
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().change_password(ada.asks(change)).await.unwrap();
        for (proof, reason) in both(&stale) {
            assert_eq!(Purpose::Reset.claim(app, &proof, "ten calm owls at noon", "").await.reason(), reason);
        }

        let older = reset_mail(app, "ada@example.org").await;
        let newer = reset_mail(app, "ada@example.org").await;
        let link = Proof::Link(newer.link_token());
        Purpose::Reset.claim(app, &link, "six brave wrens at tea", "").await.unwrap();
        for (proof, reason) in both(&older) {
            assert_eq!(Purpose::Reset.claim(app, &proof, "ten calm owls at noon", "").await.reason(), reason);
        }
        app.log_in("ada@example.org", "six brave wrens at tea").await.unwrap();
    });
}

#[test]
fn only_the_last_wish_for_an_address_counts() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let given_up = email_change_mail(app, &ada, "ada@example.com").await;
        let wanted = email_change_mail(app, &ada, "ada@example.net").await;
        for (proof, reason) in both(&given_up) {
            assert_eq!(Purpose::ConfirmEmail.claim(app, &proof, "", "").await.reason(), reason);
        }
        Purpose::ConfirmEmail.claim(app, &Proof::Link(wanted.link_token()), "", "").await.unwrap();
        assert_eq!(app.me(&ada.session).await.unwrap().email, "ada@example.net");
    });
}
