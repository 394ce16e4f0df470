//! The mails that Countersign sends.

use crate::{closed_list::closed_list, login::EMAIL_CODE_LIFE};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

closed_list! {
    /// The kinds of mails. A mail in the outbox names its kind and the object that it concerns, never a link or a code.
    /// The name is that of the template files, and is stored in the rows of the outbox.
    pub enum MailTemplate {
        /// To an address that somebody registered: a link and a code that verify it.
        VerifyAddress = "verify_address",
        /// To an address that somebody registered although it has an account already.
        AlreadyRegistered = "already_registered",
        /// To the address of an account that an operator made: a link and a code that set its first password.
        AccountCreated = "account_created",
        /// To an account's address: a link and a code that set a new password.
        ResetPassword = "reset_password",
        /// To a new address of an account: a link and a code that confirm it.
        ConfirmNewAddress = "confirm_new_address",
        /// To the address of an account that another account wanted to move to.
        AddressInUse = "address_in_use",
        /// To the address an account had until now.
        AddressChanged = "address_changed",
        /// To an account whose password was changed or reset.
        PasswordChanged = "password_changed",
        /// To an account whose user name was changed.
        UsernameChanged = "username_changed",
        /// To an account one of whose rotated refresh tokens was reused.
        SessionReused = "session_reused",
        /// To an account that somebody logged in to from a device or country that is new for it.
        NewLogin = "new_login",
        /// To an account whose session was refreshed by a client that is very different from the one that opened it.
        ClientChanged = "client_changed",
        /// To an account whose password is disabled after too many wrong passwords.
        PasswordDisabled = "password_disabled",
        /// To an account that must have a factor and has none, from an unrecognized device: a code that continues the
        /// login.
        LoginCode = "login_code",
        /// To an account that got an authenticator app.
        FactorAdded = "factor_added",
        /// To an account one of whose authenticator apps was removed.
        FactorRemoved = "factor_removed",
        /// To an account that got a passkey.
        PasskeyAdded = "passkey_added",
        /// To an account one of whose passkeys was removed.
        PasskeyRemoved = "passkey_removed",
        /// To an account of whose passkey somebody may have a copy.
        PasskeyCopied = "passkey_copied",
        /// To an account whose factors an operator removed.
        FactorsReset = "factors_reset",
        /// To an account whose backup codes were replaced.
        BackupCodesRegenerated = "backup_codes_regenerated",
        /// To an account one of whose backup codes was used.
        BackupCodeUsed = "backup_code_used",
        /// To an account whose password somebody knew on an unrecognized device, without the second factor.
        SecondFactorFailed = "second_factor_failed",
        /// To an account of which codes of authenticator apps are accepted from recognized devices only.
        FactorLocked = "factor_locked",
        /// To the address of an account that was deleted.
        AccountDeleted = "account_deleted",
    }
}

impl MailTemplate {
    /// How long a mail is worth sending after it was queued. Its link and code are made when it is sent, and have
    /// lifetimes of their own. A person who still wants a new password after a day has requested another mail.
    pub fn life(self) -> Duration {
        match self {
            Self::LoginCode => EMAIL_CODE_LIFE,
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
            | Self::FactorAdded
            | Self::FactorRemoved
            | Self::PasskeyAdded
            | Self::PasskeyRemoved
            | Self::PasskeyCopied
            | Self::FactorsReset
            | Self::BackupCodesRegenerated
            | Self::BackupCodeUsed
            | Self::SecondFactorFailed
            | Self::FactorLocked
            | Self::AccountDeleted => 30 * DAY,
        }
    }
}
