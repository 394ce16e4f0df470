//! The connection of a verifier to the service. An offline verifier has none.

use prost_types::Timestamp;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tonic::Code;

use crate::{
    credentials::{Account, Drawn},
    fault::{ConnectError, Fault},
    policy::StalePolicy,
    pulse::Pulse,
    recipient::Recipient,
    refetch::Refetch,
    shared::Shared,
};

/// The most introspections at the same time. Without a limit there would be as many as requests.
const QUESTIONS: usize = 64;

/// The connection to the service, and its state.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) account: Account,
    pub(crate) pulse: Pulse,
    pub(crate) policy: StalePolicy,
    pub(crate) refetch: Refetch,
    pub(crate) progress: Progress,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) most_revocations: usize,
    pub(crate) questions: Semaphore,
}

impl Link {
    pub(crate) fn new(
        account: Account,
        policy: StalePolicy,
        recipients: Vec<Recipient>,
        most_revocations: usize,
    ) -> Self {
        Self {
            account,
            pulse: Pulse::new(),
            policy,
            refetch: Refetch::new(),
            progress: Progress(watch::Sender::new(Stage::default())),
            recipients,
            most_revocations,
            questions: Semaphore::new(QUESTIONS),
        }
    }

    /// Notes that every revocation up to now was received.
    pub(crate) fn heard(&self, shared: &Shared) {
        if self.pulse.beat(shared.clock.monotonic()) {
            tracing::info!("the revocation feed is connected and complete");
            shared.observe(|observer| observer.feed_connected());
            self.progress.revocations();
        }
    }

    pub(crate) fn clocks(&self, server: &Timestamp, shared: &Shared) {
        let here = shared.clock.unix_millis();
        let server = server.seconds.saturating_mul(1000).saturating_add(i64::from(server.nanos) / 1_000_000);
        self.pulse.clocks(server, here, shared.clock.monotonic());
        let behind = Duration::from_millis(u64::try_from(here.saturating_sub(server)).unwrap_or(0));
        shared.observe(|observer| observer.feed_heard(behind));
    }

    /// Revocations that expire up to this second can be dropped.
    ///
    /// The service's own time decides: by the wall clock, one that jumps ahead and back would drop revocations that are
    /// not sent again. But if the wall clock is behind, tokens are valid for longer by it, so their revocations are
    /// kept for longer as well.
    pub(crate) fn over(&self, shared: &Shared) -> i64 {
        let at_the_service = self.pulse.service_seconds(shared.clock.monotonic());
        at_the_service.map_or(i64::MIN, |seconds| seconds.min(shared.clock.unix_seconds()))
    }

    /// Whether the last message is older than the policy allows.
    pub(crate) fn is_stale(&self, now: Duration) -> bool {
        let Some(patience) = self.policy.patience() else { return false };
        self.pulse.age(now).is_none_or(|age| age > patience)
    }
}

/// The progress of a new verifier.
#[derive(Debug)]
pub(crate) struct Progress(watch::Sender<Stage>);

#[derive(Clone, Copy, Debug, Default)]
struct Stage {
    keys: bool,
    revocations: bool,
    refused: Option<Refused>,
    last: Option<Fault>,
}

#[derive(Clone, Copy, Debug)]
enum Refused {
    Credentials(Fault),
    Audience(Fault),
}

impl Progress {
    pub(crate) fn keys(&self) {
        self.0.send_modify(|stage| stage.keys = true);
    }

    fn revocations(&self) {
        self.0.send_modify(|stage| stage.revocations = true);
    }

    pub(crate) fn failed(&self, fault: Fault) {
        self.0.send_modify(|stage| stage.last = Some(fault));
    }

    pub(crate) fn drawn(&self, drawn: Drawn) {
        self.0.send_modify(|stage| match drawn {
            Drawn::Refused(fault @ Fault::Refused(Code::Unauthenticated)) => {
                stage.refused = Some(Refused::Credentials(fault));
            }
            // The credentials are valid: they may not have the audience.
            Drawn::Refused(fault) => stage.refused = Some(Refused::Audience(fault)),
            Drawn::Failed(fault) => stage.last = Some(fault),
        });
    }

    pub(crate) fn audience_refused(&self, fault: Fault) {
        self.0.send_modify(|stage| stage.refused = Some(Refused::Audience(fault)));
    }

    /// Waits for keys and for a complete feed.
    pub(crate) async fn ready(&self, patience: Duration) -> Result<(), ConnectError> {
        let mut stages = self.0.subscribe();
        let done = stages.wait_for(|stage| stage.refused.is_some() || stage.keys && stage.revocations);
        let stage = match tokio::time::timeout(patience, done).await {
            Ok(Ok(stage)) => *stage,
            Ok(Err(_)) => return Err(ConnectError::TimedOut(None)),
            Err(_) => return Err(ConnectError::TimedOut(self.0.borrow().last)),
        };
        match stage.refused {
            Some(Refused::Credentials(fault)) => Err(ConnectError::CredentialsRefused(fault)),
            Some(Refused::Audience(fault)) => Err(ConnectError::AudienceRefused(fault)),
            None => Ok(()),
        }
    }
}
