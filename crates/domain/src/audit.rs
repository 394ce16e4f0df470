//! The vocabulary of the audit trail.

mod about;
pub mod chain;

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

/// What happened. The name is stored and never reused for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    RegistrationRequested,
    VerificationRequested,
    AddressVerified,
    LoggedIn,
    LoginRefused,
    LoginLocked,
    PasswordDisabled,
    NewDeviceSeen,
    NewPlaceSeen,
    RefreshRefused,
    RefreshRecovered,
    ClientChanged,
    LoggedOut,
    SessionRevoked,
    ResetRequested,
    PasswordReset,
    PasswordChanged,
    PasswordProofRefused,
    EmailChangeRequested,
    EmailChanged,
    ActionRefused,
    ProfileChanged,
    UsernameChanged,
    AccountExported,
    AccountDeleted,
    AccountDisabled,
    AccountEnabled,
    AccountCreated,
    RoleGranted,
    RoleRevoked,
    SessionsEndedByOperator,
    ServiceCreated,
    ServiceSecretAdded,
    ServiceSecretRetired,
    ServiceDisabled,
    ServiceEnabled,
    ServiceTokenIssued,
    ServiceTokenRefused,
    CallRefused,
    KeyRotated,
    KeyRetired,
    KeysRewrapped,
    AudienceCreated,
    AudienceKeyRegistered,
    AudienceKeyWithdrawn,
    AuditRestarted,
}

impl EventKind {
    pub const ALL: [Self; 46] = [
        Self::RegistrationRequested,
        Self::VerificationRequested,
        Self::AddressVerified,
        Self::LoggedIn,
        Self::LoginRefused,
        Self::LoginLocked,
        Self::PasswordDisabled,
        Self::NewDeviceSeen,
        Self::NewPlaceSeen,
        Self::RefreshRefused,
        Self::RefreshRecovered,
        Self::ClientChanged,
        Self::LoggedOut,
        Self::SessionRevoked,
        Self::ResetRequested,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::PasswordProofRefused,
        Self::EmailChangeRequested,
        Self::EmailChanged,
        Self::ActionRefused,
        Self::ProfileChanged,
        Self::UsernameChanged,
        Self::AccountExported,
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountCreated,
        Self::RoleGranted,
        Self::RoleRevoked,
        Self::SessionsEndedByOperator,
        Self::ServiceCreated,
        Self::ServiceSecretAdded,
        Self::ServiceSecretRetired,
        Self::ServiceDisabled,
        Self::ServiceEnabled,
        Self::ServiceTokenIssued,
        Self::ServiceTokenRefused,
        Self::CallRefused,
        Self::KeyRotated,
        Self::KeyRetired,
        Self::KeysRewrapped,
        Self::AudienceCreated,
        Self::AudienceKeyRegistered,
        Self::AudienceKeyWithdrawn,
        Self::AuditRestarted,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RegistrationRequested => "registration_requested",
            Self::VerificationRequested => "verification_requested",
            Self::AddressVerified => "address_verified",
            Self::LoggedIn => "logged_in",
            Self::LoginRefused => "login_refused",
            Self::LoginLocked => "login_locked",
            Self::PasswordDisabled => "password_disabled",
            Self::NewDeviceSeen => "new_device_seen",
            Self::NewPlaceSeen => "new_place_seen",
            Self::RefreshRefused => "refresh_refused",
            Self::RefreshRecovered => "refresh_recovered",
            Self::ClientChanged => "client_changed",
            Self::LoggedOut => "logged_out",
            Self::SessionRevoked => "session_revoked",
            Self::ResetRequested => "reset_requested",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordProofRefused => "password_proof_refused",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::ActionRefused => "action_refused",
            Self::ProfileChanged => "profile_changed",
            Self::UsernameChanged => "username_changed",
            Self::AccountExported => "account_exported",
            Self::AccountDeleted => "account_deleted",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::AccountCreated => "account_created",
            Self::RoleGranted => "role_granted",
            Self::RoleRevoked => "role_revoked",
            Self::SessionsEndedByOperator => "sessions_ended_by_operator",
            Self::ServiceCreated => "service_created",
            Self::ServiceSecretAdded => "service_secret_added",
            Self::ServiceSecretRetired => "service_secret_retired",
            Self::ServiceDisabled => "service_disabled",
            Self::ServiceEnabled => "service_enabled",
            Self::ServiceTokenIssued => "service_token_issued",
            Self::ServiceTokenRefused => "service_token_refused",
            Self::CallRefused => "call_refused",
            Self::KeyRotated => "key_rotated",
            Self::KeyRetired => "key_retired",
            Self::KeysRewrapped => "keys_rewrapped",
            Self::AudienceCreated => "audience_created",
            Self::AudienceKeyRegistered => "audience_key_registered",
            Self::AudienceKeyWithdrawn => "audience_key_withdrawn",
            Self::AuditRestarted => "audit_restarted",
        }
    }

    /// `None` for a name of no kind that this release knows.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
