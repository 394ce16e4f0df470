use super::IssueBackupCodes;
use crate::{
    store::{account, challenge, factor, second_factor},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{DeviceRecognition, FactorSecrets, SessionTries, SignedIn, Throttle, WrongCode, require_level},
    },
};
use countersign_domain::{
    audit::EventKind,
    backup_code::BackupCode,
    client::DeviceSignal,
    factor::{FactorKind, MAX_FACTORS},
    id::FactorId,
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    totp::{TotpCode, TotpVerdict},
};

/// Enables an authenticator app with its first code.
#[derive(Clone, Debug)]
pub struct ConfirmTotp {
    pub work: UnitsOfWork,
    pub secrets: FactorSecrets,
    pub backup_codes: IssueBackupCodes,
    pub throttle: Throttle,
    pub tries: SessionTries,
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
        let pending = factors.into_iter().find(|stored| {
            let factor = &stored.factor;
            factor.id == id && factor.kind == FactorKind::Totp && factor.is_pending(now)
        });
        let pending = pending.ok_or(Reason::FactorNotFound)?;
        self.throttle.totp_confirmation(account).await?;
        let step = match self.secrets.totp(account, &pending).await?.check(code, now, None) {
            TotpVerdict::Right { step } => step,
            TotpVerdict::ClockOff { .. } => return Err(WrongCode::ClockOff.refusal("code").into()),
            TotpVerdict::Used | TotpVerdict::Wrong => return Err(WrongCode::Wrong.refusal("code").into()),
        };
        let unit = self.work.begin(origin, tenant).await?;
        let (owner, session) = self.tries.hold(unit.db(), caller).await?;
        // Whoever began without a factor of the account does not end beside one.
        require_level(caller, &owner)?;
        if owner.factors >= MAX_FACTORS {
            return Err(Reason::FactorLimitReached.into());
        }
        if !factor::confirm(unit.db(), tenant, account, (id, step), now).await? {
            return Err(Reason::FactorNotFound.into());
        }
        account::set_factors(unit.db(), tenant, account, owner.factors + 1).await?;
        let codes = if owner.has_factor() { Vec::new() } else { self.backup_codes.replace(&unit, account).await? };
        if let DeviceSignal::Shown(shown) = DeviceRecognition::signal(device)
            && session.device == Some(shown)
        {
            second_factor::note(unit.db(), tenant, account, shown, now).await?;
        }
        // What waits for a second factor began before this one.
        challenge::delete_all(unit.db(), tenant, account).await?;
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::FactorAdded, about.in_session(caller.session().id)).await?;
        let mail = Mail::to_owner(MailTemplate::FactorAdded, &owner);
        unit.queue_mail(mail.with("device", pending.factor.name.as_str())).await?;
        unit.commit().await?;
        Ok(codes)
    }
}
