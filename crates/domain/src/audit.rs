//! The kinds of audit events.

mod about;
pub mod chain;
mod chain_key;
mod event;
mod finding;
mod head;
mod restart;
mod verification;
mod walk;

pub use chain_key::{BareEvents, ChainEnds, HashChainKey, HashChainKeys};
pub use event::{AuditEvent, Code, EventCode, EventOrigin, RecordedEvent};
pub use finding::{Finding, Found, Summary};
pub use head::{Bare, Head, HeadFault};
pub use restart::describe_restart;
pub use verification::{Seen, Verification};
pub use walk::is_whole;

use crate::closed_list::closed_list;
use crate::refusal::Reason;
use std::time::Duration;

/// The longest time for which settings may keep an event. A key of the chain is kept for as long after the last event
/// it sealed.
pub const LONGEST_RETENTION: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);

/// Whether a refusal is recorded as an audit event. Only the metrics count invalid requests, which anybody can send by
/// the thousand, and calls that were refused unread. A wrong code is recorded where its attempt is counted.
pub fn is_worth_noting(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::InvalidField
            | Reason::LinkInvalid
            | Reason::CodeInvalid
            | Reason::PasskeyInvalid
            | Reason::TokenInvalid
            | Reason::RequestIdReused
            | Reason::RateLimited
            | Reason::RegistrationClosed
            | Reason::CaptchaRequired
            | Reason::CaptchaInvalid
            | Reason::CaptchaUnavailable
            | Reason::BreachCheckUnavailable
            | Reason::Overloaded
            | Reason::DeadlineExceeded
    )
}

/// Whether a refusal means that a known caller was denied access, which is recorded. Only the use case knows whether an
/// id that was not found belongs to somebody else.
pub fn is_denial(reason: Reason) -> bool {
    reason == Reason::CallerNotAllowed
}

closed_list! {
    /// What happened. The name is stored and never reused for another kind.
    pub enum EventKind {
        RegistrationRequested = "registration_requested":
            "Register was called, whether or not the address already has an account",
        VerificationRequested = "verification_requested":
            "ResendVerification was called, whether or not a registration waits for verification",
        AddressVerified = "address_verified": "a registration was verified and became an account",
        LoggedIn = "logged_in":
            "a session was opened: by Login, CompleteLogin, or the factor that the login had to add",
        LoginRefused = "login_refused":
            "Login or a login by passkey was refused: wrong password or passkey, or an account that may not log in; an \
             unknown identifier or passkey leaves the account empty",
        LoginLocked = "login_locked":
            "too many wrong passwords in a row: further attempts are delayed; follows a `login_refused`",
        PasswordDisabled = "password_disabled":
            "too many wrong passwords from unrecognized devices: the password is disabled until it is reset; follows \
             a `login_refused`",
        LoginChallenged = "login_challenged":
            "Login proved the password, and more is required: a second factor, or a mailed code where the account has \
             none and must have one; no session is open",
        EmailCodeProven = "email_code_proven":
            "CompleteLogin proved the mailed code of a login whose account has to add a factor; no session is open",
        FactorRefused = "factor_refused":
            "CompleteLogin or Reauthenticate was refused: a wrong or used code, also a mailed one, or a wrong passkey; \
             SESSION_ENDED: too many wrong proofs ended the session",
        FactorDelayed = "factor_delayed":
            "too many wrong codes in a row: further second factors are delayed; follows a `factor_refused`",
        FactorLocked = "factor_locked":
            "too many wrong codes: codes of authenticator apps are accepted only from devices on which a second factor \
             was proven; or too many from such a device, which is one no longer; the owner is mailed; follows a \
             `factor_refused`",
        PasskeyCopied = "passkey_copied":
            "the signature counter of a passkey did not move on: somebody may have a copy; the owner is mailed; \
             beside a `factor_refused` or `login_refused`; the object is the id of the passkey",
        FactorAdded = "factor_added":
            "ConfirmTotp or FinishPasskey enabled a factor; the owner is mailed; the object is its id",
        FactorRenamed = "factor_renamed": "RenameFactor renamed a factor; the object is its id",
        FactorRemoved = "factor_removed": "RemoveFactor removed a factor; the owner is mailed; the object is its id",
        FactorsReset = "factors_reset":
            "an operator removed all factors and backup codes of an account; the owner is mailed",
        BackupCodesRegenerated = "backup_codes_regenerated":
            "RegenerateBackupCodes replaced the backup codes; the owner is mailed",
        BackupCodeUsed = "backup_code_used":
            "a backup code was used up; the owner is mailed; beside a `logged_in` or `reauthenticated`",
        DeviceRemembered = "device_remembered":
            "the password alone logs in on the device of this session from now on; beside a `logged_in`; the object is \
             the device",
        DeviceForgotten = "device_forgotten":
            "ForgetDevice forgot a remembered device; the object is the device",
        NewDeviceSeen = "new_device_seen":
            "a login from an unrecognized device; the owner is mailed; follows a `logged_in`",
        NewPlaceSeen = "new_place_seen": "a login from a new country; the owner is mailed; follows a `logged_in`",
        RefreshRefused = "refresh_refused":
            "Refresh of an existing session was refused: the session has ended, the refresh token was reused, a \
             different client used it, or policy requires a second factor that it does not have",
        RefreshRecovered = "refresh_recovered":
            "the answer to a Refresh was lost, and the session's device received another generation; the lost \
             generation is void",
        Reauthenticated = "reauthenticated":
            "Reauthenticate proved again who holds a session; its next tokens say so",
        ClientChanged = "client_changed":
            "a very different client refreshed a session; `risk.on_client_change` decides what follows; within the \
             grace the owner is mailed",
        LoggedOut = "logged_out": "Logout ended a session, or all sessions of the account",
        SessionRevoked = "session_revoked":
            "a person ended one of their sessions, or all others; then the event names the session that was kept",
        ResetRequested = "reset_requested": "RequestReset was called, whether or not the address has an account",
        PasswordReset = "password_reset": "a mailed link or code was used to set a new password",
        PasswordChanged = "password_changed": "ChangePassword set a new password",
        PasswordProofRefused = "password_proof_refused":
            "a call that requires the current password brought a wrong one; SESSION_ENDED: too many wrong ones ended \
             the session",
        EmailChangeRequested = "email_change_requested":
            "RequestEmailChange asked for a new address, which must be confirmed",
        EmailChanged = "email_changed": "the new address was confirmed and replaced the former one",
        ActionRefused = "action_refused":
            "a mailed link or code was refused (expired, used, wrong), or the new password with it; a forged link \
             leaves no event",
        ProfileChanged = "profile_changed": "UpdateMe changed the profile",
        UsernameChanged = "username_changed": "UpdateMe changed the user name; follows a `profile_changed`",
        AccountExported = "account_exported": "ExportMe returned all data of an account",
        AccountDeleted = "account_deleted":
            "the owner deleted the account; IP address and user agent are removed from its events",
        AccountDisabled = "account_disabled": "an operator disabled an account and ended its sessions",
        AccountEnabled = "account_enabled": "an operator enabled an account again",
        AccountCreated = "account_created":
            "an operator created an account; its owner is mailed a link to set the password",
        RoleGranted = "role_granted": "an operator granted a role to an account; the object is the role's name",
        RoleRevoked = "role_revoked": "an operator revoked a role from an account; the object is the role's name",
        SessionsEndedByOperator = "sessions_ended_by_operator": "an operator ended all sessions of the tenant",
        ServiceCreated = "service_created": "an operator created a service account",
        ServiceSecretAdded = "service_secret_added": "an operator added a secret to a service account",
        ServiceSecretRetired = "service_secret_retired": "an operator retired a secret of a service account",
        ServiceDisabled = "service_disabled": "an operator disabled a service account",
        ServiceEnabled = "service_enabled": "an operator enabled a service account again",
        ServiceTokenIssued = "service_token_issued": "IssueServiceToken issued an access token to a service account",
        ServiceTokenRefused = "service_token_refused":
            "IssueServiceToken was refused; an unknown client id leaves no event",
        CallRefused = "call_refused":
            "an account or a service was denied access: to an RPC for other callers, to somebody else's session or \
             audience, to another tenant; the object is the RPC",
        KeyRotated = "key_rotated": "a key became active and replaced its predecessor; the object is its id",
        KeyRetired = "key_retired": "an operator retired a key; the object is its id",
        KeysRewrapped = "keys_rewrapped": "all keys were encrypted with another key-encryption key",
        AudienceCreated = "audience_created": "an audience was created with its own keys; the object is its name",
        AudienceKeyRegistered = "audience_key_registered":
            "an audience registered its own public key; the object is its name",
        AudienceKeyWithdrawn = "audience_key_withdrawn":
            "an audience went back to a key shared with this service; the object is its name",
        AuditRestarted = "audit_restarted":
            "an operator restarted a hash chain whose head was lost or changed; the object says after which sequence \
             number, and why",
    }
}
