use crate::{
    store::{Tx, account, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{SignedIn, require_fresh_proof},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    refusal::{Reason, Refusal},
    session::{EndReason, Liveness, MAX_PASSWORD_FAILURES, Session},
};
use std::time::Duration;

/// The tries of a live session to prove again who holds it. Five wrong proofs in a row end the session: somebody who
/// stole it may not use it to try passwords or codes.
#[derive(Clone, Debug)]
pub struct SessionTries {
    pub work: UnitsOfWork,
}

/// When a caller whose tries are all being evaluated may try again.
const EVALUATION_WAIT: Duration = Duration::from_millis(250);

impl SessionTries {
    /// Uses a try up before the proof is checked, so that proofs tried at the same time are all counted. Returns how
    /// many are used up then.
    ///
    /// # Errors
    /// SESSION_ENDED; OVERLOADED while all tries are being evaluated.
    pub async fn spend(&self, caller: &SignedIn) -> Result<i32, Failure> {
        let (tenant, id, now) = (caller.tenant(), caller.session().id, self.work.now());
        if let Some(tries) =
            session::spend_password_try(&self.work.write(), tenant, id, MAX_PASSWORD_FAILURES, now).await?
        {
            return Ok(tries);
        }
        Err(match session::find_holder(&self.work.store, tenant, id).await? {
            Some(holder) if holder.session.liveness(&holder.account, now) == Liveness::Live => {
                Refusal::from(Reason::Overloaded).retry_after(EVALUATION_WAIT).into()
            }
            _ => Reason::SessionEnded.into(),
        })
    }

    /// Gives tries back: all that a right proof used up, or one with which nothing was checked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_back(&self, caller: &SignedIn, tries: i32) -> Result<(), Failure> {
        session::forgive_password_tries(&self.work.write(), caller.tenant(), caller.session().id, tries).await?;
        Ok(())
    }

    /// The refusal of a wrong proof. Ends the session when it was the last try. Records the refusal, except that of a
    /// wrong code, which was recorded where it was counted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refuse(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        tries: i32,
        (kind, wrong): (EventKind, Failure),
    ) -> Result<Failure, Failure> {
        let (tenant, id, session) = (caller.tenant(), caller.account().id, caller.session().id);
        let failure = if tries >= MAX_PASSWORD_FAILURES {
            let unit = self.work.begin(origin, tenant).await?;
            session::end(unit.db(), tenant, id, session, EndReason::PasswordGuessed, self.work.now()).await?;
            unit.commit().await?;
            Failure::from(Reason::SessionEnded)
        } else {
            wrong
        };
        let about = EventSubject::own(id).in_session(session);
        Ok(self.work.refused(origin, tenant, kind, about, failure).await)
    }

    /// Locks the account and the session of a caller until the transaction ends. A proof waits before it is used, and
    /// meanwhile the session may have ended, or the account may have been disabled.
    ///
    /// # Errors
    /// SESSION_ENDED, ACCOUNT_DISABLED.
    pub async fn hold(&self, tx: &Tx, caller: &SignedIn) -> Result<(Account, Session), Failure> {
        let tenant = caller.tenant();
        let account = account::lock(tx, tenant, caller.account().id).await?.ok_or(Reason::SessionEnded)?;
        if account.is_disabled() {
            return Err(Reason::AccountDisabled.into());
        }
        let live = session::lock_live(tx, tenant, caller.session().id, self.work.now()).await?;
        Ok((account, live.ok_or(Reason::SessionEnded)?))
    }

    /// The same, for a caller who needs a fresh proof. It is judged again: a factor may have been added since the call
    /// began, and the head of a call may arrive long before its body.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, SESSION_ENDED, ACCOUNT_DISABLED.
    pub async fn hold_with_fresh_proof(&self, tx: &Tx, caller: &SignedIn) -> Result<Account, Failure> {
        let (account, _) = self.hold(tx, caller).await?;
        require_fresh_proof(caller, &account, self.work.now())?;
        Ok(account)
    }
}
