use crate::{
    cache::Limiter,
    keys::KeyRing,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    email::EmailAddress,
    id::{AccountId, ServiceId, SessionId, TenantId},
    limit::{Draw, Limit, LimitKey},
    refusal::{Reason, Refusal},
};
use std::{net::IpAddr, sync::Arc};

/// What a login draws from its address before anything of it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginDraw {
    Whole,
    /// It shows a device or a captcha. Whether that is worth anything is found out later, and paid for then.
    Light,
}

impl LoginDraw {
    pub fn of(shows_something: bool) -> Self {
        if shows_something { Self::Light } else { Self::Whole }
    }
}

/// Turns away who calls too often. The limits are those of [`Limit`].
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Counts with all replicas.
    pub shared: Limiter,
    /// Counts what this process is asked.
    pub own: Limiter,
    pub ring: Arc<KeyRing>,
}

/// What a call has drawn.
#[derive(Debug)]
pub struct Drawn(Vec<Draw>);

impl Drawn {
    /// Of it, what stands for the mail that would have been sent.
    #[must_use]
    pub fn mails(self) -> Self {
        let is_mail = |draw: &Draw| matches!(draw.limit, Limit::MailsPerIp | Limit::MailsPerRecipient);
        Self(self.0.into_iter().filter(is_mail).collect())
    }
}

impl Throttle {
    /// A call, before anything of it is looked at.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn call(&self, origin: &Origin) -> Result<(), Failure> {
        self.take(from(origin, Limit::CallsPerIp).as_slice()).await
    }

    /// A call whose tenant is known, and its account if it has one.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn caller(&self, tenant: TenantId, account: Option<AccountId>) -> Result<(), Failure> {
        let tenant = Draw::one(Limit::CallsPerTenant, tenant);
        match account {
            Some(account) => self.take(&[tenant, Draw::one(Limit::CallsPerAccount, account)]).await,
            None => self.take(&[tenant]).await,
        }
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn login(&self, origin: &Origin, draw: LoginDraw) -> Result<(), Failure> {
        let whole = from(origin, Limit::LoginsPerIp);
        let drawn = match draw {
            LoginDraw::Whole => whole,
            LoginDraw::Light => whole.map(Draw::light),
        };
        self.take(drawn.as_slice()).await
    }

    /// What a light login left to a whole one. Where that is refused, the light one is given back: whoever comes again
    /// when told finds both.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn rest_of_login(&self, origin: &Origin) -> Result<Drawn, Failure> {
        let whole = from(origin, Limit::LoginsPerIp);
        let rest = Drawn(whole.map(Draw::rest).into_iter().collect());
        if let Err(refused) = self.take(&rest.0).await {
            self.shared.give_back(whole.map(Draw::light).as_slice()).await;
            return Err(refused);
        }
        Ok(rest)
    }

    /// A link or a code is tried.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn attempt(&self, origin: &Origin) -> Result<(), Failure> {
        self.take(from(origin, Limit::RedemptionsPerIp).as_slice()).await
    }

    /// A registration: what it may cost, and the mail that it causes.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn registration(&self, origin: &Origin, recipient: &EmailAddress) -> Result<Drawn, Failure> {
        let limits = [Limit::RegistrationsPerIp, Limit::MailsPerIp];
        let draws = limits.into_iter().filter_map(|limit| from(origin, limit));
        let draws: Vec<_> = draws.chain([self.to(origin.tenant(), recipient)]).collect();
        self.take(&draws).await?;
        Ok(Drawn(draws))
    }

    /// Nothing came of a call, and whoever made it does it again, better: it is not counted.
    pub async fn give_back(&self, drawn: Drawn) {
        self.shared.give_back(&drawn.0).await;
    }

    /// A password is compared with former ones: whoever may try one is told whether it was among them.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn past_passwords(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::PasswordHistoryChecksPerAccount, account)]).await
    }

    /// A mail is asked for. Nobody looks whether its recipient is known.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn mail(&self, origin: &Origin, tenant: TenantId, recipient: &EmailAddress) -> Result<(), Failure> {
        let draws = from(origin, Limit::MailsPerIp).into_iter();
        self.take(&draws.chain([self.to(tenant, recipient)]).collect::<Vec<_>>()).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn password_change(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::PasswordChangesPerAccount, account)]).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn username_change(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::UsernameChangesPerAccount, account)]).await
    }

    /// Whether the owner of an account is to be told once more of a login that is news.
    pub async fn tells_of_login(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::NewLoginMailsPerAccount, account)]).await.is_ok()
    }

    /// Whether the owner of an account is to be told once more that a session has another client.
    pub async fn tells_of_client(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::ClientChangeMailsPerAccount, account)]).await.is_ok()
    }

    /// Whether one more refusal of a caller who is known leaves an event.
    pub async fn records_denial(&self, caller: LimitKey) -> bool {
        self.take(&[Draw::one(Limit::DeniedCallEventsPerCaller, caller)]).await.is_ok()
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn refresh(&self, session: SessionId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::RefreshesPerSession, session)]).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn service_token(&self, origin: &Origin) -> Result<(), Failure> {
        self.take(from(origin, Limit::ServiceTokensPerIp).as_slice()).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn introspection(&self, service: ServiceId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::IntrospectionsPerService, service)]).await
    }

    /// Counts the mailbox: whoever reads it gets the mails to all its spellings. Where an operator takes another key
    /// into use, what was counted under the one before is forgotten.
    fn to(&self, tenant: TenantId, recipient: &EmailAddress) -> Draw {
        let tenant = tenant.as_uuid().into_bytes();
        let tag = self.ring.mac().tag("limit: recipient", &[&tenant, recipient.mailbox().as_bytes()]);
        Draw::one(Limit::MailsPerRecipient, LimitKey::mac(tag))
    }

    /// What one call draws at once is counted in one place.
    async fn take(&self, draws: &[Draw]) -> Result<(), Failure> {
        let is_shared = draws.iter().any(|draw| draw.limit.is_shared());
        let limiter = if is_shared { &self.shared } else { &self.own };
        let taken = limiter.take(draws).await;
        taken.map_err(|refused| {
            tracing::debug!(limit = refused.limit.name(), "a call was refused by a rate limit");
            Refusal::from(Reason::RateLimited).retry_after(refused.retry_after).into()
        })
    }
}

/// `None` for a call from this machine's terminal.
fn from(origin: &Origin, limit: Limit) -> Option<Draw> {
    Some(Draw::one(limit, origin.address.parse::<IpAddr>().ok()?))
}
