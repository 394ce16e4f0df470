//! The calls that are measured.

use crate::{
    drive::Caller,
    people::{self, PASSWORD, Person, bearer},
    server::Server,
};
use clap::ValueEnum;
use countersign::grpc::wire::proto::{
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    verification_service_client::VerificationServiceClient, *,
};
use std::{error::Error, ops::Range, sync::Arc};
use tokio::sync::Mutex;
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    GetMe,
    Refresh,
    Introspect,
    Login,
    IssueServiceToken,
    Register,
    /// A day in seconds: of a hundred calls 60 GetMe, 30 Refresh, 8 Introspect, 2 Login.
    Mixed,
}

impl Work {
    /// Whether the call hashes a password.
    pub(crate) fn hashes(self) -> bool {
        matches!(self, Self::Login | Self::Register | Self::Mixed)
    }

    /// Whether the call signs a token.
    pub(crate) fn signs(self) -> bool {
        matches!(self, Self::Refresh | Self::Login | Self::IssueServiceToken | Self::Mixed)
    }
}

/// Who calls.
pub(crate) struct Cast {
    channels: Vec<Channel>,
    people: Vec<Person>,
    service: ServiceAccount,
}

/// A service account and a token of it.
#[derive(Clone, Debug)]
pub(crate) struct ServiceAccount {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    token: String,
}

impl ServiceAccount {
    /// Creates one on the command line, as operators do.
    pub(crate) async fn create(server: &Server, channel: &Channel) -> Result<Self, Box<dyn Error>> {
        let made = server.run(&["service", "create", "--audience", "default", "loadtest"])?;
        let word = |label: &str| {
            let line = made.lines().find_map(|line| line.trim().strip_prefix(label));
            line.map(|rest| rest.trim().to_owned()).ok_or_else(|| format!("no {label}: {made}"))
        };
        let (client_id, client_secret) = (word("client id")?, word("client secret")?);
        let form = IssueServiceTokenRequest {
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            audience: "default".to_owned(),
        };
        let issued = AuthServiceClient::new(channel.clone()).issue_service_token(form).await?.into_inner();
        Ok(Self { client_id, client_secret, token: issued.access_token })
    }
}

impl Cast {
    /// Signs people up, and makes a service account.
    pub(crate) async fn gather(server: &Server, channels: Vec<Channel>, people: usize) -> Result<Self, Box<dyn Error>> {
        let people = people::sign_up(&channels[0], people).await?;
        let service = ServiceAccount::create(server, &channels[0]).await?;
        Ok(Self { channels, people, service })
    }

    /// At least one connection and one person.
    pub(crate) fn of(channels: Vec<Channel>, people: Vec<Person>, service: ServiceAccount) -> Self {
        Self { channels, people, service }
    }

    /// Callers with these numbers, each with a person of its own as far as there are people.
    pub(crate) fn callers(&self, work: Work, numbers: Range<usize>) -> Vec<Caller> {
        numbers.map(|number| self.caller(work, number)).collect()
    }

    /// So many callers, among whom all people are divided. Each caller calls for its people in turn.
    pub(crate) fn callers_for_everybody(&self, work: Work, count: usize) -> Vec<Caller> {
        let divided = |number| {
            let first = number % self.people.len();
            let mut own: Vec<Caller> =
                (first..self.people.len()).step_by(count).map(|person| self.caller(work, person)).collect();
            let mut turn = 0;
            let caller: Caller = Box::new(move || {
                turn += 1;
                let next = turn % own.len();
                own[next]()
            });
            caller
        };
        (0..count).map(divided).collect()
    }

    fn caller(&self, work: Work, number: usize) -> Caller {
        let channel = self.channels[number % self.channels.len()].clone();
        let person = &self.people[number % self.people.len()];
        let (token, email): (Arc<str>, Arc<str>) =
            (person.session.access_token.as_str().into(), person.email.as_str().into());
        let service = self.service.clone();
        match work {
            Work::GetMe => Box::new(move || {
                let (mut account, token) = (AccountServiceClient::new(channel.clone()), token.clone());
                Box::pin(
                    async move { account.get_me(bearer(&token, GetMeRequest {})).await.map(|_| ()).map_err(reason) },
                )
            }),
            Work::Refresh => {
                let current = Arc::new(Mutex::new(person.session.refresh_token.clone()));
                Box::new(move || {
                    let (mut auth, current) = (AuthServiceClient::new(channel.clone()), current.clone());
                    Box::pin(async move {
                        let mut current = current.lock().await;
                        let form = RefreshRequest { refresh_token: current.clone(), ..Default::default() };
                        let session = auth.refresh(form).await.map_err(reason)?.into_inner().session;
                        *current = session.ok_or("a refresh without a session")?.refresh_token;
                        Ok(())
                    })
                })
            }
            Work::Introspect => Box::new(move || {
                let (mut verification, token, own) =
                    (VerificationServiceClient::new(channel.clone()), token.clone(), service.token.clone());
                Box::pin(async move {
                    let form = IntrospectRequest { token: token.to_string() };
                    verification.introspect(bearer(&own, form)).await.map(|_| ()).map_err(reason)
                })
            }),
            Work::Login => Box::new(move || {
                let (channel, email) = (channel.clone(), email.clone());
                Box::pin(async move { people::log_in(channel, &email).await.map(|_| ()).map_err(reason) })
            }),
            Work::IssueServiceToken => Box::new(move || {
                let mut auth = AuthServiceClient::new(channel.clone());
                let form = IssueServiceTokenRequest {
                    client_id: service.client_id.clone(),
                    client_secret: service.client_secret.clone(),
                    audience: "default".to_owned(),
                };
                Box::pin(async move { auth.issue_service_token(form).await.map(|_| ()).map_err(reason) })
            }),
            Work::Register => Box::new(move || {
                let mut account = AccountServiceClient::new(channel.clone());
                let email = people::new_address();
                let form = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
                Box::pin(async move { account.register(form).await.map(|_| ()).map_err(reason) })
            }),
            Work::Mixed => self.mixed(number),
        }
    }

    fn mixed(&self, number: usize) -> Caller {
        let kinds = [Work::GetMe, Work::Refresh, Work::Introspect, Work::Login];
        let mut callers = kinds.map(|work| self.caller(work, number));
        // Each caller begins at another place of the hundred.
        let mut turn = number * 37;
        Box::new(move || {
            turn += 1;
            // 61 has no factor in common with 100, so a hundred turns are a hundred places.
            let kind = match turn * 61 % 100 {
                0..60 => 0,
                60..90 => 1,
                90..98 => 2,
                _ => 3,
            };
            callers[kind]()
        })
    }
}

/// What the count of errors calls an error: its reason where there is one.
#[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
fn reason(status: Status) -> String {
    match status.get_details_error_info() {
        Some(info) => info.reason,
        None => format!("{:?}: {}", status.code(), status.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;
    use tonic_types::ErrorDetails;

    #[test]
    fn an_error_is_called_by_its_reason_where_it_has_one() {
        let details = ErrorDetails::with_error_info("OVERLOADED", "countersign", []);
        assert_eq!(reason(Status::with_error_details(Code::Unavailable, "too busy", details)), "OVERLOADED");
        assert_eq!(reason(Status::unavailable("gone")), "Unavailable: gone");
    }
}
