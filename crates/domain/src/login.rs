//! Login: the states from naming an account to opening a session.
//!
//! Each state is a type, and each transition consumes the state before it and a proof. Only a [`CompletedLogin`] opens
//! a session, and only the transitions of this module make one. The next state is decided before anything is written;
//! the transaction that opens the session only checks that the facts behind the decision still hold.

use crate::{
    account::Account,
    assurance::{AuthenticationMethod, PASSKEY, PASSWORD_AND_CODE, PASSWORD_AND_PASSKEY},
    device::DeviceTrust,
    factor::{FactorMethod, FactorProof, RightFactor},
    id::{AccountId, CeremonyId, ChallengeId},
    refusal::Reason,
    time::Timestamp,
};
use std::time::Duration;

/// How long the owner of the password has for the second factor.
pub const CHALLENGE_LIFE: Duration = Duration::from_secs(5 * 60);
/// Wrong second factors after which a challenge is void.
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

/// The password is proven, and the account requires a second factor. Nothing is open yet: the login waits as a
/// [`Challenge`] for a call with the factor.
#[derive(Debug)]
pub struct ChallengedLogin {
    account: Account,
}

/// A login that waits for its second factor, as it is stored. `src/store/challenge.rs` stores and reads one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub id: ChallengeId,
    pub account: AccountId,
    /// The version of the password that was proven.
    pub password_version: i32,
    /// Second factors that were presented.
    pub tries: i32,
    pub expires_at: Timestamp,
}

/// A login by passkey alone: a discoverable credential whose authenticator verified its user. Nothing is stored of it
/// until it opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyLogin {
    pub id: CeremonyId,
    pub expires_at: Timestamp,
}

/// What the transaction that opens a session uses up: of two that use up the same, one opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenFactor {
    pub answers: Answered,
    pub factor: RightFactor,
}

/// What the proof of a factor answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// After a right password.
    Challenge(ChallengeId),
    /// Without one.
    PasskeyLogin(PasskeyLogin),
}

/// Everything that the account requires is proven: one session may be opened.
#[derive(Debug)]
pub struct CompletedLogin {
    account: Account,
    trust: DeviceTrust,
    factor: Option<ProvenFactor>,
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

    /// The password of the account was proven.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID where the password is not accepted, or the proof is of another password.
    pub fn password_proven(self, proof: PasswordProof, now: Timestamp) -> Result<LoginState, Reason> {
        let is_accepted = self.accepts_password();
        let account = self.account.filter(|account| is_accepted && PasswordProof::of(account) == proof);
        let account = account.ok_or(Reason::CredentialsInvalid)?;
        Ok(if account.has_factor() {
            LoginState::Challenged(ChallengedLogin { account })
        } else {
            let (trust, factor) = (self.trust, None);
            LoginState::Completed(CompletedLogin { account, trust, factor, authenticated_at: now })
        })
    }
}

impl ChallengedLogin {
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The challenge to store.
    pub fn challenge(&self, id: ChallengeId, now: Timestamp) -> Challenge {
        let Account { id: account, password_version, .. } = self.account;
        Challenge { id, account, password_version, tries: 0, expires_at: now.plus(CHALLENGE_LIFE) }
    }
}

impl Challenge {
    /// Whether the account still takes a second factor for this challenge.
    ///
    /// # Errors
    /// CHALLENGE_INVALID when it is used up or has expired; when the account was disabled, got another password or has
    /// no factor any more; or when it is another account.
    pub fn accepts_factor(&self, account: &Account, now: Timestamp) -> Result<(), Reason> {
        let holds = account.id == self.account
            && !account.is_disabled()
            && account.has_factor()
            && account.password_version == self.password_version
            && self.tries < CHALLENGE_TRIES
            && now < self.expires_at;
        if holds { Ok(()) } else { Err(Reason::ChallengeInvalid) }
    }

    /// A second factor of the account was proven. `account` and `trust` are those of now.
    ///
    /// # Errors
    /// CHALLENGE_INVALID as for [`Challenge::accepts_factor`], or when the proof is of another account.
    pub fn factor_proven(
        &self,
        proof: &FactorProof,
        account: Account,
        trust: DeviceTrust,
        now: Timestamp,
    ) -> Result<CompletedLogin, Reason> {
        self.accepts_factor(&account, now)?;
        if proof.account() != account.id {
            return Err(Reason::ChallengeInvalid);
        }
        let answers = Answered::Challenge(self.id);
        let factor = Some(ProvenFactor { answers, factor: proof.factor().clone() });
        Ok(CompletedLogin { account, trust, factor, authenticated_at: now })
    }
}

impl PasskeyLogin {
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
        let is_of_account = proof.account() == account.id && account.has_factor() && !account.is_disabled();
        if !is_of_account || proof.factor().method() != FactorMethod::Passkey {
            return Err(Reason::PasskeyInvalid);
        }
        let factor = Some(ProvenFactor { answers: Answered::PasskeyLogin(self), factor: proof.factor().clone() });
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
            (Answered::Challenge(_), FactorMethod::Passkey) => PASSWORD_AND_PASSKEY,
            (Answered::Challenge(_), FactorMethod::Totp | FactorMethod::BackupCode) => PASSWORD_AND_CODE,
        }
    }

    /// What opening the session uses up; `None` for a login by password alone.
    pub const fn factor(&self) -> Option<&ProvenFactor> {
        self.factor.as_ref()
    }

    /// Whether a password was proven.
    pub const fn proved_password(&self) -> bool {
        !matches!(self.factor, Some(ProvenFactor { answers: Answered::PasskeyLogin(_), .. }))
    }

    pub const fn authenticated_at(&self) -> Timestamp {
        self.authenticated_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::tests,
        factor::LOCKED_AFTER,
        id::{AccountId, FactorId},
        lockout::SPENT,
        totp::TotpStep,
    };

    const NOW: Timestamp = Timestamp::from_seconds(1);

    fn account(disabled: bool, failures: i32) -> Account {
        Account { password_failures: failures, disabled_at: disabled.then_some(NOW), ..tests::account() }
    }

    fn with_factor() -> Account {
        Account { factors: 1, ..account(false, 0) }
    }

    fn factor_proof(account: AccountId) -> FactorProof {
        let factor = FactorId::new(NOW, [3; 10]);
        FactorProof::of(account, RightFactor::Totp { factor, step: TotpStep::from_number(7) })
    }

    fn challenge(account: Account) -> Challenge {
        let proof = PasswordProof::of(&account);
        let started = StartedLogin::new(Some(account), |_| DeviceTrust::Stranger);
        match started.password_proven(proof, NOW) {
            Ok(LoginState::Challenged(login)) => login.challenge(ChallengeId::new(NOW, [4; 10]), NOW),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_password_completes_a_login_exactly_where_it_is_accepted() {
        use DeviceTrust::{Expected, Known, Stranger};
        let table = [
            ("an account", account(false, 0), Stranger, true),
            ("one with many wrong passwords", account(false, SPENT - 1), Stranger, true),
            ("one with too many wrong passwords", account(false, SPENT), Stranger, false),
            ("the same, on a device that it knows", account(false, SPENT), Known, true),
            ("the same, on a device that it expects", account(false, SPENT), Expected, true),
            ("a disabled account", account(true, 0), Stranger, false),
            ("a disabled account, on a device that it knows", account(true, 0), Known, false),
        ];
        for (what, account, trust, accepted) in table {
            let proof = PasswordProof::of(&account);
            let started = StartedLogin::new(Some(account), |_| trust);
            assert_eq!(started.accepts_password(), accepted, "{what}");
            match started.password_proven(proof, NOW) {
                Ok(LoginState::Completed(login)) => {
                    assert!(accepted, "{what}");
                    assert_eq!((login.trust(), login.authenticated_at()), (trust, NOW), "{what}");
                    assert_eq!(login.methods(), [AuthenticationMethod::Password], "{what}");
                    assert_eq!(login.factor(), None, "{what}");
                }
                Ok(LoginState::Challenged(_)) => panic!("{what}: no factor is required"),
                Err(reason) => assert!(!accepted && reason == Reason::CredentialsInvalid, "{what}"),
            }
        }
    }

    #[test]
    fn a_name_that_nobody_has_completes_nothing() {
        let started = StartedLogin::new(None, |_| DeviceTrust::Known);
        assert_eq!(started.trust(), DeviceTrust::Stranger);
        assert!(!started.accepts_password());
        let proof = PasswordProof::of(&account(false, 0));
        assert_eq!(started.password_proven(proof, NOW).err(), Some(Reason::CredentialsInvalid));
    }

    #[test]
    fn the_proof_of_another_password_or_account_completes_nothing() {
        let former = Account { password_version: 0, ..account(false, 0) };
        let another = Account { id: AccountId::new(NOW, [9; 10]), ..account(false, 0) };
        for other in [former, another] {
            let started = StartedLogin::new(Some(account(false, 0)), |_| DeviceTrust::Known);
            let refused = started.password_proven(PasswordProof::of(&other), NOW);
            assert_eq!(refused.err(), Some(Reason::CredentialsInvalid), "{other:?}");
        }
    }

    #[test]
    fn a_password_alone_completes_no_login_of_an_account_with_a_factor() {
        let account = with_factor();
        for trust in [DeviceTrust::Known, DeviceTrust::Expected, DeviceTrust::Stranger] {
            let started = StartedLogin::new(Some(account.clone()), |_| trust);
            let state = started.password_proven(PasswordProof::of(&account), NOW);
            assert!(matches!(state, Ok(LoginState::Challenged(_))), "{trust:?}: {state:?}");
        }
        let spent = Account { password_failures: SPENT, ..account };
        let started = StartedLogin::new(Some(spent.clone()), |_| DeviceTrust::Stranger);
        assert_eq!(started.password_proven(PasswordProof::of(&spent), NOW).err(), Some(Reason::CredentialsInvalid));
    }

    #[test]
    fn a_factor_completes_a_challenge_exactly_while_it_holds() {
        let account = with_factor();
        let challenge = challenge(account.clone());
        let life = |seconds| NOW.plus(Duration::from_secs(seconds));
        let other = AccountId::new(NOW, [9; 10]);
        let table = [
            ("at once", challenge, account.clone(), account.id, NOW, true),
            ("in the last second", challenge, account.clone(), account.id, life(299), true),
            ("after its time", challenge, account.clone(), account.id, life(300), false),
            ("the last try", Challenge { tries: 4, ..challenge }, account.clone(), account.id, NOW, true),
            ("without tries left", Challenge { tries: 5, ..challenge }, account.clone(), account.id, NOW, false),
            ("the proof of another account", challenge, account.clone(), other, NOW, false),
            ("another account", challenge, Account { id: other, ..account.clone() }, other, NOW, false),
            ("after a reset", challenge, Account { password_version: 2, ..account.clone() }, account.id, NOW, false),
            ("without factors", challenge, Account { factors: 0, ..account.clone() }, account.id, NOW, false),
            ("disabled", challenge, Account { disabled_at: Some(NOW), ..account.clone() }, account.id, NOW, false),
            // Whether a code of an app is accepted then is decided before it is compared.
            ("locked", challenge, Account { factor_failures: LOCKED_AFTER, ..account.clone() }, account.id, NOW, true),
        ];
        for (what, challenge, account, proven, now, completes) in table {
            let proof = factor_proof(proven);
            match challenge.factor_proven(&proof, account, DeviceTrust::Stranger, now) {
                Ok(login) => {
                    assert!(completes, "{what}");
                    let answers = Answered::Challenge(challenge.id);
                    let used = ProvenFactor { answers, factor: proof.factor().clone() };
                    assert_eq!((login.factor(), login.authenticated_at()), (Some(&used), now), "{what}");
                    assert_eq!(login.methods(), PASSWORD_AND_CODE, "{what}");
                    assert!(login.proved_password(), "{what}");
                }
                Err(reason) => assert!(!completes && reason == Reason::ChallengeInvalid, "{what}"),
            }
        }
    }

    #[test]
    fn a_passkey_completes_a_login_exactly_of_its_account() {
        let account = with_factor();
        let login = PasskeyLogin::start(CeremonyId::new(NOW, [5; 10]), NOW);
        let life = |seconds| NOW.plus(Duration::from_secs(seconds));
        let factor = FactorId::new(NOW, [3; 10]);
        let passkey = |account| FactorProof::of(account, RightFactor::Passkey { factor, sign_count: 7 });
        let other = AccountId::new(NOW, [9; 10]);
        let spent = Account { password_failures: SPENT, factor_failures: LOCKED_AFTER, ..account.clone() };
        let disabled = Account { disabled_at: Some(NOW), ..account.clone() };
        let without = Account { factors: 0, ..account.clone() };
        let table = [
            ("at once", account.clone(), passkey(account.id), NOW, None),
            ("in the last second", account.clone(), passkey(account.id), life(299), None),
            ("after its time", account.clone(), passkey(account.id), life(300), Some(Reason::ChallengeInvalid)),
            ("after wrong passwords and codes", spent, passkey(account.id), NOW, None),
            ("a disabled account", disabled, passkey(account.id), NOW, Some(Reason::PasskeyInvalid)),
            ("without factors", without, passkey(account.id), NOW, Some(Reason::PasskeyInvalid)),
            ("another account", account.clone(), passkey(other), NOW, Some(Reason::PasskeyInvalid)),
            ("a code", account.clone(), factor_proof(account.id), NOW, Some(Reason::PasskeyInvalid)),
        ];
        for (what, account, proof, now, refused) in table {
            match login.passkey_proven(&proof, account, DeviceTrust::Stranger, now) {
                Ok(completed) => {
                    assert_eq!(refused, None, "{what}");
                    assert_eq!(completed.methods(), PASSKEY, "{what}");
                    assert!(!completed.proved_password(), "{what}");
                    let used = ProvenFactor { answers: Answered::PasskeyLogin(login), factor: proof.factor().clone() };
                    assert_eq!(completed.factor(), Some(&used), "{what}");
                }
                Err(reason) => assert_eq!(refused, Some(reason), "{what}"),
            }
        }
    }

    #[test]
    fn a_passkey_after_a_password_is_both() {
        let account = with_factor();
        let factor = FactorId::new(NOW, [3; 10]);
        let proof = FactorProof::of(account.id, RightFactor::Passkey { factor, sign_count: 0 });
        let login = challenge(account.clone()).factor_proven(&proof, account, DeviceTrust::Stranger, NOW);
        assert_eq!(login.map(|login| login.methods()), Ok(PASSWORD_AND_PASSKEY));
    }
}
