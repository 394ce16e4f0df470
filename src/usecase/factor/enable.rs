use super::{AdderGate, FactorAdder, IssueBackupCodes, adder::HeldOwner};
use crate::{
    store::{account, challenge, factor::SealedFactor, remembered_device, second_factor},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitOfWork, UnitsOfWork,
        authentication::{OpenSession, PreparedSession},
        gate::{AttemptLimiter, DeviceRecognition, FactorProven},
        session::{Logout, OpenedSession},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    backup_code::BackupCode,
    client::DeviceSignal,
    factor::FactorKind,
    id::{FactorId, SessionId},
    login::CompletedLogin,
    mail::MailTemplate,
    refusal::Reason,
    time::Timestamp,
};

/// What happens whenever a factor is enabled, whatever its kind.
#[derive(Clone, Debug)]
pub struct EnableFactor {
    pub work: UnitsOfWork,
    pub backup_codes: IssueBackupCodes,
    pub adders: AdderGate,
    pub open: OpenSession,
    pub attempts: AttemptLimiter,
    pub logout: Logout,
}

/// The factor that is enabled.
#[derive(Debug)]
pub(super) struct Enabled<'a> {
    pub(super) id: FactorId,
    pub(super) kind: FactorKind,
    pub(super) name: &'a str,
}

/// The session that a factor is about to open.
#[derive(Debug)]
pub(super) struct Opening {
    login: CompletedLogin,
    session: PreparedSession,
}

/// What comes with a factor.
#[derive(Debug)]
pub struct AddedFactor {
    /// With the first factor of the account.
    pub backup_codes: Vec<BackupCode>,
    /// The session of the login that waited for the factor.
    pub opened: Option<OpenedSession>,
}

impl EnableFactor {
    /// Prepares the session of a login that waits for the factor, before the transaction. `proven` is the first proof
    /// of the factor.
    ///
    /// # Errors
    /// CHALLENGE_INVALID.
    pub(super) async fn prepare(
        &self,
        origin: &Origin,
        adder: FactorAdder<'_>,
        proven: &FactorProven,
    ) -> Result<Option<Opening>, Failure> {
        let FactorAdder::LoggingIn { login, delivery, .. } = adder else { return Ok(None) };
        let (new, login) = (login.new_session(false, delivery)?, login.enrolled(proven, self.work.now())?);
        let session = self.open.prepare(origin, &login, new).await?;
        Ok(Some(Opening { login, session }))
    }

    /// Does everything that belongs to a factor, after its row was enabled, and commits. Where a login waited for the
    /// factor, its session is opened: a browser is in one session at a time, so its former session ends.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID or CHALLENGE_INVALID when the login may not be completed any more.
    pub(super) async fn complete(
        &self,
        origin: &Origin,
        unit: UnitOfWork<'_>,
        (adder, owner): (FactorAdder<'_>, &HeldOwner),
        (enabled, opening): (Enabled<'_>, Option<Opening>),
    ) -> Result<AddedFactor, Failure> {
        let (tenant, account) = (unit.tenant(), owner.account.id);
        account::count_factors(unit.db(), tenant, account).await?;
        let is_first = !owner.account.has_factor();
        let backup_codes = if is_first { self.backup_codes.replace(&unit, account).await? } else { Vec::new() };
        Self::note_device(&unit, adder, owner).await?;
        let opened = match opening {
            Some(Opening { login, session }) => Some(self.open.store(&unit, origin, &login, session).await?),
            None => None,
        };
        let session = opened.as_ref().map(|opened| opened.id).or(owner.session.as_ref().map(|session| session.id));
        // What waits for a second factor, or does without, began before this one.
        challenge::delete_all(unit.db(), tenant, account).await?;
        remembered_device::forget_all(unit.db(), tenant, account).await?;
        Self::tell(&unit, &owner.account, session, &enabled).await?;
        unit.commit().await?;
        if let FactorAdder::LoggingIn { login, former, .. } = adder {
            // As after any other login.
            self.attempts.forgive(&owner.account, &[login.device().shown]).await;
            Box::pin(self.logout.end_replaced(origin, former)).await;
        }
        Ok(AddedFactor { backup_codes, opened })
    }

    /// In a session, notes that a second factor was proven on its device.
    async fn note_device(unit: &UnitOfWork<'_>, adder: FactorAdder<'_>, owner: &HeldOwner) -> Result<(), Failure> {
        let FactorAdder::SignedIn { device, .. } = adder else { return Ok(()) };
        let own = owner.session.as_ref().and_then(|session| session.device);
        if let DeviceSignal::Shown(shown) = DeviceRecognition::signal(device)
            && own == Some(shown)
        {
            second_factor::note(unit.db(), unit.tenant(), owner.account.id, shown, unit.now()).await?;
        }
        Ok(())
    }

    async fn tell(
        unit: &UnitOfWork<'_>,
        owner: &Account,
        session: Option<SessionId>,
        Enabled { id, kind, name, .. }: &Enabled<'_>,
    ) -> Result<(), Failure> {
        let about = EventSubject { object: Some(id.to_string()), session, ..EventSubject::own(owner.id) };
        unit.record(EventKind::FactorAdded, about).await?;
        let template = match kind {
            FactorKind::Passkey => MailTemplate::PasskeyAdded,
            FactorKind::Totp | FactorKind::BackupCodes => MailTemplate::FactorAdded,
        };
        unit.queue_mail(Mail::to_owner(template, owner).with("device", *name)).await?;
        Ok(())
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
