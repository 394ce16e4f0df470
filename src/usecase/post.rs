use crate::{
    cache::{Topic, WakeUps},
    runtime::Entropy,
    store::{Executor, StoreFault, account::Account, outbox},
};
use countersign_domain::{
    email::EmailAddress,
    id::{MailId, TenantId},
    locale::Locale,
    mail::MailTemplate,
    risk::Sighting,
    time::Timestamp,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Posts mails: queues them in the transaction of the act that causes them.
#[derive(Clone, Debug)]
pub struct Post {
    pub entropy: Entropy,
    pub wakeups: WakeUps,
}

/// A mail to post.
#[derive(Clone, Debug)]
pub struct Letter {
    pub template: MailTemplate,
    pub locale: Locale,
    pub recipient: EmailAddress,
    /// The registration or account it tells of.
    pub subject: Option<Uuid>,
    /// What the template shows besides; never a secret.
    pub details: BTreeMap<String, String>,
}

impl Letter {
    pub fn new(template: MailTemplate, locale: Locale, recipient: EmailAddress) -> Self {
        Self { template, locale, recipient, subject: None, details: BTreeMap::new() }
    }

    /// To the owner of an account, about a client that uses it. What a client says of itself is shown as far as we understand it, and
    /// no further.
    pub fn of_client(template: MailTemplate, account: &Account, seen: &Sighting, address: &str) -> Self {
        let place = seen.place.map_or_else(String::new, |place| place.to_string());
        Self::new(template, account.locale, account.email.clone())
            .about(account.id.as_uuid())
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
}

impl Post {
    /// Queues a mail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue(
        &self,
        tx: &impl Executor,
        tenant: TenantId,
        letter: Letter,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let mail = outbox::OutboxMail {
            id: MailId::new(now, self.entropy.bytes()),
            tenant,
            template: letter.template,
            locale: letter.locale,
            recipient: letter.recipient,
            subject: letter.subject,
            details: letter.details,
            created_at: now,
            attempts: 0,
        };
        outbox::enqueue(tx, tenant, &mail).await
    }

    /// Says that mail was queued, once the transaction is over.
    pub fn collect(&self) {
        self.wakeups.ring(Topic::Outbox);
    }
}
