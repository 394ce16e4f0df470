use super::{
    AddedFactor, EnableFactor, FactorAdder,
    enable::{Enabled, pending},
};
use crate::{
    store::factor,
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{FactorGate, Throttle},
    },
};
use countersign_domain::{
    factor::{FactorKind, RightFactor},
    id::FactorId,
    refusal::Reason,
    totp::TotpCode,
};

/// Enables an authenticator app with its first code.
#[derive(Clone, Debug)]
pub struct ConfirmTotp {
    pub work: UnitsOfWork,
    pub factors: FactorGate,
    pub enable: EnableFactor,
    pub throttle: Throttle,
}

impl ConfirmTotp {
    /// # Errors
    /// FACTOR_NOT_FOUND when it waits no longer; CODE_INVALID, STEP_UP_REQUIRED, REAUTHENTICATION_REQUIRED,
    /// FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED, RATE_LIMITED; CHALLENGE_INVALID or CREDENTIALS_INVALID
    /// when the login waits no longer.
    #[tracing::instrument(level = "debug", name = "factor.confirm_totp", skip_all)]
    pub async fn confirm(
        &self,
        origin: &Origin,
        adder: FactorAdder<'_>,
        (id, code): (FactorId, &TotpCode),
    ) -> Result<AddedFactor, Failure> {
        let (tenant, account, now) = (adder.tenant(), adder.account().id, self.work.now());
        let factors = factor::all(&self.work.read(), tenant, account).await?;
        let pending = pending(factors, (id, FactorKind::Totp), now)?;
        self.throttle.totp_confirmation(account).await?;
        let checked = self.factors.check_first_code(account, &pending, code).await?;
        let proven = checked.map_err(|wrong| wrong.refusal_of_code("code"))?;
        let RightFactor::Totp { step, .. } = *proven.proof().factor() else {
            return Err(Failure::Broken("the code of an app proves something else".to_owned()));
        };
        let opening = self.enable.prepare(origin, adder, &proven).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let owner = self.enable.adders.hold_to_enable(&unit, adder).await?;
        if !factor::confirm(unit.db(), tenant, account, (id, step), now).await? {
            return Err(Reason::FactorNotFound.into());
        }
        let enabled = Enabled { id, kind: FactorKind::Totp, name: &pending.factor.name };
        self.enable.complete(origin, unit, (adder, &owner), (enabled, opening)).await
    }
}
