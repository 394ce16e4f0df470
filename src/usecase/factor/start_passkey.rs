use super::{AdderGate, FactorAdder};
use crate::{
    passkeys::{PasskeyOwner, StartedCeremony},
    runtime::Entropy,
    store::{factor, factor::SealedFactor},
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{PasskeyGate, Throttle},
    },
};
use countersign_domain::{
    account::Account,
    factor::{Factor, FactorKind, FactorName},
    id::FactorId,
    time::Timestamp,
};
use uuid::Uuid;

/// Begins to add a passkey.
#[derive(Clone, Debug)]
pub struct StartPasskey {
    pub work: UnitsOfWork,
    pub gate: PasskeyGate,
    pub entropy: Entropy,
    pub throttle: Throttle,
    pub adders: AdderGate,
}

/// What a browser asks an authenticator.
#[derive(Debug)]
pub struct StartedPasskey {
    pub id: FactorId,
    pub creation_json: String,
    /// When it is too late for the answer.
    pub expires_at: Timestamp,
}

impl StartPasskey {
    /// Replaces a passkey that waits. Passkeys that are enabled stay as they are. Without a name, the passkey gets that
    /// of its authenticator.
    ///
    /// # Errors
    /// PASSKEYS_UNAVAILABLE, STEP_UP_REQUIRED, REAUTHENTICATION_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED,
    /// ACCOUNT_DISABLED, RATE_LIMITED; CHALLENGE_INVALID when the login waits no longer.
    #[tracing::instrument(level = "debug", name = "factor.start_passkey", skip_all)]
    pub async fn start(
        &self,
        origin: &Origin,
        adder: FactorAdder<'_>,
        name: Option<&FactorName>,
    ) -> Result<StartedPasskey, Failure> {
        let (tenant, account) = (adder.tenant(), adder.account().id);
        self.gate.passkeys()?;
        self.throttle.factor_change(account).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let owner = self.adders.hold_to_start(&unit, adder).await?;
        factor::delete_pending(unit.db(), tenant, account, FactorKind::Passkey).await?;
        let factors = factor::all(unit.db(), tenant, account).await?;
        // One for all passkeys of the account: an authenticator replaces the passkey that it has for it.
        let user_handle = factors.iter().find_map(|stored| stored.user_handle);
        let user_handle = user_handle.unwrap_or_else(|| Uuid::from_bytes(self.entropy.bytes()));
        let StartedCeremony { options_json, ceremony } = self.ask(&owner, user_handle, &factors).await?;
        let id = FactorId::new(unit.now(), self.entropy.bytes());
        let factor = Factor {
            name: name.map_or_else(String::new, |name| name.as_str().to_owned()),
            ..Factor::pending(id, FactorKind::Passkey, unit.now())
        };
        let expires_at = factor.expires_at();
        let sealed = self.gate.secrets.ring.seal_factor(account, id, ceremony.0.as_bytes())?;
        let stored =
            SealedFactor { user_handle: Some(user_handle), ..SealedFactor::new(factor, sealed.text, sealed.key) };
        factor::insert(unit.db(), tenant, account, &stored).await?;
        unit.commit().await?;
        Ok(StartedPasskey { id, creation_json: options_json, expires_at })
    }

    async fn ask(
        &self,
        owner: &Account,
        user_handle: Uuid,
        factors: &[SealedFactor],
    ) -> Result<StartedCeremony, Failure> {
        let known = self.gate.enabled(owner.id, factors).await?;
        let name = owner.email.as_str();
        let display_name = Some(owner.display_name.as_str()).filter(|shown| !shown.is_empty()).unwrap_or(name);
        let asked = PasskeyOwner { user_handle, name, display_name };
        Ok(self.gate.passkeys()?.start_registration(asked, &known)?)
    }
}
