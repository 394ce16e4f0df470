use crate::{
    cache::Limiter,
    keys::KeyRing,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    account::Account,
    email::EmailAddress,
    id::{AccountId, ServiceId, SessionId, TenantId},
    limit::{Draw, Limit, LimitKey},
    refusal::{Reason, Refusal},
};
use std::{net::IpAddr, sync::Arc};

/// How much a login draws from the limit of its address before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginDraw {
    Whole,
    /// The login presents a device token or a captcha. Whether either is valid is checked later, and the rest is drawn
    /// then.
    Light,
}

impl LoginDraw {
    pub fn of(shows_something: bool) -> Self {
        if shows_something { Self::Light } else { Self::Whole }
    }
}

/// Refuses callers who exceed a rate limit. The limits are those of [`Limit`].
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Counts the calls to all replicas.
    pub shared: Limiter,
    /// Counts the calls to this process.
    pub own: Limiter,
    pub ring: Arc<KeyRing>,
}

/// What a call has drawn from its limits.
#[derive(Debug)]
pub struct Drawn(Vec<Draw>);

impl Drawn {
    /// Only the draws for the mail that was not sent.
    #[must_use]
    pub fn mails(self) -> Self {
        let is_mail = |draw: &Draw| matches!(draw.limit, Limit::MailsPerIp | Limit::MailsPerRecipient);
        Self(self.0.into_iter().filter(is_mail).collect())
    }
}

impl Throttle {
    /// Draws for a call, before anything else.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn call(&self, origin: &Origin) -> Result<(), Failure> {
        self.take(from(origin, Limit::CallsPerIp).as_slice()).await
    }

    /// Draws for a call whose tenant is known, and for its account if there is one.
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

    /// Draws the rest of a whole login for a light one. When the rest is refused, the light draw is given back, so that
    /// a retry after the wait finds both.
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

    /// Draws for a link or a code that is tried.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn attempt(&self, origin: &Origin) -> Result<(), Failure> {
        self.take(from(origin, Limit::RedemptionsPerIp).as_slice()).await
    }

    /// Draws for a registration and the mail that it causes.
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

    /// Gives back what a call has drawn: the call had no effect, and the caller will correct and repeat it.
    pub async fn give_back(&self, drawn: Drawn) {
        self.shared.give_back(&drawn.0).await;
    }

    /// Draws for a comparison with former passwords: the answer says whether a password was among them.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn past_passwords(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::PasswordHistoryChecksPerAccount, account)]).await
    }

    /// Draws for the request of a mail. It needs no query for the account of the recipient.
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

    /// # Errors
    /// RATE_LIMITED.
    pub async fn totp_start(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::TotpStartsPerAccount, account)]).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn totp_confirmation(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::TotpConfirmationsPerAccount, account)]).await
    }

    /// # Errors
    /// RATE_LIMITED.
    pub async fn factor_change(&self, account: AccountId) -> Result<(), Failure> {
        self.take(&[Draw::one(Limit::FactorChangesPerAccount, account)]).await
    }

    /// Whether the owner of an account gets another mail about a login from a new device or place.
    pub async fn tells_of_login(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::NewLoginMailsPerAccount, account)]).await.is_ok()
    }

    /// Whether the owner of an account gets another mail about a wrong second factor.
    pub async fn tells_of_failed_factor(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::FailedFactorMailsPerAccount, account)]).await.is_ok()
    }

    /// Draws for a mail with the code that a login needs.
    ///
    /// # Errors
    /// RATE_LIMITED.
    pub async fn login_code_mail(&self, account: &Account) -> Result<Drawn, Failure> {
        // Whoever stole the former password draws from another quota than its owner with a new one.
        let version = account.password_version.to_be_bytes();
        let tag = self.ring.mac().tag("limit: login code", &[account.id.as_bytes(), &version]);
        let draws = vec![Draw::one(Limit::LoginCodeMailsPerAccount, LimitKey::mac(tag))];
        self.take(&draws).await?;
        Ok(Drawn(draws))
    }

    /// Whether the owner of an account gets another mail about a passkey that was copied.
    pub async fn tells_of_copy(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::PasskeyCopyMailsPerAccount, account)]).await.is_ok()
    }

    /// Whether the owner of an account gets another mail about another client in a session.
    pub async fn tells_of_client(&self, account: AccountId) -> bool {
        self.take(&[Draw::one(Limit::ClientChangeMailsPerAccount, account)]).await.is_ok()
    }

    /// Whether another refusal of a known caller leaves an event.
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

    /// Draws for the mailbox: the reader of a mailbox gets the mails to all spellings of its address. The counters
    /// depend on the present key: when an operator replaces the key, they begin again at zero.
    fn to(&self, tenant: TenantId, recipient: &EmailAddress) -> Draw {
        let tenant = tenant.as_uuid().into_bytes();
        let tag = self.ring.mac().tag("limit: recipient", &[&tenant, recipient.mailbox().as_bytes()]);
        Draw::one(Limit::MailsPerRecipient, LimitKey::mac(tag))
    }

    /// All draws of one call are counted by one limiter.
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

/// `None` for a call from a terminal of this machine.
fn from(origin: &Origin, limit: Limit) -> Option<Draw> {
    Some(Draw::one(limit, origin.address.parse::<IpAddr>().ok()?))
}
