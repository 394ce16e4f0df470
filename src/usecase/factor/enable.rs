use super::IssueBackupCodes;
use crate::{
    store::{account, challenge, factor::SealedFactor, remembered_device, second_factor},
    usecase::{
        EventSubject, Failure, Mail, UnitOfWork,
        gate::{DeviceRecognition, SessionTries, SignedIn, require_level},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    backup_code::BackupCode,
    client::DeviceSignal,
    factor::{FactorKind, MAX_FACTORS},
    id::FactorId,
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    session::Session,
    time::Timestamp,
};

/// What happens whenever a factor is enabled, whatever its kind.
#[derive(Clone, Debug)]
pub struct EnableFactor {
    pub backup_codes: IssueBackupCodes,
    pub tries: SessionTries,
}

/// The factor that is enabled.
#[derive(Debug)]
pub(super) struct Enabled<'a> {
    pub(super) id: FactorId,
    pub(super) kind: FactorKind,
    pub(super) name: &'a str,
}

impl EnableFactor {
    /// Locks the account, and checks that its owner may enable another factor.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED.
    pub(super) async fn hold(&self, unit: &UnitOfWork<'_>, caller: &SignedIn) -> Result<(Account, Session), Failure> {
        let (owner, session) = self.tries.hold(unit.db(), caller).await?;
        // A caller who began before the account had a factor has to prove that factor first.
        require_level(caller, &owner)?;
        if owner.factors >= MAX_FACTORS {
            return Err(Reason::FactorLimitReached.into());
        }
        Ok((owner, session))
    }

    /// Records that a factor was enabled, after its row was. Returns the backup codes with the first factor of the
    /// account, and none with the others. `device` is the token of the caller's device, if the caller showed it: it is
    /// recognized for codes from then on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn record(
        &self,
        unit: &UnitOfWork<'_>,
        (owner, session): (&Account, &Session),
        enabled: Enabled<'_>,
        device: Option<&SecretText>,
    ) -> Result<Vec<BackupCode>, Failure> {
        let (tenant, account) = (owner.tenant, owner.id);
        let Enabled { id, kind, name } = enabled;
        account::count_factors(unit.db(), tenant, account).await?;
        let codes = if owner.has_factor() { Vec::new() } else { self.backup_codes.replace(unit, account).await? };
        if let DeviceSignal::Shown(shown) = DeviceRecognition::signal(device)
            && session.device == Some(shown)
        {
            second_factor::note(unit.db(), tenant, account, shown, unit.now()).await?;
        }
        // What waits for a second factor, or does without, began before this one.
        challenge::delete_all(unit.db(), tenant, account).await?;
        remembered_device::forget_all(unit.db(), tenant, account).await?;
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::FactorAdded, about.in_session(session.id)).await?;
        let template = match kind {
            FactorKind::Passkey => MailTemplate::PasskeyAdded,
            FactorKind::Totp | FactorKind::BackupCodes => MailTemplate::FactorAdded,
        };
        unit.queue_mail(Mail::to_owner(template, owner).with("device", name)).await?;
        Ok(codes)
    }
}

/// The factor of this id that waits for its first proof.
///
/// # Errors
/// FACTOR_NOT_FOUND.
pub(super) fn pending(
    factors: Vec<SealedFactor>,
    (id, kind): (FactorId, FactorKind),
    now: Timestamp,
) -> Result<SealedFactor, Reason> {
    let is_it =
        |stored: &SealedFactor| stored.factor.id == id && stored.factor.kind == kind && stored.factor.is_pending(now);
    factors.into_iter().find(is_it).ok_or(Reason::FactorNotFound)
}
