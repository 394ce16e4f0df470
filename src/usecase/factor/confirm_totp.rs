use super::{
    EnableFactor,
    enable::{Enabled, pending},
};
use crate::{
    store::factor,
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{FactorSecrets, SignedIn, Throttle, WrongFactor},
    },
};
use countersign_domain::{
    backup_code::BackupCode,
    factor::FactorKind,
    id::FactorId,
    refusal::Reason,
    secret::SecretText,
    totp::{TotpCode, TotpVerdict},
};

/// Enables an authenticator app with its first code.
#[derive(Clone, Debug)]
pub struct ConfirmTotp {
    pub work: UnitsOfWork,
    pub secrets: FactorSecrets,
    pub enable: EnableFactor,
    pub throttle: Throttle,
}

impl ConfirmTotp {
    /// Returns the backup codes with the first factor of the account, and none with the others. `device` is the token
    /// of the caller's device, if the caller showed it: it is recognized for codes from then on.
    ///
    /// # Errors
    /// FACTOR_NOT_FOUND when it waits no longer; CODE_INVALID, STEP_UP_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED,
    /// ACCOUNT_DISABLED, RATE_LIMITED.
    #[tracing::instrument(level = "debug", name = "factor.confirm_totp", skip_all)]
    pub async fn confirm(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (id, code): (FactorId, &TotpCode),
        device: Option<&SecretText>,
    ) -> Result<Vec<BackupCode>, Failure> {
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.work.now());
        let factors = factor::all(&self.work.read(), tenant, account).await?;
        let pending = pending(factors, (id, FactorKind::Totp), now)?;
        self.throttle.totp_confirmation(account).await?;
        let step = match self.secrets.totp(account, &pending).await?.check(code, now, None) {
            TotpVerdict::Right { step } => step,
            TotpVerdict::ClockOff { .. } => return Err(WrongFactor::ClockOff.refusal_of_code("code").into()),
            TotpVerdict::Used | TotpVerdict::Wrong => return Err(WrongFactor::Wrong.refusal_of_code("code").into()),
        };
        let unit = self.work.begin(origin, tenant).await?;
        let (owner, session) = self.enable.hold(&unit, caller).await?;
        if !factor::confirm(unit.db(), tenant, account, (id, step), now).await? {
            return Err(Reason::FactorNotFound.into());
        }
        let enabled = Enabled { id, kind: FactorKind::Totp, name: &pending.factor.name };
        let codes = self.enable.record(&unit, (&owner, &session), enabled, device).await?;
        unit.commit().await?;
        Ok(codes)
    }
}
