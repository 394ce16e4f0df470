use crate::{
    mail::{Composer, SendFault, Transport},
    store::{Store, outbox_report, outbox_report::OutboxCount},
    usecase::Failure,
};
use countersign_domain::time::Timestamp;

/// Reports whether mail can be sent, and the states of the mails, for an operator at a terminal.
#[derive(Debug)]
pub struct MailStatus {
    pub store: Store,
    pub composer: Composer,
    pub transport: Transport,
}

/// More reasons than anybody reads.
const REASONS: u64 = 100;

#[derive(Clone, Debug)]
pub struct MailReport {
    /// Where mails go: the mail server, or the mail folder.
    pub place: String,
    /// The result of a probe of the transport now: only faults that concern every mail.
    pub answer: Result<(), SendFault>,
    /// By outcome: `waiting`, `sent`, `dropped`, `expired`, `dead`. Successful ones are deleted after a week.
    pub states: Vec<MailState>,
}

#[derive(Clone, Debug)]
pub struct MailState {
    pub name: String,
    pub mails: i64,
    pub oldest: Timestamp,
    pub last_finished: Option<Timestamp>,
    /// The last errors and how many mails have each, the most frequent first.
    pub reasons: Vec<(String, i64)>,
}

impl MailStatus {
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.status", skip_all)]
    pub async fn report(&self) -> Result<MailReport, Failure> {
        let counts = outbox_report::counts(&self.store.read(), REASONS).await?;
        let answer = self.transport.probe(self.composer.sender()).await;
        Ok(MailReport { place: self.transport.place(), answer, states: states(counts) })
    }
}

fn states(counts: Vec<OutboxCount>) -> Vec<MailState> {
    let mut states: Vec<MailState> = Vec::new();
    for count in counts {
        let name = count.outcome.unwrap_or_else(|| "waiting".to_owned());
        let oldest = Timestamp::from_micros(count.oldest);
        let last_finished = count.last_finished.map(Timestamp::from_micros);
        let reason = count.last_error.map(|error| (error, count.mails));
        match states.iter_mut().find(|state| state.name == name) {
            Some(state) => {
                state.mails += count.mails;
                state.oldest = state.oldest.min(oldest);
                state.last_finished = state.last_finished.max(last_finished);
                state.reasons.extend(reason);
            }
            None => {
                let reasons = reason.into_iter().collect();
                states.push(MailState { name, mails: count.mails, oldest, last_finished, reasons });
            }
        }
    }
    states.sort_by(|left, right| left.name.cmp(&right.name));
    states
}
