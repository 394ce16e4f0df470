use crate::{
    passwords::{Caller, Hasher, PasswordHash, Presence, Verdict},
    runtime::spawn,
    store::{Tx, account, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{DecoyHashCosts, SignedIn},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    id::TenantId,
    login::PasswordProof,
    password::Password,
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::{EndReason, Liveness, MAX_PASSWORD_FAILURES, Session},
};
use std::time::Duration;

/// Checks a password that a caller presents.
#[derive(Clone, Debug)]
pub struct PasswordGate {
    pub hasher: Hasher,
    pub decoy_costs: DecoyHashCosts,
    pub max_bytes: usize,
}

/// The account whose password a caller presents.
#[derive(Debug)]
pub struct Claimed<'a> {
    pub tenant: TenantId,
    /// The name as typed, normalised.
    pub typed: &'a str,
    /// `None` when no account has this name.
    pub account: Option<Account>,
    /// Whether the right password is accepted. The password of a disabled account never is.
    pub opens: bool,
}

/// The proof of the password of an account that may log in. Only [`PasswordGate`] makes one.
#[derive(Debug)]
pub struct PasswordProven {
    account: Account,
    /// The password, when its hash should be replaced by one with the present parameters.
    outdated: Option<Password>,
}

impl PasswordProven {
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What a login consumes.
    pub fn proof(&self) -> PasswordProof {
        PasswordProof::of(&self.account)
    }

    pub fn outdated(&self) -> Option<&Password> {
        self.outdated.as_ref()
    }
}

impl PasswordGate {
    /// The answer is the same, and costs one hash, whether the account is missing, disabled, without a password, or has
    /// another password. With an account, the work is that of its own hash, even when the password cannot be accepted:
    /// a name costs the same before and after its account is disabled. `None` means wrong.
    ///
    /// When the caller goes away, a hash that has not begun is not computed, and a hash that has begun is finished.
    ///
    /// # Errors
    /// OVERLOADED; DEADLINE_EXCEEDED when nothing was computed because the caller was gone.
    pub async fn prove_for(
        &self,
        presence: &Presence,
        claimed: Claimed<'_>,
        presented: &SecretText,
    ) -> Result<Option<PasswordProven>, Failure> {
        let Claimed { tenant, typed, account, opens } = claimed;
        let opens = opens && account.as_ref().is_some_and(|account| !account.is_disabled());
        let stored = account.as_ref().and_then(|account| account.password_hash.as_ref());
        let stored = match stored.map(|hash| PasswordHash::from_stored(hash.reveal().to_owned())).transpose() {
            Ok(stored) => stored,
            Err(_) if opens => return Err(Failure::Broken("a stored password hash cannot be read".to_owned())),
            Err(_) => None,
        };
        // A text too long to be a password costs as much as a password.
        let read = Password::presented(presented, self.max_bytes);
        let (opens, password) = (opens && read.is_some(), read.unwrap_or_else(Password::stand_in));
        let verdict = match &stored {
            Some(stored) => self.hasher.verify_for(presence, password.clone(), stored).await?,
            None => {
                let cost = self.decoy_costs.of(tenant, typed);
                self.hasher.pretend_for(presence, password.clone(), &cost).await?;
                Verdict::Wrong
            }
        };
        Ok(match (verdict, account) {
            (Verdict::Right { outdated }, Some(account)) if opens => {
                Some(PasswordProven { account, outdated: outdated.then_some(password) })
            }
            _ => None,
        })
    }
}

/// Checks the current password again in a live session. Five wrong ones end the session: somebody who stole it may not
/// use it to try passwords.
#[derive(Clone, Debug)]
pub struct SessionPasswordGate {
    pub work: UnitsOfWork,
    pub gate: PasswordGate,
    /// The field of the request with the password.
    pub field: &'static str,
}

/// When a caller whose tries are all being evaluated may try again.
const EVALUATION_WAIT: Duration = Duration::from_millis(250);

impl SessionPasswordGate {
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, SESSION_ENDED, OVERLOADED.
    pub async fn prove(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        presented: &SecretText,
    ) -> Result<PasswordProven, Failure> {
        let (gate, origin, caller, presented) = (self.clone(), origin.clone(), caller.clone(), presented.clone());
        // In a task of its own: a caller who hangs up must not leave a try that is neither used up nor given back.
        // Until the hash begins, the try is given back when the caller is gone; after that, the verdict is awaited and
        // applied, even if nobody waits.
        let waiting = Caller::default();
        let presence = waiting.presence();
        let evaluation = spawn(async move { gate.evaluate(&origin, &caller, (&presented, &presence)).await });
        evaluation.await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    /// Checks that the proof still holds when it is used, and locks the session and the account until the transaction
    /// ends: the proof waited in a queue, and meanwhile the session may have ended, or the account may have been
    /// disabled.
    ///
    /// # Errors
    /// SESSION_ENDED, ACCOUNT_DISABLED, CURRENT_PASSWORD_WRONG.
    pub async fn hold(
        &self,
        tx: &Tx,
        caller: &SignedIn,
        proven: &PasswordProven,
    ) -> Result<(Account, Session), Failure> {
        let (tenant, proven) = (caller.tenant(), proven.account());
        let account = account::lock(tx, tenant, proven.id).await?.ok_or(Reason::SessionEnded)?;
        if account.is_disabled() {
            return Err(Reason::AccountDisabled.into());
        }
        let live = session::lock_live(tx, tenant, caller.session().id, self.work.now()).await?;
        let session = live.ok_or(Reason::SessionEnded)?;
        if account.password_version != proven.password_version {
            return Err(self.wrong());
        }
        Ok((account, session))
    }

    fn wrong(&self) -> Failure {
        Refusal::from(Reason::CurrentPasswordWrong).with_violation(self.field, "", "is wrong").into()
    }

    async fn evaluate(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (presented, presence): (&SecretText, &Presence),
    ) -> Result<PasswordProven, Failure> {
        let account = caller.account().clone();
        let (tenant, id, session) = (caller.tenant(), account.id, caller.session().id);
        // The try is used up before the check, so that passwords tried at the same time are all counted.
        let (db, now) = (self.work.write(), self.work.now());
        let Some(tries) = session::spend_password_try(&db, tenant, session, MAX_PASSWORD_FAILURES, now).await? else {
            let found = session::find_holder(&self.work.store, tenant, session).await?;
            return Err(match found {
                Some(holder) if holder.session.liveness(&holder.account, now) == Liveness::Live => {
                    Refusal::from(Reason::Overloaded).retry_after(EVALUATION_WAIT).into()
                }
                _ => Reason::SessionEnded.into(),
            });
        };
        let claimed = Claimed { tenant, typed: "", account: Some(account), opens: true };
        match self.gate.prove_for(presence, claimed, presented).await {
            Ok(Some(proven)) => {
                session::forgive_password_tries(&db, tenant, session, tries).await?;
                return Ok(proven);
            }
            Ok(None) => {}
            Err(failure) => {
                // The password was not checked, so the try is given back.
                session::forgive_password_tries(&db, tenant, session, 1).await?;
                return Err(failure);
            }
        }
        let failure = if tries >= MAX_PASSWORD_FAILURES {
            let unit = self.work.begin(origin, tenant).await?;
            session::end(unit.db(), tenant, id, session, EndReason::PasswordGuessed, self.work.now()).await?;
            unit.commit().await?;
            Failure::from(Reason::SessionEnded)
        } else {
            self.wrong()
        };
        let about = EventSubject::own(id).in_session(session);
        Err(self.work.refused(origin, tenant, EventKind::PasswordProofRefused, about, failure).await)
    }
}
