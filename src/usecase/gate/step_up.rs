use super::SignedIn;
use countersign_domain::{
    account::Account,
    assurance::{FRESH_PROOF, Level},
    factor::FactorMethod,
    refusal::{Reason, Refusal},
    time::Timestamp,
};

/// Whether a caller has a proof of the level that protects its account, and a fresh one. `account` is its account as it
/// is now.
///
/// # Errors
/// STEP_UP_REQUIRED.
pub fn require_fresh_proof(caller: &SignedIn, account: &Account, now: Timestamp) -> Result<(), Refusal> {
    if caller.proof().is_fresh_for(account, now) { Ok(()) } else { Err(step_up_required(account)) }
}

/// Whether a caller has a proof of the level that protects its account, however old it is. `account` is its account as
/// it is now.
///
/// # Errors
/// STEP_UP_REQUIRED.
pub fn require_level(caller: &SignedIn, account: &Account) -> Result<(), Refusal> {
    if caller.proof().level >= Level::required_by(account) { Ok(()) } else { Err(step_up_required(account)) }
}

/// Whether a password has the level that protects an account.
///
/// # Errors
/// STEP_UP_REQUIRED.
pub fn require_password_level(account: &Account) -> Result<(), Refusal> {
    if account.has_factor() { Err(step_up_required(account)) } else { Ok(()) }
}

/// The refusal of a caller without a fresh proof. The metadata are part of the contract.
fn step_up_required(account: &Account) -> Refusal {
    let methods = match (account.has_passkey(), account.has_app()) {
        (false, false) => "PASSWORD".to_owned(),
        (has_passkey, has_app) => {
            let methods =
                [(FactorMethod::Passkey, has_passkey), (FactorMethod::Totp, has_app), (FactorMethod::BackupCode, true)];
            let names = methods.into_iter().filter(|(_, has_it)| *has_it).map(|(method, _)| method.name());
            names.collect::<Vec<_>>().join(" ")
        }
    };
    Refusal::from(Reason::StepUpRequired)
        .with_metadata("max_age_seconds", FRESH_PROOF.as_secs().to_string())
        .with_metadata("acr", Level::required_by(account).name())
        .with_metadata("methods", methods)
}
