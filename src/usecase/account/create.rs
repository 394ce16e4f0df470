use crate::{
    store::{account, registration, reserved_username},
    usecase::{EventSubject, Failure, Mail, Origin, UnitsOfWork},
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    display_name::DisplayName,
    email::EmailAddress,
    id::AccountId,
    locale::Locale,
    mail::MailTemplate,
    refusal::{Reason, Refusal},
    username::Username,
};

/// An operator makes an account for somebody, whether or not people may sign up.
///
/// It has no password, so nobody can use it until whoever reads its mail has set one with the mailed link.
#[derive(Clone, Debug)]
pub struct CreateAccount {
    pub work: UnitsOfWork,
}

/// Whom an account is made for.
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
    pub async fn create(&self, origin: &Origin, wanted: NewAccount) -> Result<AccountId, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let new = Account {
            id: AccountId::new(now, self.work.entropy.bytes()),
            tenant,
            email: wanted.email,
            // The operator vouches for it, and the link that sets the password goes nowhere else.
            email_verified_at: now,
            username: wanted.username,
            display_name: wanted.display_name.as_str().to_owned(),
            locale: wanted.locale,
            password_hash: None,
            password_failures: 0,
            password_version: 0,
            password_changed_at: now,
            disabled_at: None,
            created_at: now,
        };
        let unit = self.work.begin(origin, tenant).await?;
        if let Some(username) = &new.username
            && reserved_username::is_taken(unit.db(), tenant, username, now).await?
        {
            return Err(username_taken());
        }
        account::insert(unit.db(), tenant, &new).await.map_err(|fault| {
            if fault.is_conflict_on("email_normalised") {
                Failure::from(Reason::EmailTaken)
            } else if fault.is_conflict_on("username_") {
                username_taken()
            } else {
                fault.into()
            }
        })?;
        // Whoever signed up with this address and waits has an account now.
        registration::delete_for_address(unit.db(), tenant, &new.email).await?;
        unit.queue_mail(Mail::to_owner(MailTemplate::AccountCreated, &new)).await?;
        unit.record(EventKind::AccountCreated, EventSubject::target(Some(new.id))).await?;
        unit.commit().await?;
        Ok(new.id)
    }
}

fn username_taken() -> Failure {
    Refusal::from(Reason::UsernameTaken).with_violation("username", "", "is taken").into()
}
