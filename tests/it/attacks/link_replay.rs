use crate::support::{App, MailText as _, Proof, Purpose, Refused as _, at_once, on_each_database};
use countersign::mail::StoredMail;
use std::time::Duration;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";
/// A link's token counts whole seconds.
const SECOND: Duration = Duration::from_secs(1);

fn link(mail: &StoredMail) -> Proof {
    Proof::Link(mail.link_token())
}

fn code(mail: &StoredMail) -> Proof {
    Proof::Code { email: mail.to.clone(), code: mail.typed_code() }
}

/// Claims one link or code 64 times at once, each time with another password where one is set.
async fn hammer(app: &App, purpose: Purpose, proof: &Proof, reason: &str) {
    let claims = at_once(64, async |number| {
        let new_password = format!("{NEW_PASSWORD} {number}");
        purpose.claim(app, proof, &new_password, "").await
    });
    claims.await.assert_one_won(&[reason], &format!("{purpose:?}"));
}

async fn assert_done_once(app: &App, purpose: Purpose) {
    let (done, times) = match purpose {
        Purpose::Verify => ("SELECT count(*) FROM audit_events WHERE kind = 'address_verified'", 1),
        Purpose::Reset => ("SELECT count(*) FROM audit_events WHERE kind = 'password_reset'", 1),
        Purpose::ConfirmEmail => ("SELECT count(*) FROM audit_events WHERE kind = 'email_changed'", 1),
    };
    assert_eq!(app.number(done).await, times, "{purpose:?}");
    assert_eq!(app.rows("accounts").await, 1, "{purpose:?}");
    let past = i64::from(purpose == Purpose::Reset);
    assert_eq!(app.rows("past_passwords").await, past, "{purpose:?}");
}

fn each_of_64_claims_at_once(purpose: Purpose) {
    on_each_database(async |app| {
        let mail = purpose.mail(app, "ada@example.org").await;
        hammer(app, purpose, &link(&mail), "LINK_USED").await;
        assert_done_once(app, purpose).await;
    });
    on_each_database(async |app| {
        let mail = purpose.mail(app, "ada@example.org").await;
        hammer(app, purpose, &code(&mail), "CODE_INVALID").await;
        assert_done_once(app, purpose).await;
    });
}

#[test]
fn of_64_verifications_at_once_one_succeeds() {
    each_of_64_claims_at_once(Purpose::Verify);
}

#[test]
fn of_64_resets_at_once_one_succeeds() {
    each_of_64_claims_at_once(Purpose::Reset);
}

#[test]
fn of_64_confirmations_of_an_address_at_once_one_succeeds() {
    each_of_64_claims_at_once(Purpose::ConfirmEmail);
}

#[test]
fn a_used_link_is_refused() {
    on_each_database(async |app| {
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            purpose.claim(app, &link(&mail), NEW_PASSWORD, "").await.unwrap();
            for _ in 0..2 {
                let again = purpose.claim(app, &link(&mail), "ten calm owls at noon", "").await;
                assert_eq!(again.reason(), "LINK_USED", "{purpose:?}");
                let again = purpose.claim(app, &code(&mail), "ten calm owls at noon", "").await;
                assert_eq!(again.reason(), "CODE_INVALID", "{purpose:?}");
            }
        }
    });
}

#[test]
fn an_expired_link_is_refused_and_says_so() {
    on_each_database(async |app| {
        let day = Duration::from_secs(24 * 60 * 60);
        let lives = [(Purpose::Verify, day), (Purpose::Reset, day / 48), (Purpose::ConfirmEmail, day)];
        for (number, (purpose, life)) in lives.into_iter().enumerate() {
            let mail = purpose.mail(app, &format!("ada{number}@example.org")).await;
            app.advance(life);
            let late = purpose.claim(app, &link(&mail), NEW_PASSWORD, "").await;
            assert_eq!(late.reason(), "LINK_EXPIRED", "{purpose:?}");
            let late = purpose.claim(app, &code(&mail), NEW_PASSWORD, "").await;
            assert_eq!(late.reason(), "CODE_INVALID", "{purpose:?}");

            let mail = purpose.mail(app, &format!("eve{number}@example.org")).await;
            app.advance(life - SECOND);
            purpose.claim(app, &link(&mail), NEW_PASSWORD, "").await.unwrap();
        }
    });
}

#[test]
fn a_changed_link_is_no_link() {
    on_each_database(async |app| {
        let mail = Purpose::Reset.mail(app, "ada@example.org").await;
        let good = mail.link_token();
        for at in (0..good.len()).step_by(4) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = Proof::Link(String::from_utf8(bytes).unwrap());
            let refused = Purpose::Reset.claim(app, &changed, NEW_PASSWORD, "").await;
            assert_eq!(refused.reason(), "LINK_INVALID", "changed at {at}");
        }
        Purpose::Reset.claim(app, &link(&mail), NEW_PASSWORD, "").await.unwrap();
        app.log_in("ada@example.org", NEW_PASSWORD).await.unwrap();
    });
}
