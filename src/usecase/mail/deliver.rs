use super::PrepareMail;
use crate::{
    mail::{Composer, Renderer, SendFault, SendFaultKind, Transport},
    runtime::{Clock, Entropy},
    store::{
        Store, StoreFault, outbox,
        outbox::{MailOutcome, OutboxMail, UnreadableMail},
    },
    telemetry,
};
use countersign_domain::backoff::mail_retry;
use futures_util::future::join_all;
use std::{fmt, sync::Arc, time::Duration};

/// Sends the mails that are due.
///
/// A mail is sent at least once: a sender that dies after the server took it sends it again, under the same Message-ID.
#[derive(Clone)]
pub struct DeliverMail {
    pub store: Store,
    pub prepare: PrepareMail,
    pub renderer: Arc<Renderer>,
    pub composer: Arc<Composer>,
    pub transport: Arc<Transport>,
    pub clock: Clock,
    pub entropy: Entropy,
    /// Attempts before a mail is given up.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// What a round of sending came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    pub postponed: usize,
    /// Dropped or given up.
    pub ended: usize,
}

/// How many mails are on their way at once.
const BATCH: u64 = 8;
/// What preparing and noting the outcome may take beside the sending itself.
const LEASE_MARGIN: Duration = Duration::from_secs(60);

enum Fate {
    Sent,
    Dropped,
    Failed(SendFault),
}

impl DeliverMail {
    /// One round: at most [`BATCH`] mails.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self) -> Result<Delivered, StoreFault> {
        let lease = self.timeout + LEASE_MARGIN;
        let claimed = outbox::claim(&self.store.write(), self.clock.now(), lease, BATCH).await?;
        let mut delivered = Delivered::default();
        let mut jobs = Vec::with_capacity(claimed.len());
        for mail in claimed {
            match mail {
                Ok(job) => jobs.push(job),
                Err(unreadable) => {
                    self.give_up(unreadable).await?;
                    delivered.ended += 1;
                }
            }
        }
        for ended in join_all(jobs.iter().map(|job| self.deliver(job))).await {
            match ended? {
                "sent" => delivered.sent += 1,
                "retried" => delivered.postponed += 1,
                _ => delivered.ended += 1,
            }
        }
        Ok(delivered)
    }

    /// A row nobody here can read must not hold up the others. An operator sees it, and may requeue it after an upgrade.
    async fn give_up(&self, mail: UnreadableMail) -> Result<(), StoreFault> {
        tracing::error!(mail = %mail.id, "a row of the outbox cannot be read by this release");
        let why = Some("this release cannot read it");
        outbox::finish(&self.store.write(), mail.tenant, mail.id, MailOutcome::Dead, why, self.clock.now()).await
    }

    /// Sends one mail and notes how that went; returns it in a word.
    async fn deliver(&self, job: &OutboxMail) -> Result<&'static str, StoreFault> {
        let db = self.store.write();
        let (outcome, error) = match self.send(job).await {
            Fate::Sent => (MailOutcome::Sent, None),
            Fate::Dropped => (MailOutcome::Dropped, None),
            Fate::Failed(fault) => {
                let is_last = job.attempts >= self.max_attempts && fault.kind != SendFaultKind::Configuration;
                let (template, mail, attempt, detail) = (job.template.name(), job.id, job.attempts, &fault.detail);
                if !is_last && fault.kind != SendFaultKind::Permanent {
                    let wait = mail_retry(job.attempts, u64::from_le_bytes(self.entropy.bytes()));
                    tracing::warn!(template, %mail, attempt, detail, wait_seconds = wait.as_secs(), "a mail could not be sent yet");
                    outbox::postpone(&db, job.tenant, job.id, self.clock.now().plus(wait), detail).await?;
                    telemetry::count_mail(template, "retried");
                    return Ok("retried");
                }
                tracing::error!(template, %mail, attempt, detail, "a mail was given up");
                (MailOutcome::Dead, Some(fault.detail))
            }
        };
        outbox::finish(&db, job.tenant, job.id, outcome, error.as_deref(), self.clock.now()).await?;
        telemetry::count_mail(job.template.name(), outcome.name());
        Ok(outcome.name())
    }

    async fn send(&self, job: &OutboxMail) -> Fate {
        let transient = |detail: String| Fate::Failed(SendFault { kind: SendFaultKind::Transient, detail });
        let mail = match self.prepare.run(job).await {
            Ok(Some(mail)) => mail,
            Ok(None) => return Fate::Dropped,
            Err(failure) => return transient(failure.to_string()),
        };
        let rendered = match self.renderer.render(mail.template, mail.locale, &mail.values) {
            Ok(rendered) => rendered,
            Err(fault) => return transient(fault.to_string()),
        };
        let composed = match self.composer.compose(job.id, &mail.recipient, self.clock.now(), &rendered) {
            Ok(composed) => composed,
            Err(fault) => {
                return Fate::Failed(SendFault { kind: SendFaultKind::Permanent, detail: fault.to_string() });
            }
        };
        match self.transport.send(&composed).await {
            Ok(()) => Fate::Sent,
            Err(fault) => Fate::Failed(fault),
        }
    }
}

impl fmt::Debug for DeliverMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliverMail")
    }
}
