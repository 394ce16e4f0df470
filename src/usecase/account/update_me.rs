use super::{Me, Profile};
use crate::{
    runtime::Clock,
    store::{Store, account, account::ProfileChange},
    usecase::{About, Failure, Journal, Origin, gate::SignedIn},
};
use countersign_domain::{
    audit::EventKind,
    refusal::{Reason, Refusal},
};

/// Somebody changes their profile.
#[derive(Clone, Debug)]
pub struct UpdateMe {
    pub store: Store,
    pub journal: Journal,
    pub clock: Clock,
}

impl UpdateMe {
    /// # Errors
    /// USERNAME_TAKEN.
    pub async fn run(&self, origin: &Origin, caller: &SignedIn, change: ProfileChange) -> Result<Profile, Failure> {
        let (tenant, id) = (caller.tenant(), caller.account().id);
        let about = About::own(id).in_session(caller.session().id);
        let tx = self.store.begin().await?;
        let updated = account::update_profile(&tx, tenant, id, change, self.clock.now()).await;
        let account = updated.map_err(|fault| {
            if fault.is_conflict_on("username_normalised") {
                Refusal::from(Reason::UsernameTaken).with_violation("account.username", "", "is taken").into()
            } else {
                Failure::from(fault)
            }
        })?;
        let account = account.ok_or(Reason::SessionEnded)?;
        self.journal.did(&tx, tenant, origin, EventKind::ProfileChanged, about).await?;
        let profile = Me::profile(&tx, account).await?;
        tx.commit().await?;
        Ok(profile)
    }
}
