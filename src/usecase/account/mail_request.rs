use crate::{
    runtime::Clock,
    store::Store,
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{Repeats, Throttle},
    },
};
use countersign_domain::{audit::EventKind, request_id::RequestId};

/// Queues a mail that somebody asked for by an address, without a look at who has the address: every call does the same
/// work and has the same answer. What the mail says, and whether there is one, is decided when it is rendered.
#[derive(Clone, Debug)]
pub struct MailRequest {
    pub store: Store,
    pub repeats: Repeats,
    pub throttle: Throttle,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

impl MailRequest {
    /// # Errors
    /// REQUEST_ID_REUSED, RATE_LIMITED.
    pub async fn run(
        &self,
        origin: &Origin,
        method: &'static str,
        kind: EventKind,
        letter: Letter,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        let tenant = origin.tenant();
        let address = letter.recipient.normalised().to_owned();
        let Some(ticket) = self.repeats.open(tenant, method, request_id, &[&address]).await? else {
            return Ok(());
        };
        self.throttle.mail(origin, tenant, &letter.recipient).await?;
        let now = self.clock.now();
        let tx = self.store.begin().await?;
        if !ticket.redeem(&tx, now).await? {
            return Ok(());
        }
        self.post.queue(&tx, tenant, letter, now).await?;
        self.journal.did(&tx, tenant, origin, kind, About::default()).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }
}
