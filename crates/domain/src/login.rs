//! Login: the states between somebody who names an account and a session of it.
//!
//! Each state is a type, and each transition consumes the state before it. A session is opened for a [`CompletedLogin`]
//! and for nothing else, and only the transitions in here make one. Which state follows is decided before anything is
//! written; the transaction that opens the session only makes sure that what the decision rests on is still so.

use crate::{account::Account, device::DeviceTrust, refusal::Reason, time::Timestamp};

/// How a person proved who they are. The name is the value of `amr` (RFC 8176).
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

/// Somebody named an account and proved nothing.
#[derive(Clone, Debug)]
pub struct StartedLogin {
    account: Option<Account>,
    trust: DeviceTrust,
}

/// Where a login stands after something was proven.
#[derive(Debug)]
pub enum LoginState {
    Completed(CompletedLogin),
}

/// Everything that the account asks for is proven: one session may be opened.
#[derive(Debug)]
pub struct CompletedLogin {
    account: Account,
    trust: DeviceTrust,
    methods: Vec<AuthenticationMethod>,
    authenticated_at: Timestamp,
}

impl StartedLogin {
    /// `account` is `None` where nobody has the name that was given. The login goes on all the same, so that nobody
    /// learns it.
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

    /// Whether the right password is accepted. After too many wrong ones it is accepted only from devices that are
    /// recognized; that of a disabled account never is. Where it is not, it looks as wrong as any other.
    pub fn accepts_password(&self) -> bool {
        let accepts = |account: &Account| {
            !account.is_disabled() && (self.trust.is_counted_alone() || !account.password_is_spent())
        };
        self.account.as_ref().is_some_and(accepts)
    }

    /// The password of the account was proven. No account asks for anything else.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID where the password is not accepted.
    pub fn password_proven(self, now: Timestamp) -> Result<LoginState, Reason> {
        if !self.accepts_password() {
            return Err(Reason::CredentialsInvalid);
        }
        let account = self.account.ok_or(Reason::CredentialsInvalid)?;
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
            ("an account that was guessed at", account(false, SPENT - 1), Stranger, true),
            ("one that was guessed at for too long", account(false, SPENT), Stranger, false),
            ("the same, on a device that it knows", account(false, SPENT), Known, true),
            ("the same, on a device that it expects", account(false, SPENT), Expected, true),
            ("a disabled account", account(true, 0), Stranger, false),
            ("a disabled account, on a device that it knows", account(true, 0), Known, false),
        ];
        for (what, account, trust, accepted) in table {
            let started = StartedLogin::new(Some(account), |_| trust);
            assert_eq!(started.accepts_password(), accepted, "{what}");
            match started.password_proven(NOW) {
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
        assert_eq!(started.password_proven(NOW).err(), Some(Reason::CredentialsInvalid));
    }
}
