//! What each kind of event means, for those who read the trail.

use super::EventKind;

impl EventKind {
    /// Whether it says that something was refused, and why. Every other kind says that something was done or came to pass.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::LoginRefused
                | Self::RefreshRefused
                | Self::PasswordProofRefused
                | Self::ActionRefused
                | Self::ServiceTokenRefused
                | Self::CallRefused
        )
    }

    /// What happened, when it is written.
    #[rustfmt::skip]
    pub const fn about(self) -> &'static str {
        match self {
            Self::RegistrationRequested => "Register was answered, whether or not the address has an account already",
            Self::VerificationRequested => "ResendVerification was answered, whether or not there is somebody to write to",
            Self::AddressVerified => "a registration was confirmed, and is an account now",
            Self::LoggedIn => "the right password opened a session",
            Self::LoginRefused => "Login was refused: a wrong password, or an account that may not; a name that nobody has names no account",
            Self::LoginLocked => "a wrong password was the last of a row, and the next ones wait; follows a `login_refused`",
            Self::PasswordDisabled => "strangers guessed so often that the password opens nothing until it is reset; follows a `login_refused`",
            Self::NewDeviceSeen => "a login came from a device that is not known, and the owner was written to; follows a `logged_in`",
            Self::NewPlaceSeen => "a login came from a place that is not known, and the owner was written to; follows a `logged_in`",
            Self::RefreshRefused => "Refresh of a session that there is was refused: it is over, or its token was used before, or another client asked",
            Self::RefreshRecovered => "the answer to a refresh was lost, and the device of the session got another; the generation in the lost one is void",
            Self::ClientChanged => "a session was refreshed by a very different client; `risk.on_mismatch` says what follows, and within the grace the owner was written to",
            Self::LoggedOut => "a session ended by Logout, or with it all of the account",
            Self::SessionRevoked => "a person ended one of their sessions, or all but the one they are in, which is named then",
            Self::ResetRequested => "RequestReset was answered, whether or not there is somebody to write to",
            Self::PasswordReset => "a new password was set by a mailed link or code",
            Self::PasswordChanged => "a new password was set by somebody who knew the one before",
            Self::PasswordProofRefused => "the current password was wrong, where an act asks for it; SESSION_ENDED: it was wrong too often",
            Self::EmailChangeRequested => "a link to a new address was asked for",
            Self::EmailChanged => "the new address was confirmed, and is the account's now",
            Self::ActionRefused => "a mailed link or code was refused, being over, used or wrong, or a new password that came with it; a made-up link leaves no event",
            Self::ProfileChanged => "UpdateMe changed the profile",
            Self::UsernameChanged => "UpdateMe changed the user name; follows a `profile_changed`",
            Self::AccountExported => "ExportMe handed out everything that is known of an account",
            Self::AccountDeleted => "an account was deleted by its owner; address and user agent of its events are blanked",
            Self::AccountDisabled => "an operator disabled an account and ended its sessions",
            Self::AccountEnabled => "an operator let an account sign in again",
            Self::AccountCreated => "an operator made an account; its owner is mailed a link that sets the password",
            Self::RoleGranted => "an operator gave an account a role; the object is the role's name",
            Self::RoleRevoked => "an operator took a role from an account; the object is the role's name",
            Self::SessionsEndedByOperator => "an operator ended every session of the tenant",
            Self::ServiceCreated => "an operator made a service account",
            Self::ServiceSecretAdded => "an operator gave a service another secret",
            Self::ServiceSecretRetired => "an operator took a secret from a service",
            Self::ServiceDisabled => "an operator disabled a service",
            Self::ServiceEnabled => "an operator enabled a service again",
            Self::ServiceTokenIssued => "a service got an access token for its secret",
            Self::ServiceTokenRefused => "a service got no access token; a client id that is nobody's leaves no event",
            Self::CallRefused => "an account or a service asked for what is not theirs: an RPC for another kind of caller, another's session or audience, another tenant; the object is the RPC",
            Self::KeyRotated => "a key took over from the one before; the object is its id",
            Self::KeyRetired => "an operator retired a key; the object is its id",
            Self::KeysRewrapped => "all keys were sealed under another key-encryption key",
            Self::AudienceCreated => "an audience was made with keys of its own; the object is its name",
            Self::AudienceKeyRegistered => "an audience registered a public key; the object is its name",
            Self::AudienceKeyWithdrawn => "an audience went back to a key that it shares with this service; the object is its name",
            Self::AuditRestarted => "an operator let the trail go on whose head was lost or changed; the object says behind which position, and why",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_by_its_name_that_it_is_a_refusal() {
        for kind in EventKind::ALL {
            assert_eq!(kind.is_refusal(), kind.name().ends_with("_refused"), "{}", kind.name());
        }
    }
}
