use super::{App, MailText as _, bearer};
use countersign::grpc::wire::proto::*;
use tonic::{Request, Status};

/// A password that no rule has anything against.
pub(crate) const PASSWORD: &str = "seven quiet herons at dusk";

/// Somebody with an account and an open session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) session: Session,
}

impl Person {
    /// Registers, verifies and logs in.
    pub(crate) async fn sign_up(app: &App, email: &str) -> Self {
        Self::register(app, email).await;
        let session = Self::log_in(app, email, PASSWORD).await.unwrap();
        Self { email: email.to_owned(), session }
    }

    /// Registers and verifies.
    pub(crate) async fn register(app: &App, email: &str) {
        let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        app.account().register(form).await.unwrap();
        let token = app.mail_to(email).await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    }

    /// Sets a password with the newest mail that is for that, whoever asked for it.
    pub(crate) async fn set_password_by_mail(app: &App, email: &str, new_password: &str) {
        let mails = app.mails_to(email).await;
        let mail =
            mails.iter().find(|mail| mail.subject.starts_with("Set a new password")).expect("a mail that sets one");
        let form =
            ResetRequest { token: mail.link_token(), new_password: new_password.to_owned(), ..Default::default() };
        app.account().reset(form).await.unwrap();
    }

    pub(crate) async fn log_in(app: &App, identifier: &str, password: &str) -> Result<Session, Status> {
        let form =
            LoginRequest { identifier: identifier.to_owned(), password: password.to_owned(), ..Default::default() };
        let answer = app.auth().login(form).await?.into_inner();
        match answer.outcome {
            Some(login_response::Outcome::Session(session)) => Ok(session),
            None => panic!("a login without an outcome"),
        }
    }

    /// Opens a session whose access tokens are for `audience`.
    pub(crate) async fn log_in_for(app: &App, identifier: &str, audience: &str) -> Session {
        let form = LoginRequest {
            identifier: identifier.to_owned(),
            password: PASSWORD.to_owned(),
            audience: audience.to_owned(),
            ..Default::default()
        };
        let login_response::Outcome::Session(session) =
            app.auth().login(form).await.unwrap().into_inner().outcome.expect("a login has an outcome");
        session
    }

    /// A request of this person.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        bearer(&self.session.access_token, message)
    }

    /// Exchanges a refresh token.
    pub(crate) async fn refresh(app: &App, refresh_token: &str) -> Result<Session, Status> {
        let answer = app
            .auth()
            .refresh(RefreshRequest { refresh_token: refresh_token.to_owned(), ..Default::default() })
            .await?;
        Ok(answer.into_inner().session.expect("a refresh answers with a session"))
    }

    /// Whether the access token of this session still opens a door.
    pub(crate) async fn me(app: &App, session: &Session) -> Result<Account, Status> {
        let answer = app.account().get_me(bearer(&session.access_token, GetMeRequest {})).await?;
        Ok(answer.into_inner().account.expect("GetMe answers with an account"))
    }
}
