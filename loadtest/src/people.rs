//! People who are registered, verified and signed in over the API, as anybody would be.

use countersign::grpc::wire::proto::{
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    dev_mailbox_service_client::DevMailboxServiceClient, *,
};
use countersign::runtime::Entropy;
use futures_util::future::try_join_all;
use tonic::{Request, Status, transport::Channel};

pub(crate) const PASSWORD: &str = "seven quiet herons at dusk";
/// People who sign up at once.
const AT_ONCE: usize = 8;

/// Somebody with a session.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) session: Session,
}

/// So many people, each with a session.
pub(crate) async fn sign_up(channel: &Channel, count: usize) -> Result<Vec<Person>, Status> {
    let mut people = Vec::new();
    while people.len() < count {
        let some = AT_ONCE.min(count - people.len());
        people.extend(try_join_all((0..some).map(|_| sign_up_one(channel.clone()))).await?);
    }
    Ok(people)
}

async fn sign_up_one(channel: Channel) -> Result<Person, Status> {
    let email = new_address();
    let mut account = AccountServiceClient::new(channel.clone());
    account
        .register(RegisterRequest { email: email.clone(), password: PASSWORD.to_owned(), ..Default::default() })
        .await?;
    let question = WaitForRequest { recipient: email.clone(), ..Default::default() };
    let mail = DevMailboxServiceClient::new(channel.clone()).wait_for(question).await?.into_inner().mail;
    let token = mail.ok_or_else(|| Status::not_found("no mail"))?.token;
    account.verify(VerifyRequest { token, ..Default::default() }).await?;
    let session = log_in(channel, &email).await?;
    Ok(Person { email, session })
}

pub(crate) async fn log_in(channel: Channel, email: &str) -> Result<Session, Status> {
    let form = LoginRequest { identifier: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    match AuthServiceClient::new(channel).login(form).await?.into_inner().outcome {
        Some(login_response::Outcome::Session(session)) => Ok(session),
        _ => Err(Status::internal("a login without a session")),
    }
}

/// A call with an access token.
pub(crate) fn bearer<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Ok(value) = format!("Bearer {token}").parse() {
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// An address that nobody has.
pub(crate) fn new_address() -> String {
    format!("{:032x}@example.org", u128::from_le_bytes(Entropy::system().bytes()))
}
