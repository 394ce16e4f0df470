//! Login: the states from naming an account to opening a session.
//!
//! Each state is a type, and each transition consumes the state before it and a proof. Only a [`CompletedLogin`] opens
//! a session, and only the transitions of this module make one. The next state is decided before anything is written;
//! the transaction that opens the session only checks that the facts behind the decision still hold.

use crate::{account::Account, device::DeviceTrust, id::AccountId, refusal::Reason, time::Timestamp};

/// How a person was authenticated. The name is the value of `amr` (RFC 8176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthenticationMethod {
    Password,
}

impl AuthenticationMethod {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
        }
    }
}

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

/// The state of a login after a factor was proven.
#[derive(Debug)]
pub enum LoginState {
    Completed(CompletedLogin),
}

/// Everything that the account requires is proven: one session may be opened.
#[derive(Debug)]
pub struct CompletedLogin {
    account: Account,
    trust: DeviceTrust,
    methods: Vec<AuthenticationMethod>,
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

    /// The password of the account was proven. No account requires anything else yet.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID where the password is not accepted, or the proof is of another password.
    pub fn password_proven(self, proof: PasswordProof, now: Timestamp) -> Result<LoginState, Reason> {
        let is_accepted = self.accepts_password();
        let account = self.account.filter(|account| is_accepted && PasswordProof::of(account) == proof);
        let account = account.ok_or(Reason::CredentialsInvalid)?;
        let methods = vec![AuthenticationMethod::Password];
        Ok(LoginState::Completed(CompletedLogin { account, trust: self.trust, methods, authenticated_at: now }))
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

    pub fn methods(&self) -> &[AuthenticationMethod] {
        &self.methods
    }

    pub const fn authenticated_at(&self) -> Timestamp {
        self.authenticated_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        email::EmailAddress,
        id::{AccountId, TenantId},
        locale::Locale,
        lockout::SPENT,
    };

    const NOW: Timestamp = Timestamp::from_seconds(1);

    fn account(disabled: bool, failures: i32) -> Account {
        Account {
            id: AccountId::new(NOW, [1; 10]),
            tenant: TenantId::new(NOW, [2; 10]),
            email: EmailAddress::parse("ada@example.org").unwrap(),
            email_verified_at: NOW,
            username: None,
            display_name: String::new(),
            locale: Locale::default(),
            password_hash: None,
            password_version: 1,
            password_failures: failures,
            password_changed_at: NOW,
            disabled_at: disabled.then_some(NOW),
            created_at: NOW,
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
                }
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
}
