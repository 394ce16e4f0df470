use super::open::{NotOpened, Opening, open, username_taken};
use crate::{
    store::reserved_username,
    usecase::{EventSubject, Failure, Mail, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind, display_name::DisplayName, email::EmailAddress, id::AccountId, locale::Locale,
    mail::MailTemplate, refusal::Reason, username::Username,
};

/// An operator creates an account for a person, even while sign-up is closed.
///
/// The account has no password: nobody can log in until its owner sets one with the mailed link.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    pub work: UnitsOfWork,
}

/// The account to create.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub display_name: DisplayName,
    pub locale: Locale,
}

impl CreateAccount {
    /// # Errors
    /// EMAIL_TAKEN, USERNAME_TAKEN.
    #[tracing::instrument(level = "debug", name = "account.create", skip_all)]
    pub async fn create(&self, origin: &Origin, new: NewAccount) -> Result<AccountId, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let opening = Opening {
            id: AccountId::new(now, self.work.entropy.bytes()),
            // The operator answers for the address, and the link that sets the password goes to that address alone.
            email: new.email,
            username: new.username,
            display_name: new.display_name.as_str().to_owned(),
            locale: new.locale,
            password_hash: None,
            password_changed_at: now,
        };
        let unit = self.work.begin(origin, tenant).await?;
        if let Some(username) = &opening.username
            && reserved_username::is_taken(unit.db(), tenant, username, now).await?
        {
            return Err(username_taken("username"));
        }
        let account = open(&unit, opening).await.map_err(|not| match not {
            NotOpened::EmailTaken => Reason::EmailTaken.into(),
            NotOpened::UsernameTaken => username_taken("username"),
            NotOpened::Store(fault) => fault.into(),
        })?;
        unit.queue_mail(Mail::to_owner(MailTemplate::AccountCreated, &account)).await?;
        unit.record(EventKind::AccountCreated, EventSubject::target(Some(account.id))).await?;
        unit.commit().await?;
        Ok(account.id)
    }
}
