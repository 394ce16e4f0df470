use crate::{
    runtime::{Clock, Entropy},
    store::{Store, account, account::Account, registration, reserved_username},
    usecase::{About, Failure, Journal, Letter, Origin, Post},
};
use countersign_domain::{
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
    pub store: Store,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
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
    pub async fn run(&self, origin: &Origin, wanted: NewAccount) -> Result<AccountId, Failure> {
        let (tenant, now) = (origin.tenant(), self.clock.now());
        let new = Account {
            id: AccountId::new(now, self.entropy.bytes()),
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
        let letter = Letter::new(MailTemplate::AccountCreated, new.locale, new.email.clone()).about(new.id.as_uuid());
        let tx = self.store.begin().await?;
        if let Some(username) = &new.username
            && reserved_username::is_taken(&tx, tenant, username, now).await?
        {
            return Err(username_taken());
        }
        account::insert(&tx, tenant, &new).await.map_err(|fault| {
            if fault.is_conflict_on("email_normalised") {
                Failure::from(Reason::EmailTaken)
            } else if fault.is_conflict_on("username_") {
                username_taken()
            } else {
                fault.into()
            }
        })?;
        // Whoever signed up with this address and waits has an account now.
        registration::delete_for_address(&tx, tenant, &new.email).await?;
        self.post.queue(&tx, tenant, letter, now).await?;
        self.journal.did(&tx, tenant, origin, EventKind::AccountCreated, About::target(Some(new.id))).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(new.id)
    }
}

fn username_taken() -> Failure {
    Refusal::from(Reason::UsernameTaken).with_violation("username", "", "is taken").into()
}
