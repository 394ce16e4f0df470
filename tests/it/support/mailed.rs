use super::{App, PASSWORD, Person};
use countersign::{grpc::wire::proto::*, mail::StoredMail};
use std::time::Duration;
use tonic::Status;

/// The purpose of a mailed link or code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verify,
    Reset,
    ConfirmEmail,
}

/// The proof that a person has read a mail.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    Link(String),
    Code { email: String, code: String },
}

impl Purpose {
    pub(crate) const ALL: [Self; 3] = [Self::Verify, Self::Reset, Self::ConfirmEmail];

    /// Has a mail of this purpose sent, with a new registration, account or change for `email`.
    pub(crate) async fn mail(self, app: &App, email: &str) -> StoredMail {
        match self {
            Self::Verify => {
                app.advance(APART);
                let form =
                    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
                app.account().register(form).await.unwrap();
                app.mail_to(email).await
            }
            Self::Reset => {
                Person::register(app, email).await;
                reset_mail(app, email).await
            }
            Self::ConfirmEmail => {
                let person = Person::sign_up(app, email).await;
                email_change_mail(app, &person, &format!("new.{email}")).await
            }
        }
    }

    /// Uses a link or a code for this purpose, whatever its own purpose. `new_password` counts for a reset only.
    pub(crate) async fn claim(
        self,
        app: &App,
        proof: &Proof,
        new_password: &str,
        request_id: &str,
    ) -> Result<(), Status> {
        let (token, email, code) = match proof.clone() {
            Proof::Link(token) => (token, String::new(), String::new()),
            Proof::Code { email, code } => (String::new(), email, code),
        };
        let (new_password, request_id) = (new_password.to_owned(), request_id.to_owned());
        match self {
            Self::Verify => {
                app.account().verify(VerifyRequest { token, email, code, request_id }).await?;
            }
            Self::Reset => {
                let form = ResetRequest { token, email, code, new_password, request_id, ..Default::default() };
                app.account().reset(form).await?;
            }
            Self::ConfirmEmail => {
                let form = ConfirmEmailChangeRequest { token, email, code, request_id };
                app.account().confirm_email_change(form).await?;
            }
        }
        Ok(())
    }
}

/// Mails of the same instant have no order; with this pause the next mail is later than all before it.
const APART: Duration = Duration::from_secs(1);

/// Requests a reset and returns the newest mail to the address.
pub(crate) async fn reset_mail(app: &App, email: &str) -> StoredMail {
    app.advance(APART);
    app.account().request_reset(RequestResetRequest { email: email.to_owned(), ..Default::default() }).await.unwrap();
    app.mail_to(email).await
}

/// Requests a change of the address and returns the newest mail to the new one.
pub(crate) async fn email_change_mail(app: &App, person: &Person, new_email: &str) -> StoredMail {
    app.advance(APART);
    let form = RequestEmailChangeRequest {
        new_email: new_email.to_owned(),
        current_password: PASSWORD.to_owned(),
        ..Default::default()
    };
    app.account().request_email_change(person.asks(form)).await.unwrap();
    app.mail_to(new_email).await
}
