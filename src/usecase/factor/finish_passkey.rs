use super::{
    EnableFactor,
    enable::{Enabled, pending},
};
use crate::{
    passkeys::RegistrationResponse,
    store::{factor, passkey, passkey::RegisteredPasskey},
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{PasskeyGate, SignedIn, Throttle, WrongFactor},
    },
};
use countersign_domain::{
    backup_code::BackupCode,
    factor::{Factor, FactorKind},
    id::FactorId,
    refusal::Reason,
    secret::SecretText,
};

/// Enables a passkey.
#[derive(Clone, Debug)]
pub struct FinishPasskey {
    pub work: UnitsOfWork,
    pub gate: PasskeyGate,
    pub enable: EnableFactor,
    pub throttle: Throttle,
}

/// The name of a passkey whose authenticator is not known.
const UNNAMED: &str = "Passkey";

impl FinishPasskey {
    /// Returns the passkey, and the backup codes as [`super::ConfirmTotp`] does.
    ///
    /// # Errors
    /// FACTOR_NOT_FOUND when it waits no longer; PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, STEP_UP_REQUIRED,
    /// FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED, RATE_LIMITED.
    #[tracing::instrument(level = "debug", name = "factor.finish_passkey", skip_all)]
    pub async fn finish(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (id, answer): (FactorId, &RegistrationResponse),
        device: Option<&SecretText>,
    ) -> Result<(Factor, Vec<BackupCode>), Failure> {
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.work.now());
        let passkeys = self.gate.passkeys()?;
        let factors = factor::all(&self.work.read(), tenant, account).await?;
        let pending = pending(factors, (id, FactorKind::Passkey), now)?;
        self.throttle.factor_change(account).await?;
        let ceremony = self.gate.secrets.passkey_registration(account, &pending).await?;
        let new = passkeys.finish_registration(&ceremony, answer)?;
        let new = new.map_err(|rejected| WrongFactor::of_passkey(rejected, id).refusal_of_passkey())?;
        let name = Some(pending.factor.name.clone()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| new.facts.authenticator().unwrap_or(UNNAMED).to_owned());
        let sealed = self.gate.secrets.ring.seal_factor(account, id, &new.credential.to_bytes()?)?;
        let registered = RegisteredPasskey {
            id,
            name,
            facts: new.facts,
            credential_digest: new.credential_digest,
            sealed: sealed.text,
            key_id: sealed.key,
        };
        let unit = self.work.begin(origin, tenant).await?;
        let (owner, session) = self.enable.hold(&unit, caller).await?;
        match passkey::confirm(unit.db(), tenant, account, &registered, now).await {
            Ok(true) => {}
            Ok(false) => return Err(Reason::FactorNotFound.into()),
            Err(fault) if fault.is_conflict_on("credential_digest") => {
                return Err(WrongFactor::Known.refusal_of_passkey().into());
            }
            Err(fault) => return Err(fault.into()),
        }
        let enabled = Enabled { id, kind: FactorKind::Passkey, name: &registered.name };
        let codes = self.enable.record(&unit, (&owner, &session), enabled, device).await?;
        unit.commit().await?;
        let (confirmed_at, used_at) = (Some(now), Some(now));
        let (name, passkey) = (registered.name, Some(registered.facts));
        Ok((Factor { name, passkey, confirmed_at, used_at, ..pending.factor }, codes))
    }
}
