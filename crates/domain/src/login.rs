//! Login: the states from naming an account to opening a session.
//!
//! Each state is a type, and each transition consumes the state before it and a proof. Only a [`CompletedLogin`] opens
//! a session, and only the transitions of this module make one. The next state is decided before anything is written;
//! the transaction that opens the session only checks that the facts behind the decision still hold.

use crate::{
    account::Account,
    assurance::{AuthenticationMethod, PASSKEY, PASSWORD_AND_CODE, PASSWORD_AND_PASSKEY},
    closed_list::closed_list,
    device::DeviceTrust,
    factor::{FactorMethod, FactorProof, RightFactor},
    id::{AccountId, CeremonyId, ChallengeId},
    refusal::Reason,
    time::Timestamp,
};
use std::time::Duration;

/// How long a challenge waits for a second factor, and a ceremony for a passkey.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(5 * 60);
/// How long a challenge waits for a mailed code: the most that NIST SP 800-63B-4 section 3.1.3.2 allows.
pub const EMAIL_CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a challenge waits until its person has added a factor. An app may have to be installed first.
pub const ENROLMENT_LIFE: Duration = Duration::from_secs(30 * 60);
/// Wrong proofs after which a challenge is void.
pub const CHALLENGE_TRIES: i32 = 5;

/// The password of an account was checked and is right. Only `src/usecase/gate/password.rs` makes one:
/// `tests/architecture` checks that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordProof {
    account: AccountId,
    version: i32,
}

impl PasswordProof {
    pub const fn of(account: &Account) -> Self {
        Self { account: account.id, version: account.password_version }
    }
}

/// A caller named an account, and proved nothing yet.
#[derive(Clone, Debug)]
pub struct StartedLogin {
    account: Option<Account>,
    trust: DeviceTrust,
}

/// The state of a login after its password was proven.
#[derive(Debug)]
pub enum LoginState {
    Completed(CompletedLogin),
    Challenged(ChallengedLogin),
}

/// The password is proven, and is not enough. Nothing is open yet: the login waits as a [`Challenge`] for a call with
/// what is missing.
#[derive(Debug)]
pub struct ChallengedLogin {
    account: Account,
    awaits: Awaited,
}

closed_list! {
    /// What a challenge waits for. The name is stored in its row.
    pub enum Awaited {
        /// A factor of the account.
        Factor = "factor",
        /// The code that was mailed. The account has no factor, and has to get one: the password alone must not add the
        /// factor of whoever stole it, on no device, because the password alone makes a device recognized.
        EmailCode = "email_code",
        /// The first factor of the account.
        Enrolment = "enrolment",
    }
}

/// How a login that waits can continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeMethod {
    Totp,
    BackupCode,
    Passkey,
    /// With the code that was mailed.
    EmailCode,
    /// By adding a factor.
    Enrol,
}

impl From<FactorMethod> for ChallengeMethod {
    fn from(method: FactorMethod) -> Self {
        match method {
            FactorMethod::Totp => Self::Totp,
            FactorMethod::BackupCode => Self::BackupCode,
            FactorMethod::Passkey => Self::Passkey,
        }
    }
}

/// A login that waits, as it is stored. `src/store/challenge.rs` stores and reads one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub id: ChallengeId,
    pub account: AccountId,
    pub awaits: Awaited,
    /// The version of the password that was proven.
    pub password_version: i32,
    /// Proofs that were presented.
    pub tries: i32,
    pub expires_at: Timestamp,
}

/// The code that was mailed for a challenge was checked and is right. Only `src/usecase/gate/email_code.rs` makes one:
/// `tests/architecture` checks that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailCodeProof {
    challenge: ChallengeId,
}

impl EmailCodeProof {
    pub const fn of(challenge: ChallengeId) -> Self {
        Self { challenge }
    }
}

/// A login by passkey alone: a discoverable credential whose authenticator verified its user. Nothing is stored of it
/// until it opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyCeremony {
    pub id: CeremonyId,
    pub expires_at: Timestamp,
}

/// What the transaction that opens a session uses up: of two that use up the same, one opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorUse {
    pub answers: Answered,
    pub factor: RightFactor,
}

impl FactorUse {
    /// Whether a password was proven as well.
    pub const fn has_password(&self) -> bool {
        matches!(self.answers, Answered::Challenge(_) | Answered::Enrolment(_))
    }
}

/// What the proof of a factor answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// After a right password.
    Challenge(ChallengeId),
    /// After a right password, with the first factor of the account. The statement that enables the factor also uses
    /// its first proof up.
    Enrolment(ChallengeId),
    /// Without a password.
    PasskeyLogin(PasskeyCeremony),
}

/// Everything that the account requires is proven: one session may be opened.
#[derive(Debug)]
pub struct CompletedLogin {
    account: Account,
    trust: DeviceTrust,
    factor: Option<FactorUse>,
    authenticated_at: Timestamp,
}

impl StartedLogin {
    /// `account` is `None` when no account has the identifier. The login continues all the same, so that an attacker
    /// cannot tell (enumeration).
    pub fn new(account: Option<Account>, trust: impl FnOnce(&Account) -> DeviceTrust) -> Self {
        let trust = account.as_ref().map_or(DeviceTrust::Stranger, trust);
        Self { account, trust }
    }

    pub const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// How much the account trusts the device that the login comes from.
    pub const fn trust(&self) -> DeviceTrust {
        self.trust
    }

    /// Whether the right password is accepted. After too many wrong passwords it is accepted from recognized devices
    /// only, and for a disabled account never. The answer to a right password that is not accepted is the same as to a
    /// wrong one.
    pub fn accepts_password(&self) -> bool {
        let accepts = |account: &Account| {
            !account.is_disabled() && (self.trust.is_counted_alone() || !account.password_is_spent())
        };
        self.account.as_ref().is_some_and(accepts)
    }

    /// The password of the account was proven. `requires_factor`: whether policy requires a second factor of it.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID where the password is not accepted, or the proof is of another password.
    pub fn password_proven(
        self,
        proof: PasswordProof,
        requires_factor: bool,
        now: Timestamp,
    ) -> Result<LoginState, Reason> {
        let is_accepted = self.accepts_password();
        let account = self.account.filter(|account| is_accepted && PasswordProof::of(account) == proof);
        let account = account.ok_or(Reason::CredentialsInvalid)?;
        let trust = self.trust;
        let awaits = match (account.has_factor(), requires_factor) {
            (true, _) => Some(Awaited::Factor).filter(|_| trust != DeviceTrust::Remembered),
            (false, true) => Some(Awaited::EmailCode),
            (false, false) => None,
        };
        Ok(match awaits {
            Some(awaits) => LoginState::Challenged(ChallengedLogin { account, awaits }),
            None => LoginState::Completed(CompletedLogin { account, trust, factor: None, authenticated_at: now }),
        })
    }
}

impl ChallengedLogin {
    pub const fn account(&self) -> &Account {
        &self.account
    }

    pub const fn awaits(&self) -> Awaited {
        self.awaits
    }

    /// The challenge to store.
    pub fn challenge(&self, id: ChallengeId, now: Timestamp) -> Challenge {
        let Self { account: Account { id: account, password_version, .. }, awaits } = self;
        let (account, password_version, expires_at) = (*account, *password_version, now.plus(awaits.life()));
        Challenge { id, account, awaits: *awaits, password_version, tries: 0, expires_at }
    }
}

impl Awaited {
    /// How long a challenge waits for it.
    pub const fn life(self) -> Duration {
        match self {
            Self::Factor => CHALLENGE_LIFE,
            Self::EmailCode => EMAIL_CODE_LIFE,
            Self::Enrolment => ENROLMENT_LIFE,
        }
    }
}

impl Challenge {
    /// Whether the account still takes this for the challenge.
    ///
    /// # Errors
    /// CHALLENGE_INVALID when it waits for something else, is used up or has expired; when the account was disabled,
    /// got another password, lost its last factor or got its first one; or when it is another account.
    pub fn accepts(&self, awaited: Awaited, account: &Account, now: Timestamp) -> Result<(), Reason> {
        let holds = self.awaits == awaited
            && account.id == self.account
            && !account.is_disabled()
            && account.has_factor() == (awaited == Awaited::Factor)
            && account.password_version == self.password_version
            && self.tries < CHALLENGE_TRIES
            && now < self.expires_at;
        if holds { Ok(()) } else { Err(Reason::ChallengeInvalid) }
    }

    /// A second factor of the account was proven. `account` and `trust` are those of now.
    ///
    /// # Errors
    /// CHALLENGE_INVALID as for [`Challenge::accepts`], or when the proof is of another account.
    pub fn factor_proven(
        &self,
        proof: &FactorProof,
        account: Account,
        trust: DeviceTrust,
        now: Timestamp,
    ) -> Result<CompletedLogin, Reason> {
        self.complete((Awaited::Factor, Answered::Challenge(self.id)), proof, (account, trust), now)
    }

    /// The first factor of the account was proven, and is about to be enabled. `account` and `trust` are those of now.
    ///
    /// # Errors
    /// CHALLENGE_INVALID as for [`Challenge::accepts`], or when the proof is of another account.
    pub fn factor_enrolled(
        &self,
        proof: &FactorProof,
        account: Account,
        trust: DeviceTrust,
        now: Timestamp,
    ) -> Result<CompletedLogin, Reason> {
        self.complete((Awaited::Enrolment, Answered::Enrolment(self.id)), proof, (account, trust), now)
    }

    fn complete(
        &self,
        (awaited, answers): (Awaited, Answered),
        proof: &FactorProof,
        (account, trust): (Account, DeviceTrust),
        now: Timestamp,
    ) -> Result<CompletedLogin, Reason> {
        self.accepts(awaited, &account, now)?;
        if proof.account() != account.id {
            return Err(Reason::ChallengeInvalid);
        }
        let factor = Some(FactorUse { answers, factor: proof.factor().clone() });
        Ok(CompletedLogin { account, trust, factor, authenticated_at: now })
    }

    /// The mailed code was proven: the challenge that takes the place of this one, under an id of its own, so that the
    /// code is used once.
    ///
    /// # Errors
    /// CHALLENGE_INVALID as for [`Challenge::accepts`], or when the proof is of another challenge.
    pub fn email_code_proven(
        &self,
        proof: EmailCodeProof,
        account: &Account,
        next: ChallengeId,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        self.accepts(Awaited::EmailCode, account, now)?;
        if proof.challenge != self.id {
            return Err(Reason::ChallengeInvalid);
        }
        let awaits = Awaited::Enrolment;
        Ok(Self { id: next, awaits, tries: 0, expires_at: now.plus(awaits.life()), ..*self })
    }
}

impl PasskeyCeremony {
    /// The login of now.
    pub fn start(id: CeremonyId, now: Timestamp) -> Self {
        Self { id, expires_at: now.plus(CHALLENGE_LIFE) }
    }

    /// A passkey of the account was proven. `account` and `trust` are those of now. Wrong passwords do not count: they
    /// say nothing about a passkey.
    ///
    /// # Errors
    /// CHALLENGE_INVALID when it has expired. PASSKEY_INVALID when the account is disabled, or the proof is of another
    /// account or factor: who is registered is not told.
    pub fn passkey_proven(
        self,
        proof: &FactorProof,
        account: Account,
        trust: DeviceTrust,
        now: Timestamp,
    ) -> Result<CompletedLogin, Reason> {
        if now >= self.expires_at {
            return Err(Reason::ChallengeInvalid);
        }
        let is_of_account = proof.account() == account.id && account.has_passkey() && !account.is_disabled();
        if !is_of_account || proof.factor().method() != FactorMethod::Passkey {
            return Err(Reason::PasskeyInvalid);
        }
        let factor = Some(FactorUse { answers: Answered::PasskeyLogin(self), factor: proof.factor().clone() });
        Ok(CompletedLogin { account, trust, factor, authenticated_at: now })
    }
}

impl CompletedLogin {
    /// The account as it was when its owner was authenticated.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    pub const fn trust(&self) -> DeviceTrust {
        self.trust
    }

    /// How its owner was authenticated.
    pub const fn methods(&self) -> &'static [AuthenticationMethod] {
        let Some(proven) = &self.factor else { return &[AuthenticationMethod::Password] };
        match (proven.answers, proven.factor.method()) {
            (Answered::PasskeyLogin(_), _) => PASSKEY,
            (Answered::Challenge(_) | Answered::Enrolment(_), FactorMethod::Passkey) => PASSWORD_AND_PASSKEY,
            (Answered::Challenge(_) | Answered::Enrolment(_), FactorMethod::Totp | FactorMethod::BackupCode) => {
                PASSWORD_AND_CODE
            }
        }
    }

    /// What opening the session uses up; `None` for a login by password alone.
    pub const fn factor(&self) -> Option<&FactorUse> {
        self.factor.as_ref()
    }

    /// Whether the account has a factor and none was proven, because it remembers the device.
    pub fn rests_on_remembered_device(&self) -> bool {
        self.factor.is_none() && self.account.has_factor()
    }

    /// Whether a password was proven.
    pub const fn proved_password(&self) -> bool {
        match &self.factor {
            Some(factor) => factor.has_password(),
            None => true,
        }
    }

    pub const fn authenticated_at(&self) -> Timestamp {
        self.authenticated_at
    }
}

#[cfg(test)]
mod tests;
