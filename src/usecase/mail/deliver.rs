use super::{MailServerWatch, PrepareMail, Round};
use crate::{
    mail::{ComposeFault, Composer, Renderer, SendFault, SendFaultKind, Transport},
    runtime::{Clock, Entropy},
    store::{
        Store, StoreFault, outbox,
        outbox::{MailOutcome, OutboxMail, UnreadableMail},
    },
    telemetry,
};
use countersign_domain::{backoff, mail_server::MailStep};
use futures_util::future::join_all;
use std::{fmt, sync::Arc, time::Duration};

/// Sends the mails that are due.
///
/// A mail is sent at least once: if the process dies after the server took a mail, the mail is sent again with the same
/// Message-ID. A mail ends when it was sent; when its recipient is refused for good, or its content several times; or
/// when its purpose has expired. No fault that other mails share ends it ([`countersign_domain::mail_server`]).
#[derive(Clone)]
pub struct DeliverMail {
    pub store: Store,
    pub prepare: PrepareMail,
    pub renderer: Arc<Renderer>,
    pub composer: Arc<Composer>,
    pub transport: Arc<Transport>,
    pub watch: MailServerWatch,
    pub clock: Clock,
    pub entropy: Entropy,
    /// Attempts before a mail whose content is refused is given up.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// The result of a round of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub sent: usize,
    pub postponed: usize,
    /// Dropped, expired or given up.
    pub ended: usize,
}

/// The most mails that are sent at once.
const BATCH: u64 = 8;
/// Time to prepare a mail and to store the outcome, besides the sending itself.
const LEASE_MARGIN: Duration = Duration::from_secs(60);

enum Fate {
    Sent,
    Ended(MailOutcome),
    Failed(SendFault),
}

impl DeliverMail {
    /// Sends one round: at most [`BATCH`] mails, or none while the server has trouble.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.deliver", skip_all)]
    pub async fn deliver(&self) -> Result<Delivered, StoreFault> {
        let round = match self.watch.step(self.clock.now()) {
            MailStep::Wait => return Ok(Delivered::default()),
            MailStep::Send => Round::Usual,
            MailStep::Probe => {
                if let Err(fault) = self.transport.probe(self.composer.sender()).await {
                    self.watch.failed(&fault, self.clock.now(), self.random());
                    return Ok(Delivered::default());
                }
                Round::AfterProbe
            }
        };
        let claimed = outbox::claim(&self.store.write(), self.clock.now(), self.limit(), BATCH).await?;
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
        let mut failed = Vec::new();
        for (job, fate) in jobs.iter().zip(join_all(jobs.iter().map(|job| self.deliver_one(job))).await) {
            match fate? {
                Fate::Sent => delivered.sent += 1,
                Fate::Ended(_) => delivered.ended += 1,
                Fate::Failed(fault) => failed.push((job, fault)),
            }
        }
        self.take_note(round, delivered.sent > 0, &failed);
        for (job, fault) in failed {
            match self.note_failure(job, &fault, delivered.sent > 0).await? {
                true => delivered.ended += 1,
                false => delivered.postponed += 1,
            }
        }
        Ok(delivered)
    }

    /// The time limit of a round. It is the lease of its mails: a round that runs longer may send a mail twice.
    pub fn limit(&self) -> Duration {
        self.timeout + LEASE_MARGIN
    }

    /// Gives up a row that this release cannot read, so that it does not delay the others. An operator sees it, and may
    /// requeue it after an upgrade.
    async fn give_up(&self, mail: UnreadableMail) -> Result<(), StoreFault> {
        tracing::error!(mail = %mail.id, "a mail in the outbox cannot be read by this release");
        let why = Some("this release cannot read it");
        outbox::finish(&self.store.write(), mail.tenant, mail.id, MailOutcome::Dead, why, self.clock.now()).await
    }

    /// Records what a round shows about the server. A server that takes some mails has no trouble that concerns all.
    fn take_note(&self, round: Round, accepted: bool, failed: &[(&OutboxMail, SendFault)]) {
        let now = self.clock.now();
        let trouble = failed.iter().find(|(_, fault)| fault.kind == SendFaultKind::Server);
        match trouble {
            _ if accepted => self.watch.accepted(now),
            Some((_, fault)) => self.watch.failed(fault, now, self.random()),
            None if round == Round::AfterProbe => self.watch.recovered(now),
            None => {}
        }
    }

    /// Sends one mail and, if it ended, stores the outcome.
    async fn deliver_one(&self, job: &OutboxMail) -> Result<Fate, StoreFault> {
        let now = self.clock.now();
        let fate = if job.is_over(now) { Fate::Ended(MailOutcome::Expired) } else { self.send(job).await };
        let outcome = match &fate {
            Fate::Sent => MailOutcome::Sent,
            Fate::Ended(outcome) => *outcome,
            Fate::Failed(_) => return Ok(fate),
        };
        if outcome == MailOutcome::Expired {
            tracing::warn!(template = job.template.name(), mail = %job.id, "a mail expired before it could be sent");
        }
        outbox::finish(&self.store.write(), job.tenant, job.id, outcome, None, self.clock.now()).await?;
        telemetry::count_mail(job.template.name(), outcome.name());
        Ok(fate)
    }

    async fn send(&self, job: &OutboxMail) -> Fate {
        let fault = |kind, detail: String| Fate::Failed(SendFault { kind, detail });
        let mail = match self.prepare.prepare(job).await {
            Ok(Some(mail)) => mail,
            Ok(None) => return Fate::Ended(MailOutcome::Dropped),
            Err(failure) => return fault(SendFaultKind::Transient, failure.to_string()),
        };
        let rendered = match self.renderer.render(mail.template, mail.locale, &mail.values) {
            Ok(rendered) => rendered,
            Err(broken) => return fault(SendFaultKind::Transient, broken.to_string()),
        };
        let composed = match self.composer.compose(job.id, &mail.recipient, self.clock.now(), &rendered) {
            Ok(composed) => composed,
            Err(refused @ ComposeFault::InvalidRecipient) => {
                return fault(SendFaultKind::Permanent, refused.to_string());
            }
            // A missing signature or a template that is too large is not the fault of this mail.
            Err(shared) => return fault(SendFaultKind::Transient, shared.to_string()),
        };
        match self.transport.send(&composed).await {
            Ok(()) => Fate::Sent,
            Err(fault) => Fate::Failed(fault),
        }
    }

    /// Stores a failed attempt. Returns whether the mail ended with it.
    async fn note_failure(&self, job: &OutboxMail, fault: &SendFault, others_sent: bool) -> Result<bool, StoreFault> {
        let (db, now) = (self.store.write(), self.clock.now());
        let (template, mail, attempt, detail) = (job.template.name(), job.id, job.attempts, &fault.detail);
        let is_last = match fault.kind {
            SendFaultKind::Server if !others_sent => {
                // This fault is logged once, for the server, and not for each mail.
                outbox::put_back(&db, job.tenant, job.id, detail).await?;
                telemetry::count_mail(template, "held");
                return Ok(false);
            }
            SendFaultKind::Server | SendFaultKind::Transient => false,
            SendFaultKind::Doubtful => !self.watch.shares_refusal(job.id) && job.attempts >= self.max_attempts,
            SendFaultKind::Permanent => true,
        };
        if is_last {
            tracing::error!(
                template, %mail, attempt, detail,
                "a mail was given up and is dead: see `countersign mail outbox --dead`"
            );
            outbox::finish(&db, job.tenant, job.id, MailOutcome::Dead, Some(detail), now).await?;
            telemetry::count_mail(template, MailOutcome::Dead.name());
            return Ok(true);
        }
        let wait = match fault.kind {
            SendFaultKind::Server => backoff::mail_retry_at_age(now.since(job.created_at), self.random()),
            _ => backoff::mail_retry(job.attempts, self.random()),
        };
        tracing::warn!(
            template, %mail, attempt, detail, wait_seconds = wait.as_secs(),
            "a mail could not be sent; it is retried"
        );
        outbox::postpone(&db, job.tenant, job.id, now.plus(wait), detail).await?;
        telemetry::count_mail(template, "retried");
        Ok(false)
    }

    fn random(&self) -> u64 {
        u64::from_le_bytes(self.entropy.bytes())
    }
}

impl fmt::Debug for DeliverMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliverMail")
    }
}
