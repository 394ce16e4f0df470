use crate::{
    mail::MailValues,
    runtime::Clock,
    store::{Store, account, challenge, challenge::FoundChallenge, outbox::OutboxMail, registration},
    usecase::{Failure, action::Mint, authentication::CHALLENGE, gate::EmailCodes},
};
use countersign_domain::{
    account::{Account, Identifier},
    action::ActionPurpose,
    email::EmailAddress,
    id::{AccountId, ChallengeId, RegistrationId},
    locale::Locale,
    login::Awaited,
    mail::MailTemplate,
};
use uuid::Uuid;

/// Decides at the moment of sending what a queued mail says, and to whom: whether the address has an account now,
/// whether the account may still get mail, and which new link the mail contains.
#[derive(Clone, Debug)]
pub struct PrepareMail {
    pub store: Store,
    pub mint: Mint,
    pub email_codes: EmailCodes,
    pub clock: Clock,
    /// The base URL of mailed links. It comes from the configuration alone.
    pub pages_url: String,
    /// The name of the service in mails, which is also the name of their sender.
    pub product: String,
}

/// A mail that can be rendered.
#[derive(Debug)]
pub struct PreparedMail {
    pub template: MailTemplate,
    pub locale: Locale,
    pub recipient: EmailAddress,
    pub values: MailValues,
}

impl PrepareMail {
    /// `None` when there is nothing left to say, or no recipient.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.prepare", skip_all)]
    pub async fn prepare(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        match job.template {
            MailTemplate::VerifyAddress | MailTemplate::AlreadyRegistered => self.verify_address(job).await,
            MailTemplate::AccountCreated => self.account_created(job).await,
            MailTemplate::ResetPassword => self.reset_password(job).await,
            MailTemplate::ConfirmNewAddress => self.confirm_new_address(job).await,
            MailTemplate::LoginCode => self.login_code(job).await,
            MailTemplate::AddressInUse
            | MailTemplate::AddressChanged
            | MailTemplate::PasswordChanged
            | MailTemplate::UsernameChanged
            | MailTemplate::SessionReused
            | MailTemplate::NewLogin
            | MailTemplate::ClientChanged
            | MailTemplate::PasswordDisabled
            | MailTemplate::FactorAdded
            | MailTemplate::FactorRemoved
            | MailTemplate::PasskeyAdded
            | MailTemplate::PasskeyRemoved
            | MailTemplate::PasskeyCopied
            | MailTemplate::FactorsReset
            | MailTemplate::BackupCodesRegenerated
            | MailTemplate::BackupCodeUsed
            | MailTemplate::SecondFactorFailed
            | MailTemplate::FactorLocked
            | MailTemplate::AccountDeleted => {
                // The recipient is the address that the account had at the time of the act: a thief who moved the
                // account must not get the mail instead.
                let mail = self.plain(job, job.template, job.locale, job.recipient.clone());
                Ok(Some(mail))
            }
        }
    }

    async fn verify_address(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        let db = self.store.read();
        if let Some(account) = self.account_at(job).await? {
            return Ok(self.to_owner(job, &account, MailTemplate::AlreadyRegistered));
        }
        let registration = match job.subject {
            Some(id) => registration::find(&db, job.tenant, RegistrationId::from_uuid(id)).await?,
            None => registration::find_newest(&db, job.tenant, &job.recipient).await?,
        };
        let Some(registration) = registration else { return Ok(None) };
        let mail = self.plain(job, MailTemplate::VerifyAddress, registration.locale, registration.email);
        self.add_link(job, ActionPurpose::VerifyAddress, registration.id.as_uuid(), mail).await
    }

    async fn reset_password(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        let Some(account) = self.account_at(job).await? else { return Ok(None) };
        let Some(mail) = self.to_owner(job, &account, MailTemplate::ResetPassword) else { return Ok(None) };
        self.add_link(job, ActionPurpose::ResetPassword, account.id.as_uuid(), mail).await
    }

    /// Only for an account without a password: with one, its owner needs no link to set it.
    async fn account_created(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        let account = self.account_at(job).await?.filter(|account| account.password_hash.is_none());
        let Some(account) = account.filter(|account| job.subject == Some(account.id.as_uuid())) else {
            return Ok(None);
        };
        let Some(mail) = self.to_owner(job, &account, MailTemplate::AccountCreated) else { return Ok(None) };
        self.add_link(job, ActionPurpose::ResetPassword, account.id.as_uuid(), mail).await
    }

    async fn confirm_new_address(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        let Some(id) = job.subject else { return Ok(None) };
        let account = account::find(&self.store.read(), job.tenant, AccountId::from_uuid(id)).await?;
        let Some(account) = account.filter(|account| !account.is_disabled()) else { return Ok(None) };
        if let Some(owner) = self.account_at(job).await?.filter(|owner| owner.id != account.id) {
            // The person who requested this address learns nothing about the account. The owner gets the mail, and may
            // be that person.
            return Ok(self.to_owner(job, &owner, MailTemplate::AddressInUse));
        }
        let mail = self.plain(job, MailTemplate::ConfirmNewAddress, account.locale, job.recipient.clone());
        self.add_link(job, ActionPurpose::ConfirmNewAddress, id, mail).await
    }

    /// Only while the login waits for the code.
    async fn login_code(&self, job: &OutboxMail) -> Result<Option<PreparedMail>, Failure> {
        let named = job.details.get(CHALLENGE).and_then(|id| id.parse::<ChallengeId>().ok());
        let (Some(id), now) = (named, self.clock.now()) else { return Ok(None) };
        let found = challenge::find(&self.store.read(), job.tenant, id).await?;
        let Some(FoundChallenge { stored, account, .. }) = found else { return Ok(None) };
        if stored.challenge.accepts(Awaited::EmailCode, &account, now).is_err() {
            return Ok(None);
        }
        let Some(mut mail) = self.to_owner(job, &account, MailTemplate::LoginCode) else { return Ok(None) };
        mail.values.code = Some(self.email_codes.code(id).shown());
        mail.values.code_life = Some(stored.challenge.expires_at.since(now));
        Ok(Some(mail))
    }

    async fn account_at(&self, job: &OutboxMail) -> Result<Option<Account>, Failure> {
        let identifier = Identifier::Email(job.recipient.clone());
        Ok(account::find_by_identifier(&self.store.read(), job.tenant, &identifier).await?)
    }

    /// A mail to the stored address, never to the typed one: two addresses that compare as equal may be two mailboxes.
    fn to_owner(&self, job: &OutboxMail, account: &Account, template: MailTemplate) -> Option<PreparedMail> {
        (!account.is_disabled()).then(|| self.plain(job, template, account.locale, account.email.clone()))
    }

    fn plain(&self, job: &OutboxMail, template: MailTemplate, locale: Locale, recipient: EmailAddress) -> PreparedMail {
        let detail = |name: &str| job.details.get(name).filter(|text| !text.is_empty()).cloned();
        let values = MailValues {
            product: self.product.clone(),
            address: recipient.as_str().to_owned(),
            link: None,
            link_life: None,
            code: None,
            code_life: None,
            new_address: detail("new_address"),
            occurred_at: job.created_at,
            device: detail("device"),
            place: detail("place"),
            client_address: detail("client_address"),
            codes_left: detail("codes_left"),
            request_url: self.pages_url.clone(),
        };
        PreparedMail { template, locale, recipient, values }
    }

    async fn add_link(
        &self,
        job: &OutboxMail,
        purpose: ActionPurpose,
        subject: Uuid,
        mut mail: PreparedMail,
    ) -> Result<Option<PreparedMail>, Failure> {
        let minted = self.mint.mint(job, purpose, subject, &mail.recipient, self.clock.now()).await?;
        let Some(minted) = minted else { return Ok(None) };
        let page = match purpose {
            ActionPurpose::VerifyAddress => "verify",
            ActionPurpose::ResetPassword => "reset",
            ActionPurpose::ConfirmNewAddress => "confirm-email",
        };
        // The token is in the fragment, which browsers send to no server: no log and no Referer header ever holds a
        // token.
        let link = format!("{}{page}#token={}", self.pages_url, minted.token.reveal());
        mail.values.link = Some(link.into());
        mail.values.link_life = Some(minted.token_life);
        mail.values.code = Some(minted.code.shown());
        mail.values.code_life = Some(minted.code_life);
        Ok(Some(mail))
    }
}
