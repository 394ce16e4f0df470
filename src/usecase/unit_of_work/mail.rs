use crate::store::outbox::OutboxMail;
use countersign_domain::{
    account::Account,
    email::EmailAddress,
    id::{MailId, TenantId},
    locale::Locale,
    mail::MailTemplate,
    risk::ClientObservation,
    time::Timestamp,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A mail to queue.
#[derive(Clone, Debug)]
pub struct Mail {
    template: MailTemplate,
    locale: Locale,
    recipient: EmailAddress,
    /// The registration or account that the mail is about.
    subject: Option<Uuid>,
    /// Other values for the template; never a secret.
    details: BTreeMap<String, String>,
}

impl Mail {
    pub fn new(template: MailTemplate, locale: Locale, recipient: EmailAddress) -> Self {
        Self { template, locale, recipient, subject: None, details: BTreeMap::new() }
    }

    /// A mail to the owner of an account.
    pub fn to_owner(template: MailTemplate, account: &Account) -> Self {
        Self::new(template, account.locale, account.email.clone()).about(account.id.as_uuid())
    }

    /// A mail to the owner of an account, about a client that uses it. The mail shows the user agent only as far as the
    /// service can parse it.
    pub fn of_client(template: MailTemplate, account: &Account, seen: &ClientObservation, address: &str) -> Self {
        let place = seen.place.map_or_else(String::new, |place| place.to_string());
        Self::to_owner(template, account)
            .with("device", seen.signals.program.to_string())
            .with("place", place)
            .with("client_address", address)
    }

    #[must_use]
    pub fn about(mut self, subject: Uuid) -> Self {
        self.subject = Some(subject);
        self
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn queued(self, id: MailId, tenant: TenantId, now: Timestamp) -> OutboxMail {
        let Self { template, locale, recipient, subject, details } = self;
        OutboxMail { id, tenant, template, locale, recipient, subject, details, created_at: now, attempts: 0 }
    }
}
