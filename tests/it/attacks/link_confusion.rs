use crate::support::{MailText as _, Person, Proof, Purpose, Refused as _, on_sqlite};

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

#[test]
fn a_link_works_for_its_own_purpose_only() {
    on_sqlite(async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            for other in Purpose::ALL.into_iter().filter(|other| *other != purpose) {
                let link = Proof::Link(mail.link_token());
                let refused = other.claim(app, &link, NEW_PASSWORD, "").await;
                assert_eq!(refused.reason(), "LINK_INVALID", "{purpose:?} as {other:?}");
                let code = Proof::Code { email: mail.to.clone(), code: mail.typed_code() };
                let refused = other.claim(app, &code, NEW_PASSWORD, "").await;
                assert_eq!(refused.reason(), "CODE_INVALID", "{purpose:?} as {other:?}");
            }
            purpose.claim(app, &Proof::Link(mail.link_token()), NEW_PASSWORD, "").await.unwrap();
        }
    });
}

#[test]
fn what_was_sealed_as_something_else_is_no_link() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for purpose in Purpose::ALL {
            for token in [&ada.session.refresh_token, &ada.session.access_token, "garbage", "v4.local."] {
                let refused = purpose.claim(app, &Proof::Link(token.to_owned()), NEW_PASSWORD, "").await;
                assert_eq!(refused.reason(), "LINK_INVALID", "{purpose:?}");
            }
        }
    });
}
