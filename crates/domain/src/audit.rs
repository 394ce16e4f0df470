//! The vocabulary of the audit trail.

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

/// The longest that an event may be kept. A key of the chain is kept for as long after the last event it sealed.
pub const LONGEST_RETENTION: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);

/// Whether a refusal tells anything about an account. Garbage that anybody can send by the thousand, and calls that nobody
/// looked at, are counted by the metrics and leave no row. A wrong code is noted where its try is counted.
pub fn is_worth_noting(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::InvalidField
            | Reason::LinkInvalid
            | Reason::CodeInvalid
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

/// Whether a refusal says that a caller asked for what is not theirs. Of one who is known that is recorded. Of an id that was not
/// found only the use case knows whether it is somebody else's.
pub fn is_denial(reason: Reason) -> bool {
    reason == Reason::CallerNotAllowed
}

closed_list! {
    /// What happened. The name is stored and never reused for anything else.
    pub enum EventKind {
        RegistrationRequested = "registration_requested": "Register was answered, whether or not the address has an account already",
        VerificationRequested = "verification_requested": "ResendVerification was answered, whether or not there is somebody to write to",
        AddressVerified = "address_verified": "a registration was confirmed, and is an account now",
        LoggedIn = "logged_in": "the right password opened a session",
        LoginRefused = "login_refused": "Login was refused: a wrong password, or an account that may not; a name that nobody has names no account",
        LoginLocked = "login_locked": "a wrong password was the last of a row, and the next ones wait; follows a `login_refused`",
        PasswordDisabled = "password_disabled": "strangers guessed so often that the password opens nothing until it is reset; follows a `login_refused`",
        NewDeviceSeen = "new_device_seen": "a login came from a device that is not known, and the owner was written to; follows a `logged_in`",
        NewPlaceSeen = "new_place_seen": "a login came from a place that is not known, and the owner was written to; follows a `logged_in`",
        RefreshRefused = "refresh_refused": "Refresh of a session that there is was refused: it is over, or its token was used before, or another client asked",
        RefreshRecovered = "refresh_recovered": "the answer to a refresh was lost, and the device of the session got another; the generation in the lost one is void",
        ClientChanged = "client_changed": "a session was refreshed by a very different client; `risk.on_mismatch` says what follows, and within the grace the owner was written to",
        LoggedOut = "logged_out": "a session ended by Logout, or with it all of the account",
        SessionRevoked = "session_revoked": "a person ended one of their sessions, or all but the one they are in, which is named then",
        ResetRequested = "reset_requested": "RequestReset was answered, whether or not there is somebody to write to",
        PasswordReset = "password_reset": "a new password was set by a mailed link or code",
        PasswordChanged = "password_changed": "a new password was set by somebody who knew the one before",
        PasswordProofRefused = "password_proof_refused": "the current password was wrong, where an act asks for it; SESSION_ENDED: it was wrong too often",
        EmailChangeRequested = "email_change_requested": "a link to a new address was asked for",
        EmailChanged = "email_changed": "the new address was confirmed, and is the account's now",
        ActionRefused = "action_refused": "a mailed link or code was refused, being over, used or wrong, or a new password that came with it; a made-up link leaves no event",
        ProfileChanged = "profile_changed": "UpdateMe changed the profile",
        UsernameChanged = "username_changed": "UpdateMe changed the user name; follows a `profile_changed`",
        AccountExported = "account_exported": "ExportMe handed out everything that is known of an account",
        AccountDeleted = "account_deleted": "an account was deleted by its owner; address and user agent of its events are blanked",
        AccountDisabled = "account_disabled": "an operator disabled an account and ended its sessions",
        AccountEnabled = "account_enabled": "an operator let an account sign in again",
        AccountCreated = "account_created": "an operator made an account; its owner is mailed a link that sets the password",
        RoleGranted = "role_granted": "an operator gave an account a role; the object is the role's name",
        RoleRevoked = "role_revoked": "an operator took a role from an account; the object is the role's name",
        SessionsEndedByOperator = "sessions_ended_by_operator": "an operator ended every session of the tenant",
        ServiceCreated = "service_created": "an operator made a service account",
        ServiceSecretAdded = "service_secret_added": "an operator gave a service another secret",
        ServiceSecretRetired = "service_secret_retired": "an operator took a secret from a service",
        ServiceDisabled = "service_disabled": "an operator disabled a service",
        ServiceEnabled = "service_enabled": "an operator enabled a service again",
        ServiceTokenIssued = "service_token_issued": "a service got an access token for its secret",
        ServiceTokenRefused = "service_token_refused": "a service got no access token; a client id that is nobody's leaves no event",
        CallRefused = "call_refused": "an account or a service asked for what is not theirs: an RPC for another kind of caller, another's session or audience, another tenant; the object is the RPC",
        KeyRotated = "key_rotated": "a key took over from the one before; the object is its id",
        KeyRetired = "key_retired": "an operator retired a key; the object is its id",
        KeysRewrapped = "keys_rewrapped": "all keys were sealed under another key-encryption key",
        AudienceCreated = "audience_created": "an audience was made with keys of its own; the object is its name",
        AudienceKeyRegistered = "audience_key_registered": "an audience registered a public key; the object is its name",
        AudienceKeyWithdrawn = "audience_key_withdrawn": "an audience went back to a key that it shares with this service; the object is its name",
        AuditRestarted = "audit_restarted": "an operator let the trail go on whose head was lost or changed; the object says behind which position, and why",
    }
}
