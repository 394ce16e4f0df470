use super::{
    AdmittedAttempt, AttemptLimiter, FactorClient, FactorSecrets, PasskeyGate, PresentedFactor, Throttle, WrongFactor,
};
use crate::{
    passkeys::{AuthenticationResponse, CeremonyState, NewPasskey, RegistrationResponse},
    store::{
        Tx, account, backup_code, factor,
        factor::SealedFactor,
        passkey, remembered_device,
        second_factor::{self, Forgotten},
    },
    usecase::{EventSubject, Failure, Mail, Origin, UnitOfWork, UnitsOfWork},
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    factor::{DEVICE_LOCKED_AFTER, FactorKind, FactorMethod, FactorProof, LOCKED_AFTER, RightFactor},
    id::{AccountId, FactorId, SessionId},
    mail::MailTemplate,
    refusal::Reason,
    time::Timestamp,
    totp::{TotpCode, TotpVerdict},
};

/// Checks a factor that a caller presents.
#[derive(Clone, Debug)]
pub struct FactorGate {
    pub work: UnitsOfWork,
    pub secrets: FactorSecrets,
    pub attempts: AttemptLimiter,
    pub throttle: Throttle,
    pub passkeys: PasskeyGate,
}

/// The proof of a factor of an account. Only [`FactorGate`] makes one.
#[derive(Debug)]
pub struct FactorProven(FactorProof);

impl FactorProven {
    /// What a login consumes.
    pub const fn proof(&self) -> &FactorProof {
        &self.0
    }
}

impl FactorGate {
    /// Admits an attempt at a factor of an account. A passkey is always admitted: nobody finds its signature by trying,
    /// and wrong codes do not keep its owner out. To be called in a task that is not cancelled.
    ///
    /// # Errors
    /// FACTOR_LOCKED for a code of an app after too many wrong ones, except from a recognized device; RATE_LIMITED
    /// while the attempt has to wait.
    pub async fn admit(
        &self,
        account: &Account,
        client: FactorClient,
        presented: &PresentedFactor,
    ) -> Result<AdmittedAttempt, Failure> {
        match presented.method() {
            FactorMethod::Passkey => return Ok(self.attempts.uncounted()),
            FactorMethod::Totp if account.totp_is_locked() && client.recognized.is_none() => {
                return Err(Reason::FactorLocked.into());
            }
            FactorMethod::Totp | FactorMethod::BackupCode => {}
        }
        self.attempts.admit_second_factor(account.tenant, account.id, client.recognized).await
    }

    /// Checks a factor. It is not used up yet: the transaction that acts on it does that ([`FactorGate::use_up`]).
    /// `ceremony` is what a passkey has to answer; without one, no passkey is right.
    ///
    /// # Errors
    /// When the database does not answer, or a secret cannot be opened.
    pub async fn check(
        &self,
        account: &Account,
        client: FactorClient,
        (presented, ceremony): (&PresentedFactor, Option<&CeremonyState>),
    ) -> Result<Result<FactorProven, WrongFactor>, Failure> {
        let (db, now) = (self.work.read(), self.work.now());
        let factors = factor::all(&db, account.tenant, account.id).await?;
        let right = match presented {
            PresentedFactor::Totp(code) => {
                self.check_totp(account.id, &factors, (code, client.recognized.is_some()), now).await?
            }
            PresentedFactor::BackupCode(code) => {
                let key = factors.iter().find(|stored| stored.factor.kind == FactorKind::BackupCodes);
                let Some(key) = key else { return Ok(Err(WrongFactor::Wrong)) };
                let digest = self.secrets.digest(account.id, key, code).await?;
                let is_unused = backup_code::is_unused(&db, account.tenant, account.id, &digest).await?;
                if is_unused { Ok(RightFactor::BackupCode { digest }) } else { Err(WrongFactor::Wrong) }
            }
            PresentedFactor::Passkey(passkey) => {
                let digest = passkey.credential_digest();
                let stored = factors.iter().find(|stored| stored.credential_digest.as_deref() == Some(&digest));
                let (Some(stored), Some(ceremony)) = (stored, ceremony) else { return Ok(Err(WrongFactor::Wrong)) };
                self.passkeys.check(account.id, stored, (passkey, ceremony)).await?
            }
        };
        Ok(right.map(|factor| FactorProven(FactorProof::of(account.id, factor))))
    }

    /// Checks a passkey of an account that nobody named.
    ///
    /// # Errors
    /// As [`FactorGate::check`].
    pub async fn check_passkey(
        &self,
        account: AccountId,
        stored: &SealedFactor,
        answer: (&AuthenticationResponse, &CeremonyState),
    ) -> Result<Result<FactorProven, WrongFactor>, Failure> {
        let right = self.passkeys.check(account, stored, answer).await?;
        Ok(right.map(|factor| FactorProven(FactorProof::of(account, factor))))
    }

    /// Checks the first code of an authenticator app of an account.
    ///
    /// # Errors
    /// When its secret cannot be opened.
    pub async fn check_first_code(
        &self,
        account: AccountId,
        pending: &SealedFactor,
        code: &TotpCode,
    ) -> Result<Result<FactorProven, WrongFactor>, Failure> {
        let verdict = self.secrets.totp(account, pending).await?.check(code, self.work.now(), None);
        Ok(match verdict {
            TotpVerdict::Right { step } => {
                let right = RightFactor::Totp { factor: pending.factor.id, step };
                Ok(FactorProven(FactorProof::of(account, right)))
            }
            TotpVerdict::ClockOff { .. } => Err(WrongFactor::ClockOff),
            TotpVerdict::Used | TotpVerdict::Wrong => Err(WrongFactor::Wrong),
        })
    }

    /// Checks what the authenticator of a passkey answered that an account is about to get.
    ///
    /// # Errors
    /// PASSKEYS_UNAVAILABLE; when the stored ceremony cannot be opened.
    pub async fn check_registration(
        &self,
        account: AccountId,
        pending: &SealedFactor,
        answer: &RegistrationResponse,
    ) -> Result<Result<(FactorProven, NewPasskey), WrongFactor>, Failure> {
        let ceremony = self.secrets.passkey_registration(account, pending).await?;
        let registered = self.passkeys.passkeys()?.finish_registration(&ceremony, answer)?;
        let factor = pending.factor.id;
        let proven = |new: NewPasskey| {
            let right = RightFactor::Passkey { factor, sign_count: new.facts.sign_count };
            (FactorProven(FactorProof::of(account, right)), new)
        };
        Ok(registered.map(proven).map_err(|rejected| WrongFactor::of_passkey(rejected, factor)))
    }

    /// Compares a code with every authenticator app of an account.
    async fn check_totp(
        &self,
        account: AccountId,
        factors: &[SealedFactor],
        (code, hints_ahead): (&TotpCode, bool),
        now: Timestamp,
    ) -> Result<Result<RightFactor, WrongFactor>, Failure> {
        let mut found = Err(WrongFactor::Wrong);
        let is_app = |stored: &&SealedFactor| stored.factor.kind == FactorKind::Totp && stored.factor.is_enabled();
        for stored in factors.iter().filter(is_app) {
            let secret = self.secrets.totp(account, stored).await?;
            match secret.check(code, now, stored.factor.last_step) {
                TotpVerdict::Right { step } => found = Ok(RightFactor::Totp { factor: stored.factor.id, step }),
                TotpVerdict::Used if found.is_err() => found = Err(WrongFactor::Used),
                // Nobody else learns of a code that is still to come.
                TotpVerdict::ClockOff { is_ahead }
                    if found == Err(WrongFactor::Wrong) && (hints_ahead || !is_ahead) =>
                {
                    found = Err(WrongFactor::ClockOff);
                }
                TotpVerdict::Used | TotpVerdict::ClockOff { .. } | TotpVerdict::Wrong => {}
            }
        }
        Ok(found)
    }

    /// Uses a right proof up. `has_password`: whether a password was proven as well. Returns whether it was unused: of
    /// concurrent calls with one code, one uses it. The account must be locked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_up(
        tx: &Tx,
        account: &Account,
        (right, has_password): (&RightFactor, bool),
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let (tenant, id) = (account.tenant, account.id);
        let is_used = match right {
            RightFactor::Totp { factor, step } => factor::spend_step(tx, tenant, id, (*factor, *step), now).await?,
            RightFactor::BackupCode { digest } => backup_code::spend(tx, tenant, id, digest, now).await?,
            RightFactor::Passkey { factor, sign_count } => {
                passkey::advance(tx, tenant, id, (*factor, *sign_count), has_password, now).await?
            }
        };
        if is_used && account.factor_failures > 0 {
            account::forgive_factor_failures(tx, tenant, id).await?;
        }
        Ok(is_used)
    }

    /// Records that a backup code was used up, and mails the owner.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tell_of_use(
        unit: &UnitOfWork<'_>,
        account: &Account,
        session: SessionId,
        right: &RightFactor,
    ) -> Result<(), Failure> {
        if right.method() != FactorMethod::BackupCode {
            return Ok(());
        }
        unit.record(EventKind::BackupCodeUsed, EventSubject::own(account.id).in_session(session)).await?;
        let left = backup_code::count_unused(unit.db(), account.tenant, account.id).await?;
        let mail = Mail::to_owner(MailTemplate::BackupCodeUsed, account).with("codes_left", left.to_string());
        unit.queue_mail(mail).await?;
        Ok(())
    }

    /// Counts a wrong code in the attempt limiter, and in the database: for a device on which a second factor was
    /// proven before, or else, for a code of an app, for the account. A wrong passkey counts nowhere: it leaves an
    /// event, and tells the owner.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_wrong(
        &self,
        origin: &Origin,
        (account, client): (&Account, FactorClient),
        admitted: AdmittedAttempt,
        (presented, why): (&PresentedFactor, WrongFactor),
    ) -> Result<(), Failure> {
        let settled = admitted.failed().await;
        let (tenant, id) = (account.tenant, account.id);
        let about = || EventSubject { session: client.session, ..EventSubject::target(Some(id)) };
        let unit = self.work.begin(origin, tenant).await?;
        unit.record_refusal(EventKind::FactorRefused, presented.refusal(why).reason, about()).await?;
        if settled.locked.is_some() {
            unit.record(EventKind::FactorDelayed, about()).await?;
        }
        let mut mails_owner = client.mails_owner;
        match (presented.method(), client.recognized) {
            (FactorMethod::Passkey, _) => {
                if let WrongFactor::Copied(passkey) = why {
                    mails_owner = false;
                    self.tell_of_copy(&unit, account, (passkey, about())).await?;
                }
            }
            (_, Some(device)) => {
                let failures = second_factor::count_failure(unit.db(), tenant, id, device).await?;
                if failures.is_some_and(|failures| failures >= DEVICE_LOCKED_AFTER) {
                    second_factor::forget(unit.db(), tenant, id, Forgotten::One(device)).await?;
                    remembered_device::forget(unit.db(), tenant, id, device).await?;
                    unit.record(EventKind::FactorLocked, about()).await?;
                    mails_owner = true;
                }
            }
            (FactorMethod::Totp, None) => {
                let failures = account::count_factor_failure(unit.db(), tenant, id).await?;
                // Exactly then, so that the owner is mailed once.
                if failures == Some(LOCKED_AFTER) {
                    unit.record(EventKind::FactorLocked, about()).await?;
                    unit.queue_mail(Mail::to_owner(MailTemplate::FactorLocked, account)).await?;
                }
            }
            (FactorMethod::BackupCode, None) => {}
        }
        if mails_owner && self.throttle.tells_of_failed_factor(id).await {
            let mail = Mail::to_owner(MailTemplate::SecondFactorFailed, account);
            unit.queue_mail(mail.with("client_address", origin.address.as_str())).await?;
        }
        unit.commit().await?;
        Ok(())
    }

    /// Records that somebody may have a copy of a passkey, and mails the owner.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tell_of_copy(
        &self,
        unit: &UnitOfWork<'_>,
        account: &Account,
        (passkey, about): (FactorId, EventSubject),
    ) -> Result<(), Failure> {
        let about = EventSubject { object: Some(passkey.to_string()), ..about };
        unit.record(EventKind::PasskeyCopied, about).await?;
        if self.throttle.tells_of_copy(account.id).await {
            let factors = factor::all(unit.db(), account.tenant, account.id).await?;
            let name = factors.into_iter().map(|stored| stored.factor).find(|factor| factor.id == passkey);
            let mail = Mail::to_owner(MailTemplate::PasskeyCopied, account);
            unit.queue_mail(mail.with("device", name.map(|factor| factor.name).unwrap_or_default())).await?;
        }
        Ok(())
    }
}
