use crate::usecase::{
    Failure, UnitOfWork,
    authentication::WaitingLogin,
    gate::{SessionTries, SignedIn, require_fresh_proof, require_level},
};
use countersign_domain::{
    account::Account,
    factor::MAX_FACTORS,
    factor_policy::FactorPolicy,
    id::TenantId,
    refusal::Reason,
    secret::SecretText,
    session::{Session, TokenDelivery},
};
use std::sync::Arc;

/// Who adds a factor.
#[derive(Clone, Copy, Debug)]
pub enum FactorAdder<'a> {
    SignedIn {
        caller: &'a SignedIn,
        /// The token of the caller's device, if the caller showed it: it is recognized for codes from then on.
        device: Option<&'a SecretText>,
    },
    /// A person whose login waits until the account has a factor.
    LoggingIn {
        login: &'a WaitingLogin,
        delivery: TokenDelivery,
        /// The refresh tokens in the caller's cookies.
        former: &'a [SecretText],
    },
}

impl FactorAdder<'_> {
    pub(super) fn tenant(&self) -> TenantId {
        self.account().tenant
    }

    /// The account as it was when the call began.
    pub(super) fn account(&self) -> &Account {
        match self {
            Self::SignedIn { caller, .. } => caller.account(),
            Self::LoggingIn { login, .. } => login.account(),
        }
    }
}

/// Locks the account that gets a factor, and checks who adds it.
#[derive(Clone, Debug)]
pub struct AdderGate {
    pub tries: SessionTries,
    pub policy: Arc<FactorPolicy>,
}

/// The account that gets a factor, locked until the transaction ends, and the session of its owner if there is one.
#[derive(Debug)]
pub(super) struct HeldOwner {
    pub(super) account: Account,
    pub(super) session: Option<Session>,
}

impl AdderGate {
    /// Locks the account, and checks that its owner may begin to add a factor.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, REAUTHENTICATION_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED;
    /// CHALLENGE_INVALID.
    pub(super) async fn hold_to_start(
        &self,
        unit: &UnitOfWork<'_>,
        adder: FactorAdder<'_>,
    ) -> Result<Account, Failure> {
        let owner = self.hold(unit, adder).await?;
        if let FactorAdder::SignedIn { caller, .. } = adder {
            require_fresh_proof(caller, &owner.account, unit.now())?;
        }
        Ok(owner.account)
    }

    /// Locks the account, and checks that its owner may enable a factor.
    ///
    /// # Errors
    /// As for [`AdderGate::hold_to_start`].
    pub(super) async fn hold_to_enable(
        &self,
        unit: &UnitOfWork<'_>,
        adder: FactorAdder<'_>,
    ) -> Result<HeldOwner, Failure> {
        let owner = self.hold(unit, adder).await?;
        if let FactorAdder::SignedIn { caller, .. } = adder {
            // A caller who began before the account had a factor has to prove that factor first.
            require_level(caller, &owner.account)?;
        }
        Ok(owner)
    }

    async fn hold(&self, unit: &UnitOfWork<'_>, adder: FactorAdder<'_>) -> Result<HeldOwner, Failure> {
        let owner = match adder {
            FactorAdder::SignedIn { caller, .. } => {
                let (account, session) = self.tries.hold(unit.db(), caller).await?;
                // Where policy requires a factor, a session without one adds none: a password alone opened it.
                if !account.has_factor() && !self.policy.accepts(&session, caller.roles()) {
                    return Err(Reason::ReauthenticationRequired.into());
                }
                HeldOwner { account, session: Some(session) }
            }
            FactorAdder::LoggingIn { login, .. } => {
                HeldOwner { account: login.hold_for_enrolment(unit).await?, session: None }
            }
        };
        if owner.account.factors >= MAX_FACTORS {
            return Err(Reason::FactorLimitReached.into());
        }
        Ok(owner)
    }
}
