//! The mails Countersign writes.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Every mail there is. A mail in the outbox names one of these and what it refers to, never a link or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailTemplate {
    /// To an address that somebody registered: a link and a code that verify it.
    VerifyAddress,
    /// To an address that somebody registered although it has an account already.
    AlreadyRegistered,
    /// To the address of an account that an operator made: a link and a code that set its first password.
    AccountCreated,
    /// To an account's address: a link and a code that set a new password.
    ResetPassword,
    /// To a new address of an account: a link and a code that confirm it.
    ConfirmNewAddress,
    /// To the address of an account that another account wanted to move to.
    AddressInUse,
    /// To the address an account had until now.
    AddressChanged,
    /// To an account whose password was set anew.
    PasswordChanged,
    /// To an account whose user name was changed.
    UsernameChanged,
    /// To an account one of whose refresh tokens came back after it had been replaced.
    SessionReused,
    /// To an account that somebody logged in to from a device or a place it was not used from before.
    NewLogin,
    /// To an account one of whose sessions is used by a very different client than the one that opened it.
    ClientChanged,
    /// To an account whose password was guessed at for too long.
    PasswordDisabled,
    /// To the address of an account that was deleted.
    AccountDeleted,
}

impl MailTemplate {
    pub const ALL: [Self; 14] = [
        Self::VerifyAddress,
        Self::AlreadyRegistered,
        Self::AccountCreated,
        Self::ResetPassword,
        Self::ConfirmNewAddress,
        Self::AddressInUse,
        Self::AddressChanged,
        Self::PasswordChanged,
        Self::UsernameChanged,
        Self::SessionReused,
        Self::NewLogin,
        Self::ClientChanged,
        Self::PasswordDisabled,
        Self::AccountDeleted,
    ];

    /// The name of its template files and of its rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyAddress => "verify_address",
            Self::AlreadyRegistered => "already_registered",
            Self::AccountCreated => "account_created",
            Self::ResetPassword => "reset_password",
            Self::ConfirmNewAddress => "confirm_new_address",
            Self::AddressInUse => "address_in_use",
            Self::AddressChanged => "address_changed",
            Self::PasswordChanged => "password_changed",
            Self::UsernameChanged => "username_changed",
            Self::SessionReused => "session_reused",
            Self::NewLogin => "new_login",
            Self::ClientChanged => "client_changed",
            Self::PasswordDisabled => "password_disabled",
            Self::AccountDeleted => "account_deleted",
        }
    }

    /// For how long after it was asked for, or after what it tells of, a mail is worth sending. Its link and code are made when it is
    /// sent and have their own lives. Whoever still wants a new password after a day has asked again.
    pub fn life(self) -> Duration {
        match self {
            Self::ResetPassword => DAY,
            Self::VerifyAddress
            | Self::AlreadyRegistered
            | Self::AccountCreated
            | Self::ConfirmNewAddress
            | Self::AddressInUse => 7 * DAY,
            Self::AddressChanged
            | Self::PasswordChanged
            | Self::UsernameChanged
            | Self::SessionReused
            | Self::NewLogin
            | Self::ClientChanged
            | Self::PasswordDisabled
            | Self::AccountDeleted => 30 * DAY,
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name() == name)
    }
}
