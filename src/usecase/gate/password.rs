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
    password::Password,
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::{EndReason, Liveness, MAX_PASSWORD_FAILURES},
};
use std::time::Duration;

/// Checks a password somebody claims to know.
#[derive(Clone, Debug)]
pub struct PasswordGate {
    pub hasher: Hasher,
    pub decoy_costs: DecoyHashCosts,
    pub max_bytes: usize,
}

/// Whose password somebody claims to know.
#[derive(Debug)]
pub struct Claimed<'a> {
    pub tenant: TenantId,
    /// How the account was named, normalised.
    pub typed: &'a str,
    /// `None` when there is none of this name.
    pub account: Option<Account>,
    /// Whether its password opens anything. Of a disabled account none does in any case.
    pub opens: bool,
}

/// Somebody knew the password of this account, which may sign in. Only [`PasswordGate`] makes one.
#[derive(Debug)]
pub struct PasswordProven {
    account: Account,
    /// The password, when its hash should be made anew with today's parameters.
    outdated: Option<Password>,
}

impl PasswordProven {
    pub fn account(&self) -> &Account {
        &self.account
    }

    pub fn outdated(&self) -> Option<&Password> {
        self.outdated.as_ref()
    }
}

impl PasswordGate {
    /// The same answer whether the account is missing, disabled, without a password, or simply has another one; and the
    /// work of one hash. Where there is one, it is that of the account, whatever becomes of the comparison: a name
    /// costs the same before and after its account is disabled. `None` means wrong.
    ///
    /// Whoever is present may go away meanwhile: a hash that has not begun is not computed then, and one that has begun
    /// is finished.
    ///
    /// # Errors
    /// OVERLOADED; DEADLINE_EXCEEDED when nothing was computed because nobody waited any more.
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
        // What is too long to be a password still costs as much as one.
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

/// Checks the current password again in a session that is open. Five wrong ones end it: whoever stole a session may not
/// use it to guess.
#[derive(Clone, Debug)]
pub struct SessionPasswordGate {
    pub work: UnitsOfWork,
    pub gate: PasswordGate,
}

/// When somebody whose tries are all being evaluated comes back.
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
        // In a task of its own: a caller who hangs up must not leave a try that is neither spent nor given back. It is
        // given back as long as the hash has not begun; from then on the verdict comes, and is applied although nobody
        // waits.
        let waiting = Caller::default();
        let presence = waiting.presence();
        let evaluation = spawn(async move { gate.evaluate(&origin, &caller, (&presented, &presence)).await });
        evaluation.await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    /// Makes sure that what was proven still holds when it is acted upon, and keeps it so until the transaction ends:
    /// the proof waited in a queue, and the session or the account may have been taken away meanwhile.
    ///
    /// # Errors
    /// SESSION_ENDED, ACCOUNT_DISABLED, CURRENT_PASSWORD_WRONG.
    pub async fn hold(&self, tx: &Tx, caller: &SignedIn, proven: &PasswordProven) -> Result<(), Failure> {
        let (tenant, proven) = (caller.tenant(), proven.account());
        let account = account::lock(tx, tenant, proven.id).await?.ok_or(Reason::SessionEnded)?;
        if account.is_disabled() {
            return Err(Reason::AccountDisabled.into());
        }
        if !session::lock_live(tx, tenant, caller.session().id, self.work.now()).await? {
            return Err(Reason::SessionEnded.into());
        }
        if account.password_version != proven.password_version {
            return Err(Self::wrong());
        }
        Ok(())
    }

    fn wrong() -> Failure {
        Refusal::from(Reason::CurrentPasswordWrong).with_violation("current_password", "", "is wrong").into()
    }

    async fn evaluate(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (presented, presence): (&SecretText, &Presence),
    ) -> Result<PasswordProven, Failure> {
        let account = caller.account().clone();
        let (tenant, id, session) = (caller.tenant(), account.id, caller.session().id);
        // Spent before the password is looked at, so that guesses made at once are all counted.
        let (db, now) = (self.work.write(), self.work.now());
        let Some(tries) = session::spend_password_try(&db, tenant, session, MAX_PASSWORD_FAILURES, now).await? else {
            let found = session::find_with_account(&db, tenant, session).await?;
            return Err(match found {
                Some((session, account)) if session.liveness(&account, now) == Liveness::Live => {
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
                // Nothing was learnt about the password, so nothing was tried.
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
            Self::wrong()
        };
        let about = EventSubject::own(id).in_session(session);
        Err(self.work.refused(origin, tenant, EventKind::PasswordProofRefused, about, failure).await)
    }
}
