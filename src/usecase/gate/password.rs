use crate::{
    passwords::{Caller, Hasher, PasswordHash, Presence, Verdict},
    runtime::spawn,
    store::Tx,
    usecase::{
        Failure, Origin,
        gate::{DecoyHashCosts, SessionTries, SignedIn},
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
    session::Session,
};

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

/// Checks the current password again in a live session.
#[derive(Clone, Debug)]
pub struct SessionPasswordGate {
    pub tries: SessionTries,
    pub gate: PasswordGate,
    /// The field of the request with the password.
    pub field: &'static str,
}

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

    /// Checks that the proof still holds when it is used, and locks the account and the session until the transaction
    /// ends.
    ///
    /// # Errors
    /// SESSION_ENDED, ACCOUNT_DISABLED, CURRENT_PASSWORD_WRONG.
    pub async fn hold(
        &self,
        tx: &Tx,
        caller: &SignedIn,
        proven: &PasswordProven,
    ) -> Result<(Account, Session), Failure> {
        let (account, session) = self.tries.hold(tx, caller).await?;
        if PasswordProof::of(&account) != proven.proof() {
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
        let tries = self.tries.spend(caller).await?;
        let claimed =
            Claimed { tenant: caller.tenant(), typed: "", account: Some(caller.account().clone()), opens: true };
        match self.gate.prove_for(presence, claimed, presented).await {
            Ok(Some(proven)) => {
                self.tries.give_back(caller, tries).await?;
                Ok(proven)
            }
            Ok(None) => {
                let refused = (EventKind::PasswordProofRefused, self.wrong());
                Err(self.tries.refuse(origin, caller, tries, refused).await?)
            }
            Err(failure) => {
                // The password was not checked, so the try is given back.
                self.tries.give_back(caller, 1).await?;
                Err(failure)
            }
        }
    }
}
