use crate::{
    passwords::{Hasher, PasswordHash, SALT_BYTES, Verdict},
    store::{
        account, account::NewHash, action, expected_device, outbox, passkey, past_password, remembered_device, session,
    },
    usecase::{
        Failure, Mail, UnitOfWork, UnitsOfWork,
        gate::{AttemptLimiter, BreachGate, Throttle},
    },
};
use countersign_domain::{
    account::Account,
    action::ActionPurpose,
    id::{DeviceId, EventId},
    mail::MailTemplate,
    password::{Candidate, NewPassword, PasswordPolicy, PasswordPurpose, PasswordRejected},
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::{EndReason, Session},
};

/// Sets a password, for every use case that does so: the policy, the past passwords, the hash, the sessions and the
/// mail.
///
/// A use case calls its steps in the order of their cost: first [`PasswordSetter::read`], with the checks of the other
/// fields; then [`PasswordSetter::accept`] or [`PasswordSetter::accept_password_of`], after the rate limits, the
/// captcha and the proof; then [`PasswordSetter::hash`].
#[derive(Clone, Debug)]
pub struct PasswordSetter {
    pub work: UnitsOfWork,
    pub policy: PasswordPolicy,
    /// How many of the last passwords are refused, the present one included.
    pub remembered: usize,
    pub breaches: BreachGate,
    pub hasher: Hasher,
    pub attempts: AttemptLimiter,
    pub throttle: Throttle,
}

/// Why a password is set.
#[derive(Clone, Copy, Debug)]
pub enum PasswordWhy<'a> {
    /// With a mailed link, from this device: every session ends.
    Reset { from: DeviceId },
    /// With the current password: every other session ends.
    Changed { kept: &'a Session },
}

/// A password that was set in a transaction that is not committed yet.
#[derive(Debug)]
#[must_use = "wrong passwords go on being counted as before"]
pub struct PasswordSet {
    /// The devices whose wrong passwords were counted.
    counted: Vec<DeviceId>,
}

impl PasswordSetter {
    /// Checks that the text has the form of a password. It costs next to nothing.
    ///
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`.
    pub fn read(&self, field: &'static str, text: &SecretText, purpose: PasswordPurpose) -> Result<Candidate, Refusal> {
        self.policy.read(text, purpose).map_err(|rejected| refusal(field, rejected))
    }

    /// The refusal of a password that was long enough beside a factor, and is not without one.
    pub fn too_short_alone(&self, field: &'static str) -> Refusal {
        refusal(field, PasswordRejected::TooShort { min: self.policy.min_chars })
    }

    /// Checks that the password is not one that an attacker would try first.
    ///
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`.
    pub fn accept(
        &self,
        field: &'static str,
        (candidate, purpose): (Candidate, PasswordPurpose),
        identifiers: &[&str],
    ) -> Result<NewPassword, Refusal> {
        self.policy.accept(candidate, purpose, identifiers).map_err(|rejected| refusal(field, rejected))
    }

    /// Returns the hash to store, after the check for known breaches. A password needs a hash to be set, so no password
    /// is set without that check.
    ///
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`; BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    pub async fn hash(&self, field: &'static str, password: &NewPassword) -> Result<NewHash, Failure> {
        self.breaches.ask(field, password).await?;
        let text = SecretText::new(self.hasher.hash(password).await?.as_str().to_owned());
        Ok(NewHash { text, needs_factor: password.needs_factor() })
    }

    /// The same for a sign-up. With one salt for each address, two hashes are equal when their passwords are.
    ///
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`; BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    pub async fn hash_comparably(
        &self,
        field: &'static str,
        password: &NewPassword,
        salt: [u8; SALT_BYTES],
    ) -> Result<SecretText, Failure> {
        self.breaches.ask(field, password).await?;
        Ok(SecretText::new(self.hasher.hash_comparably(password, salt).await?.as_str().to_owned()))
    }

    /// Checks a password for an account that has had others.
    ///
    /// The answer that a password was used before is rate limited. Otherwise somebody who holds a link, and hangs up
    /// before the password is set, could try any number of passwords that the owner may still use elsewhere.
    ///
    /// # Errors
    /// PASSWORD_REJECTED, also when it was used before; RATE_LIMITED, OVERLOADED.
    pub async fn accept_password_of(
        &self,
        account: &Account,
        (candidate, purpose): (Candidate, PasswordPurpose),
    ) -> Result<NewPassword, Failure> {
        let username = account.username.as_ref().map_or("", |name| name.as_str());
        let password = self.accept("new_password", (candidate, purpose), &[account.email.as_str(), username])?;
        let past = self.remembered.saturating_sub(1) as u64;
        let mut hashes = past_password::newest(&self.work.read(), account.tenant, account.id, past).await?;
        if self.remembered > 0 {
            hashes.extend(account.password_hash.clone());
        }
        if !hashes.is_empty() {
            self.throttle.past_passwords(account.id).await?;
        }
        for hash in hashes {
            let hash = PasswordHash::from_stored(hash.reveal().to_owned())
                .map_err(|_| Failure::Broken("a stored password hash cannot be read".to_owned()))?;
            let verdict = self.hasher.verify(password.password().clone(), &hash).await?;
            if matches!(verdict, Verdict::Right { .. }) {
                let refusal = Refusal::from(Reason::PasswordRejected);
                return Err(refusal.with_violation("new_password", "PASSWORD_REUSED", "was used before").into());
            }
        }
        Ok(password)
    }

    /// Sets the password and does what follows from it, in the caller's transaction.
    ///
    /// # Errors
    /// LINK_USED or CURRENT_PASSWORD_WRONG when the account was disabled or got another password in the meantime.
    pub async fn set(
        &self,
        unit: &UnitOfWork<'_>,
        account: &Account,
        hash: &NewHash,
        why: PasswordWhy<'_>,
    ) -> Result<PasswordSet, Failure> {
        let (tx, tenant, id, now) = (unit.db(), account.tenant, account.id, unit.now());
        if !account::replace_password(tx, tenant, id, account.password_version, hash, now).await? {
            // Another password was set after this one was accepted, the account was disabled, or it lost the factor
            // that the password needs.
            return Err(match why {
                PasswordWhy::Reset { .. } => Reason::LinkUsed.into(),
                PasswordWhy::Changed { .. } => Refusal::from(Reason::CurrentPasswordWrong)
                    .with_violation("current_password", "", "is wrong")
                    .into(),
            });
        }
        if let Some(replaced) = &account.password_hash {
            let past = EventId::new(now, self.work.entropy.bytes());
            past_password::insert(tx, tenant, past, id, replaced, now).await?;
            past_password::forget_older(tx, tenant, id, self.remembered.saturating_sub(1) as u64).await?;
        }
        let (kept, from, ended) = match why {
            PasswordWhy::Reset { from } => (None, Some(from), EndReason::PasswordReset),
            PasswordWhy::Changed { kept } => (Some(kept), None, EndReason::PasswordChanged),
        };
        session::end_all(tx, tenant, id, kept.map(|kept| kept.id), ended, now).await?;
        // The person to lock out may have logged in before, and so may the owner. So every recognized device becomes an
        // expected one: wrong passwords from unrecognized devices do not delay its logins, and the owner gets a mail
        // when somebody logs in from it.
        let devices = (kept.and_then(|kept| kept.device), from);
        let counted = expected_device::expect(tx, tenant, id, devices, now).await?;
        remembered_device::forget_all(tx, tenant, id).await?;
        if matches!(why, PasswordWhy::Reset { .. }) {
            // Whoever had the former password may have added a passkey.
            passkey::require_password(tx, tenant, id).await?;
        }
        // A reset link that was mailed before would undo the change, and an intruder may have requested to move the
        // account. First the queued mails are dropped, then the links are revoked: a mail that is being prepared
        // finishes in between.
        outbox::drop_waiting(tx, tenant, MailTemplate::ConfirmNewAddress, id.as_uuid()).await?;
        action::void(tx, tenant, ActionPurpose::ConfirmNewAddress, id.as_uuid(), now).await?;
        action::void(tx, tenant, ActionPurpose::ResetPassword, id.as_uuid(), now).await?;
        unit.queue_mail(Mail::to_owner(MailTemplate::PasswordChanged, account)).await?;
        Ok(PasswordSet { counted })
    }

    /// To be called after the commit: forgets the wrong passwords that were counted against the former password. The
    /// owner has proven to be the owner, so attempts of others no longer delay the owner's logins.
    pub async fn was_set(&self, account: &Account, set: PasswordSet) {
        self.attempts.forgive(account, &set.counted).await;
    }
}

fn refusal(field: &'static str, rejected: PasswordRejected) -> Refusal {
    Refusal::from(Reason::PasswordRejected).with_violation(field, rejected.reason(), rejected.describe())
}
