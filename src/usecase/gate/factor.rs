use super::{AdmittedAttempt, AttemptLimiter, Throttle};
use crate::{
    keys::{KeyRing, MacKey},
    store::{
        Tx, account, backup_code, factor,
        factor::SealedFactor,
        second_factor::{self, Forgotten},
    },
    usecase::{EventSubject, Failure, Mail, Origin, UnitOfWork, UnitsOfWork, key::KeyUpdates},
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    backup_code::BackupCode,
    factor::{DEVICE_LOCKED_AFTER, FactorKind, FactorMethod, FactorProof, LOCKED_AFTER, RightCode},
    id::{AccountId, DeviceId, SessionId},
    mail::MailTemplate,
    refusal::{Reason, Refusal},
    secret::SecretBytes,
    time::Timestamp,
    totp::{TOTP_SECRET_BYTES, TotpCode, TotpSecret, TotpVerdict},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Checks a second factor that a caller presents.
#[derive(Clone, Debug)]
pub struct FactorGate {
    pub work: UnitsOfWork,
    pub secrets: FactorSecrets,
    pub attempts: AttemptLimiter,
    pub throttle: Throttle,
}

/// Seals and opens the secrets of factors.
#[derive(Clone, Debug)]
pub struct FactorSecrets {
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
}

/// A code as its caller presents it.
#[derive(Clone, Debug)]
pub enum PresentedCode {
    Totp(TotpCode),
    BackupCode(BackupCode),
}

/// The client that presents a code.
#[derive(Clone, Copy, Debug)]
pub struct FactorClient {
    /// The device, when a second factor of the account was proven on it before. Its wrong codes are counted separately,
    /// so that nobody else's delay it.
    pub recognized: Option<DeviceId>,
    /// The session, when there is one.
    pub session: Option<SessionId>,
    /// Whether the owner gets a mail about a wrong code.
    pub mails_owner: bool,
}

/// Why a code is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCode {
    Wrong,
    /// It was right, and was used before.
    Used,
    /// It belongs to another time: the clock of the phone is wrong.
    ClockOff,
}

/// The proof of a second factor of an account. Only [`FactorGate`] makes one.
#[derive(Debug)]
pub struct FactorProven(FactorProof);

impl FactorProven {
    /// What a login consumes.
    pub const fn proof(&self) -> &FactorProof {
        &self.0
    }
}

impl PresentedCode {
    pub const fn method(&self) -> FactorMethod {
        match self {
            Self::Totp(_) => FactorMethod::Totp,
            Self::BackupCode(_) => FactorMethod::BackupCode,
        }
    }

    /// The field of the request with the code.
    const fn field(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp_code",
            Self::BackupCode(_) => "backup_code",
        }
    }

    /// The refusal of a code that is not right.
    pub fn refusal(&self, why: WrongCode) -> Refusal {
        why.refusal(self.field())
    }
}

impl WrongCode {
    /// `field` is the field of the request with the code.
    pub fn refusal(self, field: &'static str) -> Refusal {
        let (reason, description) = match self {
            Self::Wrong => ("", "is wrong"),
            Self::Used => ("USED", "was used before: wait for the next one"),
            Self::ClockOff => ("CLOCK_OFF", "is of another time: check the clock of your phone"),
        };
        Refusal::from(Reason::CodeInvalid).with_violation(field, reason, description)
    }
}

impl FactorSecrets {
    /// The secret of an authenticator app.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn totp(&self, account: AccountId, stored: &SealedFactor) -> Result<TotpSecret, Failure> {
        let opened = self.open(account, stored).await?;
        let bytes: [u8; TOTP_SECRET_BYTES] = opened.as_slice().try_into().map_err(|_| unreadable())?;
        Ok(TotpSecret::new(SecretBytes::new(bytes)))
    }

    /// What is stored of a backup code, by the key of the account's codes.
    ///
    /// # Errors
    /// When the key cannot be opened.
    pub async fn digest(&self, account: AccountId, key: &SealedFactor, code: &BackupCode) -> Result<[u8; 32], Failure> {
        let opened = self.open(account, key).await?;
        let key: &[u8; 32] = opened.as_slice().try_into().map_err(|_| unreadable())?;
        Ok(digest_of(key, account, code))
    }

    async fn open(&self, account: AccountId, stored: &SealedFactor) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let opened = self.key_updates.open(|| self.ring.open_factor(account, stored.factor.id, &stored.sealed)).await;
        opened.map_err(|rejected| Failure::Broken(format!("the secret of a factor cannot be opened: {rejected}")))
    }
}

/// What is stored of a backup code.
pub fn digest_of(key: &[u8; 32], account: AccountId, code: &BackupCode) -> [u8; 32] {
    MacKey::new(key).tag("backup code", &[account.as_bytes(), code.reveal().as_bytes()])
}

fn unreadable() -> Failure {
    Failure::Broken("the secret of a factor has another length".to_owned())
}

impl FactorGate {
    /// Admits an attempt at the second factor of an account. To be called in a task that is not cancelled.
    ///
    /// # Errors
    /// FACTOR_LOCKED for a code of an app after too many wrong ones, except from a recognized device; RATE_LIMITED
    /// while the attempt has to wait.
    pub async fn admit(
        &self,
        account: &Account,
        client: FactorClient,
        code: &PresentedCode,
    ) -> Result<AdmittedAttempt, Failure> {
        if code.method() == FactorMethod::Totp && account.totp_is_locked() && client.recognized.is_none() {
            return Err(Reason::FactorLocked.into());
        }
        self.attempts.admit_second_factor(account.tenant, account.id, client.recognized).await
    }

    /// Checks a code. It is not used up yet: the transaction that acts on it does that ([`FactorGate::use_up`]).
    ///
    /// # Errors
    /// When the database does not answer, or a secret cannot be opened.
    pub async fn check(
        &self,
        account: &Account,
        client: FactorClient,
        code: &PresentedCode,
    ) -> Result<Result<FactorProven, WrongCode>, Failure> {
        let (db, now) = (self.work.read(), self.work.now());
        let factors = factor::all(&db, account.tenant, account.id).await?;
        let right = match code {
            PresentedCode::Totp(code) => {
                self.check_totp(account.id, &factors, (code, client.recognized.is_some()), now).await?
            }
            PresentedCode::BackupCode(code) => {
                let key = factors.iter().find(|stored| stored.factor.kind == FactorKind::BackupCodes);
                let Some(key) = key else { return Ok(Err(WrongCode::Wrong)) };
                let digest = self.secrets.digest(account.id, key, code).await?;
                let is_unused = backup_code::is_unused(&db, account.tenant, account.id, &digest).await?;
                if is_unused { Ok(RightCode::BackupCode { digest }) } else { Err(WrongCode::Wrong) }
            }
        };
        Ok(right.map(|code| FactorProven(FactorProof::of(account.id, code))))
    }

    /// Compares a code with every authenticator app of an account.
    async fn check_totp(
        &self,
        account: AccountId,
        factors: &[SealedFactor],
        (code, hints_ahead): (&TotpCode, bool),
        now: Timestamp,
    ) -> Result<Result<RightCode, WrongCode>, Failure> {
        let mut found = Err(WrongCode::Wrong);
        let is_app = |stored: &&SealedFactor| stored.factor.kind == FactorKind::Totp && stored.factor.is_enabled();
        for stored in factors.iter().filter(is_app) {
            let secret = self.secrets.totp(account, stored).await?;
            match secret.check(code, now, stored.factor.last_step) {
                TotpVerdict::Right { step } => found = Ok(RightCode::Totp { factor: stored.factor.id, step }),
                TotpVerdict::Used if found.is_err() => found = Err(WrongCode::Used),
                // Nobody else learns of a code that is still to come.
                TotpVerdict::ClockOff { is_ahead } if found == Err(WrongCode::Wrong) && (hints_ahead || !is_ahead) => {
                    found = Err(WrongCode::ClockOff);
                }
                TotpVerdict::Used | TotpVerdict::ClockOff { .. } | TotpVerdict::Wrong => {}
            }
        }
        Ok(found)
    }

    /// Uses a right code up. Returns whether it was unused: of concurrent calls with one code, one uses it. The account
    /// must be locked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_up(tx: &Tx, account: &Account, code: &RightCode, now: Timestamp) -> Result<bool, Failure> {
        let (tenant, id) = (account.tenant, account.id);
        let is_used = match code {
            RightCode::Totp { factor, step } => factor::spend_step(tx, tenant, id, (*factor, *step), now).await?,
            RightCode::BackupCode { digest } => backup_code::spend(tx, tenant, id, digest, now).await?,
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
        code: &RightCode,
    ) -> Result<(), Failure> {
        if code.method() != FactorMethod::BackupCode {
            return Ok(());
        }
        unit.record(EventKind::BackupCodeUsed, EventSubject::own(account.id).in_session(session)).await?;
        let left = backup_code::count_unused(unit.db(), account.tenant, account.id).await?;
        let mail = Mail::to_owner(MailTemplate::BackupCodeUsed, account).with("codes_left", left.to_string());
        unit.queue_mail(mail).await?;
        Ok(())
    }

    /// Counts a wrong code in the attempt limiter, and in the database: for a device on which a second factor was
    /// proven before, or else, for a code of an app, for the account.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_wrong(
        &self,
        origin: &Origin,
        (account, client): (&Account, FactorClient),
        admitted: AdmittedAttempt,
        code: &PresentedCode,
    ) -> Result<(), Failure> {
        let settled = admitted.failed().await;
        let (tenant, id) = (account.tenant, account.id);
        let about = || EventSubject { session: client.session, ..EventSubject::target(Some(id)) };
        let unit = self.work.begin(origin, tenant).await?;
        unit.record_refusal(EventKind::FactorRefused, Reason::CodeInvalid, about()).await?;
        if settled.locked.is_some() {
            unit.record(EventKind::FactorDelayed, about()).await?;
        }
        let mut mails_owner = client.mails_owner;
        if let Some(device) = client.recognized {
            let failures = second_factor::count_failure(unit.db(), tenant, id, device).await?;
            if failures.is_some_and(|failures| failures >= DEVICE_LOCKED_AFTER) {
                second_factor::forget(unit.db(), tenant, id, Forgotten::One(device)).await?;
                unit.record(EventKind::FactorLocked, about()).await?;
                mails_owner = true;
            }
        } else if code.method() == FactorMethod::Totp {
            let failures = account::count_factor_failure(unit.db(), tenant, id).await?;
            // Exactly then, so that the owner is mailed once.
            if failures == Some(LOCKED_AFTER) {
                unit.record(EventKind::FactorLocked, about()).await?;
                unit.queue_mail(Mail::to_owner(MailTemplate::FactorLocked, account)).await?;
            }
        }
        if mails_owner && self.throttle.tells_of_failed_factor(id).await {
            let mail = Mail::to_owner(MailTemplate::SecondFactorFailed, account);
            unit.queue_mail(mail.with("client_address", origin.address.as_str())).await?;
        }
        unit.commit().await?;
        Ok(())
    }
}
