use super::{Profile, open::username_taken};
use crate::{
    store::{Tx, account, account::ProfileChange, reserved_username},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{OwnerGate, SignedIn, Throttle},
    },
};
use countersign_domain::{
    account::Account, audit::EventKind, mail::MailTemplate, refusal::Reason, secret::SecretText, time::Timestamp,
    username::Username,
};
use std::time::Duration;

/// Changes the profile of the caller.
///
/// An owner logs in with the user name, so a change needs the same protection as a change of the address: the caller
/// proves to be the owner, the owner gets a mail, and the former name stays reserved for a while. Otherwise a stolen
/// access token would be enough to log in under the owner's name soon after, or to have mail and mentions go to
/// somebody else.
#[derive(Clone, Debug)]
pub struct UpdateMe {
    pub work: UnitsOfWork,
    pub proof: OwnerGate,
    pub throttle: Throttle,
    /// For how long a user name that its owner gave up stays reserved for the account.
    pub username_reserved: Duration,
}

impl UpdateMe {
    /// `current` is checked only when the user name changes.
    ///
    /// # Errors
    /// USERNAME_TAKEN, STEP_UP_REQUIRED, CURRENT_PASSWORD_WRONG, SESSION_ENDED, RATE_LIMITED, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.update_me", skip_all)]
    pub async fn update(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        change: ProfileChange,
        current: &SecretText,
    ) -> Result<Profile, Failure> {
        let (tenant, id, now) = (caller.tenant(), caller.account().id, self.work.now());
        let about = || EventSubject::own(id).in_session(caller.session().id);
        let proven = if change.username.is_some() {
            self.throttle.username_change(id).await?;
            Some(self.proof.prove(origin, caller, current).await?)
        } else {
            None
        };
        let unit = self.work.begin(origin, tenant).await?;
        let before = match &proven {
            Some(proven) => {
                self.proof.hold(unit.db(), caller, proven).await?;
                account::lock(unit.db(), tenant, id).await?
            }
            None => None,
        };
        let updated = account::update_profile(unit.db(), tenant, id, change, now).await;
        let account = updated
            .map_err(|fault| if fault.is_conflict_on("username_") { name_taken() } else { Failure::from(fault) })?;
        let account = account.ok_or(Reason::SessionEnded)?;
        unit.record(EventKind::ProfileChanged, about()).await?;
        if let Some(former) = before.map(|before| before.username)
            && former != account.username
        {
            let is_other = name(former.as_ref()) != name(account.username.as_ref());
            self.keep_former(unit.db(), former.as_ref().filter(|_| is_other), &account, now).await?;
            if is_other {
                unit.record(EventKind::UsernameChanged, about()).await?;
                unit.queue_mail(Mail::to_owner(MailTemplate::UsernameChanged, &account)).await?;
            }
        }
        let profile = Profile::read(unit.db(), account).await?;
        unit.commit().await?;
        Ok(profile)
    }

    /// A name shown in another case is the same name, but may look like a name that is reserved.
    async fn keep_former(
        &self,
        tx: &Tx,
        former: Option<&Username>,
        account: &Account,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (tenant, id) = (account.tenant, account.id);
        if let Some(former) = former.filter(|_| !self.username_reserved.is_zero()) {
            reserved_username::reserve(tx, tenant, id, former, now.plus(self.username_reserved)).await?;
        }
        if let Some(taken) = &account.username {
            if reserved_username::is_kept_for_another(tx, tenant, id, taken, now).await? {
                return Err(name_taken());
            }
            reserved_username::release(tx, tenant, id, taken).await?;
        }
        Ok(())
    }
}

/// The same refusal whether another account has the name or had it.
fn name_taken() -> Failure {
    username_taken("account.username")
}

fn name(username: Option<&Username>) -> Option<&str> {
    username.map(Username::normalised)
}
