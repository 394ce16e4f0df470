use super::{
    AddedFactor, EnableFactor, FactorAdder,
    enable::{Enabled, pending},
};
use crate::{
    passkeys::RegistrationResponse,
    store::{factor, passkey, passkey::RegisteredPasskey},
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{FactorGate, Throttle, WrongFactor},
    },
};
use countersign_domain::{
    factor::{Factor, FactorKind},
    id::FactorId,
    refusal::Reason,
};

/// Enables a passkey.
#[derive(Clone, Debug)]
pub struct FinishPasskey {
    pub work: UnitsOfWork,
    pub factors: FactorGate,
    pub enable: EnableFactor,
    pub throttle: Throttle,
}

/// The name of a passkey whose authenticator is not known.
const UNNAMED: &str = "Passkey";

impl FinishPasskey {
    /// Returns the passkey, and what comes with it.
    ///
    /// # Errors
    /// FACTOR_NOT_FOUND when it waits no longer; PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, STEP_UP_REQUIRED,
    /// REAUTHENTICATION_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED, RATE_LIMITED;
    /// CHALLENGE_INVALID or CREDENTIALS_INVALID when the login waits no longer.
    #[tracing::instrument(level = "debug", name = "factor.finish_passkey", skip_all)]
    pub async fn finish(
        &self,
        origin: &Origin,
        adder: FactorAdder<'_>,
        (id, answer): (FactorId, &RegistrationResponse),
    ) -> Result<(Factor, AddedFactor), Failure> {
        let (tenant, account, now) = (adder.tenant(), adder.account().id, self.work.now());
        self.factors.passkeys.passkeys()?;
        let factors = factor::all(&self.work.read(), tenant, account).await?;
        let pending = pending(factors, (id, FactorKind::Passkey), now)?;
        self.throttle.factor_change(account).await?;
        let checked = self.factors.check_registration(account, &pending, answer).await?;
        let (proven, new) = checked.map_err(WrongFactor::refusal_of_passkey)?;
        let name = Some(pending.factor.name.clone()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| new.facts.authenticator().unwrap_or(UNNAMED).to_owned());
        let sealed = self.factors.secrets.ring.seal_factor(account, id, &new.credential.to_bytes()?)?;
        let registered = RegisteredPasskey {
            id,
            name,
            facts: new.facts,
            credential_digest: new.credential_digest,
            sealed: sealed.text,
            key_id: sealed.key,
        };
        let opening = self.enable.prepare(origin, adder, &proven).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let owner = self.enable.adders.hold_to_enable(&unit, adder).await?;
        match passkey::confirm(unit.db(), tenant, account, &registered, now).await {
            Ok(true) => {}
            Ok(false) => return Err(Reason::FactorNotFound.into()),
            Err(fault) if fault.is_conflict_on("credential_digest") => {
                return Err(WrongFactor::Known.refusal_of_passkey().into());
            }
            Err(fault) => return Err(fault.into()),
        }
        let enabled = Enabled { id, kind: FactorKind::Passkey, name: &registered.name };
        let added = self.enable.complete(origin, unit, (adder, &owner), (enabled, opening)).await?;
        let (confirmed_at, used_at) = (Some(now), Some(now));
        let (name, passkey) = (registered.name, Some(registered.facts));
        Ok((Factor { name, passkey, confirmed_at, used_at, ..pending.factor }, added))
    }
}
