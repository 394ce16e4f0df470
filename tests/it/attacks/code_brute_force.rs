use crate::support::Refused as _;
use crate::support::{
    App, AppOptions, MailText as _, Proof, Purpose, at_once, on_each_database, on_each_database_with,
};
use countersign::mail::StoredMail;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

/// Eight digits that differ from the code in the mail; `number` tells them apart.
fn wrong(mail: &StoredMail, number: usize) -> Proof {
    let right: usize = mail.typed_code().replace(' ', "").parse().unwrap();
    let code = format!("{:08}", (right + 1 + number) % 100_000_000);
    Proof::Code { email: mail.to.clone(), code }
}

fn right(mail: &StoredMail) -> Proof {
    Proof::Code { email: mail.to.clone(), code: mail.typed_code() }
}

async fn claim(app: &App, purpose: Purpose, proof: &Proof) -> Result<(), tonic::Status> {
    purpose.claim(app, proof, NEW_PASSWORD, "").await
}

#[test]
fn a_code_is_void_after_five_wrong_tries() {
    on_each_database(async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            for attempt in 0..5 {
                assert_eq!(claim(app, purpose, &wrong(&mail, attempt)).await.reason(), "CODE_INVALID");
            }
            assert_eq!(claim(app, purpose, &right(&mail)).await.reason(), "CODE_INVALID", "{purpose:?}");
            claim(app, purpose, &Proof::Link(mail.link_token())).await.unwrap();
        }
    });
}

#[test]
fn four_slips_leave_one_try() {
    on_each_database(async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            for attempt in 0..4 {
                assert_eq!(claim(app, purpose, &wrong(&mail, attempt)).await.reason(), "CODE_INVALID");
            }
            let no_code = Proof::Code { email: mail.to.clone(), code: "1234".to_owned() };
            assert_eq!(claim(app, purpose, &no_code).await.reason(), "CODE_INVALID");
            claim(app, purpose, &right(&mail)).await.unwrap();
        }
    });
}

#[test]
fn attempts_made_at_once_are_all_counted() {
    on_each_database(async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            let app = &*app;
            let attempts = at_once(64, async |attempt| claim(app, purpose, &wrong(&mail, attempt)).await).await;
            assert_eq!(attempts.refusals, [("CODE_INVALID".to_owned(), 64)].into());
            let tries = "SELECT CAST(max(code_tries) AS BIGINT) FROM actions WHERE used_at IS NULL";
            assert_eq!(app.number(tries).await, 5, "{purpose:?}");
            assert_eq!(claim(app, purpose, &right(&mail)).await.reason(), "CODE_INVALID", "{purpose:?}");
            claim(app, purpose, &Proof::Link(mail.link_token())).await.unwrap();
        }
    });
}

#[test]
fn a_code_may_be_given_a_shorter_life_than_its_link_and_then_says_only_that_it_is_invalid() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_LINKS__CODE_TTL", "10m"), async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            app.advance(std::time::Duration::from_secs(600));
            assert_eq!(claim(app, purpose, &right(&mail)).await.reason(), "CODE_INVALID", "{purpose:?}");
            claim(app, purpose, &Proof::Link(mail.link_token())).await.unwrap();
        }
    });
}

#[test]
fn a_code_is_good_for_the_address_it_was_mailed_to_only() {
    on_each_database(async |app| {
        let mail = Purpose::Reset.mail(app, "ada@example.org").await;
        Purpose::Reset.mail(app, "eve@example.org").await;
        let elsewhere = Proof::Code { email: "eve@example.org".to_owned(), code: mail.typed_code() };
        assert_eq!(claim(app, Purpose::Reset, &elsewhere).await.reason(), "CODE_INVALID");
        claim(app, Purpose::Reset, &right(&mail)).await.unwrap();
    });
}
