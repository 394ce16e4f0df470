use crate::{mail::SendFault, telemetry};
use countersign_domain::{
    id::MailId,
    mail_server::{MailServerHealth, MailStep, Told},
    time::Timestamp,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The state of the mail server as this process knows it. Operators see it in the log and in a metric.
#[derive(Clone, Debug, Default)]
pub struct MailServerWatch(Arc<Mutex<MailServerHealth>>);

/// What happened before a round of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Usual,
    /// The server had trouble, and a probe found that it takes mail again.
    AfterProbe,
}

impl MailServerWatch {
    pub(super) fn step(&self, now: Timestamp) -> MailStep {
        let health = self.health();
        telemetry::set_mail_trouble(health.trouble_age(now));
        health.step(now)
    }

    pub(super) fn failed(&self, fault: &SendFault, now: Timestamp, random: u64) {
        let mut health = self.health();
        let (told, detail) = (health.failed(now, random), &fault.detail);
        let seconds = health.trouble_age(now).as_secs();
        telemetry::set_mail_trouble(health.trouble_age(now));
        match told {
            Told::Quietly => tracing::warn!(detail, seconds, "the mail server takes no mail; all mails wait"),
            Told::Loudly => tracing::error!(detail, seconds, "the mail server takes no mail; all mails wait"),
        }
    }

    pub(super) fn accepted(&self, now: Timestamp) {
        self.health().accepted();
        self.recovered(now);
    }

    pub(super) fn recovered(&self, now: Timestamp) {
        if let Some(trouble) = self.health().recovered(now) {
            telemetry::set_mail_trouble(std::time::Duration::ZERO);
            tracing::info!(seconds = trouble.as_secs(), "the mail server takes mail again");
        }
    }

    /// Records a permanent refusal that may not be the fault of this mail. Returns whether other mails are refused
    /// alike.
    pub(super) fn shares_refusal(&self, mail: MailId) -> bool {
        self.health().refused_as_others_are(mail)
    }

    fn health(&self) -> MutexGuard<'_, MailServerHealth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
