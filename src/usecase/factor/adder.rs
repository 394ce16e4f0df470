use crate::usecase::{
    Failure, UnitOfWork,
    authentication::WaitingLogin,
    gate::{SessionTries, SignedIn, require_level},
};
use countersign_domain::{
    account::Account,
    factor::MAX_FACTORS,
    id::TenantId,
    refusal::Reason,
    secret::SecretText,
    session::{Session, TokenDelivery},
};

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

/// The account that gets a factor, locked until the transaction ends, and the session of its owner if there is one.
#[derive(Debug)]
pub(super) struct HeldOwner {
    pub(super) account: Account,
    pub(super) session: Option<Session>,
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

    /// Locks the account, and checks that its owner may begin to add a factor.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED; CHALLENGE_INVALID.
    pub(super) async fn hold_to_start(&self, unit: &UnitOfWork<'_>, tries: &SessionTries) -> Result<Account, Failure> {
        let owner = match self {
            Self::SignedIn { caller, .. } => tries.hold_with_fresh_proof(unit.db(), caller).await?,
            Self::LoggingIn { login, .. } => login.hold_for_enrolment(unit).await?,
        };
        require_room(&owner)?;
        Ok(owner)
    }

    /// Locks the account, and checks that its owner may enable a factor.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED; CHALLENGE_INVALID.
    pub(super) async fn hold_to_enable(
        &self,
        unit: &UnitOfWork<'_>,
        tries: &SessionTries,
    ) -> Result<HeldOwner, Failure> {
        let held = match self {
            Self::SignedIn { caller, .. } => {
                let (account, session) = tries.hold(unit.db(), caller).await?;
                // A caller who began before the account had a factor has to prove that factor first.
                require_level(caller, &account)?;
                HeldOwner { account, session: Some(session) }
            }
            Self::LoggingIn { login, .. } => {
                HeldOwner { account: login.hold_for_enrolment(unit).await?, session: None }
            }
        };
        require_room(&held.account)?;
        Ok(held)
    }
}

fn require_room(owner: &Account) -> Result<(), Reason> {
    if owner.factors < MAX_FACTORS { Ok(()) } else { Err(Reason::FactorLimitReached) }
}
