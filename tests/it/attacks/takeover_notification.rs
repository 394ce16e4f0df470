use crate::support::{MailText as _, Person, Proof, Purpose, email_change_mail, on_each_database};

#[test]
fn the_old_address_gets_a_mail_about_the_new_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let change = email_change_mail(app, &ada, "eve@example.net").await;
        assert_eq!(change.to, "eve@example.net");
        let before = app.mails_to("ada@example.org").await.len();
        Purpose::ConfirmEmail.claim(app, &Proof::Link(change.link_token()), "", "").await.unwrap();
        let news = app.mails_to("ada@example.org").await;
        assert_eq!(news.len(), before + 1);
        assert!(news[0].text.contains("eve@example.net"), "{}", news[0].text);
        assert_eq!(news[0].token(), None);
    });
}
