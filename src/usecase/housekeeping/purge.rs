use crate::{
    runtime::Clock,
    store::{
        Store, action, ceremony, challenge, device, expected_device, factor, outbox, registration, remembered_device,
        request_id, reserved_username, revocation, session,
    },
    telemetry,
    usecase::audit::{ChainFault, ForgetEvents},
};
use countersign_domain::request_id::REQUEST_ID_LIFE;
use std::time::Duration;

/// How long data is kept after it has expired.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Registrations that were never verified.
    pub unverified: Duration,
    /// Mails that were given up.
    pub dead_mails: Duration,
    pub audit: Duration,
}

/// A week: long enough to answer "session ended" rather than "session unknown" to every token that may still be
/// presented, and for an operator to look into a problem.
const OVER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A device without a login for this long becomes unrecognized: as long as browsers keep a cookie (RFC 6265bis section
/// 5.5).
const DEVICE_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Deletes expired data. Two runs at once do no harm, so every replica runs it and there is no leader.
#[derive(Clone, Debug)]
pub struct Purge {
    pub store: Store,
    pub forget_events: ForgetEvents,
    pub retention: Retention,
    pub clock: Clock,
}

impl Purge {
    /// Accounts are never purged, not even disabled ones.
    ///
    /// # Errors
    /// When the database does not answer, or a hash chain cannot be continued; everything else was purged then.
    #[tracing::instrument(level = "debug", name = "housekeeping.purge", skip_all)]
    pub async fn purge(&self) -> Result<(), ChainFault> {
        let now = self.clock.now();
        let db = self.store.upkeep();
        let over = now.minus(OVER);
        let purged = [
            ("registrations", registration::delete_older(&db, now.minus(self.retention.unverified)).await?),
            ("sessions", session::delete_over(&db, over).await?),
            ("devices", device::delete_unseen(&db, now.minus(DEVICE_LIFE)).await?),
            ("expected_devices", expected_device::delete_older(&db, now.minus(DEVICE_LIFE)).await?),
            ("remembered_devices", remembered_device::delete_expired(&db, now).await?),
            ("factors", factor::delete_unconfirmed(&db, over).await?),
            ("challenges", challenge::delete_expired(&db, now).await?),
            ("used_ceremonies", ceremony::delete_expired(&db, over).await?),
            ("actions", action::delete_expired(&db, over).await?),
            ("outbox", outbox::delete_finished(&db, over).await?),
            ("outbox", outbox::delete_dead(&db, now.minus(self.retention.dead_mails)).await?),
            ("request_ids", request_id::delete_older(&db, now.minus(REQUEST_ID_LIFE)).await?),
            ("reserved_usernames", reserved_username::delete_over(&db, now).await?),
            ("revocations", revocation::delete_over(&db, now).await?),
        ];
        let events = self.forget_events.forget(now.minus(self.retention.audit)).await;
        for (table, rows) in purged.into_iter().chain(events.as_ref().ok().map(|rows| ("audit_events", *rows))) {
            telemetry::count_purged(table, rows);
            if rows > 0 {
                tracing::info!(table, rows, "deleted expired rows");
            }
        }
        events.map(drop)
    }
}
