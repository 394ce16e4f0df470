use super::{PasswordProven, SessionPasswordGate, SignedIn, require_fresh_proof};
use crate::{
    runtime::Clock,
    store::Tx,
    usecase::{Failure, Origin},
};
use countersign_domain::{account::Account, secret::SecretText};

/// Checks that the owner of an account makes a call that changes what protects it.
///
/// An account without a factor proves its current password, or has a fresh proof in the session. An account with a
/// factor needs the fresh proof. A password that is given is checked in any case.
#[derive(Clone, Debug)]
pub struct OwnerGate {
    pub password: SessionPasswordGate,
    pub clock: Clock,
}

/// The proof that the owner makes a call. Only [`OwnerGate`] makes one.
#[derive(Debug)]
pub enum OwnerProven {
    ByPassword(PasswordProven),
    /// By a fresh proof in the session.
    InSession(Account),
}

impl OwnerProven {
    pub fn account(&self) -> &Account {
        match self {
            Self::ByPassword(proven) => proven.account(),
            Self::InSession(account) => account,
        }
    }
}

impl OwnerGate {
    /// `presented` may be empty.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, CURRENT_PASSWORD_WRONG, SESSION_ENDED, OVERLOADED.
    pub async fn prove(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        presented: &SecretText,
    ) -> Result<OwnerProven, Failure> {
        if presented.is_empty() || caller.account().has_factor() {
            require_fresh_proof(caller, caller.account(), self.clock.now())?;
        }
        if presented.is_empty() {
            return Ok(OwnerProven::InSession(caller.account().clone()));
        }
        Ok(OwnerProven::ByPassword(self.password.prove(origin, caller, presented).await?))
    }

    /// Checks that the proof still holds when it is used, and locks the account and the session until the transaction
    /// ends.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED when the account got a factor meanwhile; SESSION_ENDED, ACCOUNT_DISABLED,
    /// CURRENT_PASSWORD_WRONG.
    pub async fn hold(&self, tx: &Tx, caller: &SignedIn, proven: &OwnerProven) -> Result<(), Failure> {
        let (account, _) = match proven {
            OwnerProven::ByPassword(proven) => self.password.hold(tx, caller, proven).await?,
            OwnerProven::InSession(_) => self.password.tries.hold(tx, caller).await?,
        };
        if account.has_factor() {
            require_fresh_proof(caller, &account, self.clock.now())?;
        }
        Ok(())
    }
}
