use super::{App, MailText as _, bearer};
use countersign::grpc::wire::proto::*;
use tonic::Request;

/// A password that every rule accepts.
pub(crate) const PASSWORD: &str = "seven quiet herons at dusk";

/// A person with an account and an open session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) session: Session,
}

impl Person {
    /// Registers, verifies and logs in.
    pub(crate) async fn sign_up(app: &App, email: &str) -> Self {
        Self::register(app, email).await;
        let session = app.log_in(email, PASSWORD).await.unwrap();
        Self { email: email.to_owned(), session }
    }

    /// Registers and verifies.
    pub(crate) async fn register(app: &App, email: &str) {
        let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        app.account().register(form).await.unwrap();
        let token = app.mail_to(email).await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    }

    /// Sets a password with the newest mail of that kind, whoever requested it.
    pub(crate) async fn set_password_by_mail(app: &App, email: &str, new_password: &str) {
        let mails = app.mails_to(email).await;
        let mail =
            mails.iter().find(|mail| mail.subject.starts_with("Set a new password")).expect("a mail that sets one");
        let form =
            ResetRequest { token: mail.link_token(), new_password: new_password.to_owned(), ..Default::default() };
        app.account().reset(form).await.unwrap();
    }

    /// A request of this person.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        bearer(&self.session.access_token, message)
    }
}
