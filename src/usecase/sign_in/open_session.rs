use crate::{
    runtime::{Clock, Entropy},
    store::{Store, session, session::Session},
    usecase::{
        About, Failure, Journal, Origin,
        account::Me,
        gate::PasswordProven,
        session::{IssueTokens, OpenedSession},
    },
};
use countersign_domain::{
    audit::EventKind, display_name::DisplayName, id::SessionId, refusal::Reason, session::SessionLives,
};

/// Opens a session for somebody who has proven who they are.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub store: Store,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub me: Me,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// Bytes of a user agent that are kept.
const MAX_USER_AGENT_BYTES: usize = 256;

impl OpenSession {
    /// # Errors
    /// CREDENTIALS_INVALID when the account was disabled while its password was being checked.
    pub async fn run(
        &self,
        origin: &Origin,
        proven: &PasswordProven,
        audience: String,
        device_name: DisplayName,
    ) -> Result<OpenedSession, Failure> {
        let account = proven.account();
        let (tenant, now) = (account.tenant, self.clock.now());
        let session = Session {
            id: SessionId::new(now, self.entropy.bytes()),
            account: account.id,
            audience,
            generation: 1,
            device_name: device_name.as_str().to_owned(),
            user_agent: origin.user_agent.chars().take(MAX_USER_AGENT_BYTES).collect(),
            address: origin.address.clone(),
            methods: "pwd".to_owned(),
            created_at: now,
            authenticated_at: now,
            refreshed_at: now,
            expiry: self.lives.opened(now),
            ended_at: None,
        };
        let profile = self.me.profile(account.clone()).await?;
        // Made before anything is kept: a session nobody has the tokens of would be a row for nothing.
        let opened = self.tokens.run(&session, profile)?;
        let tx = self.store.begin().await?;
        if !session::open(&tx, tenant, &session, account.password_version).await? {
            return Err(Reason::CredentialsInvalid.into());
        }
        let about = About::own(account.id).in_session(session.id);
        self.journal.did(&tx, tenant, origin, EventKind::LoggedIn, about).await?;
        tx.commit().await?;
        Ok(opened)
    }
}
