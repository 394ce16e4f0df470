//! The closed list of reasons for which a call is refused. `proto/countersign/v1/error_reason.proto` documents each for
//! clients; `src/grpc/status.rs` maps each to a status.

use crate::closed_list::closed_list;
use std::{fmt, time::Duration};

closed_list! {
    /// Why a call was refused. The name is what clients see in `google.rpc.ErrorInfo.reason`.
    pub enum Reason {
        /// A field has an invalid value; the violations say which and why.
        InvalidField = "INVALID_FIELD",
        /// The message could not be decoded.
        MalformedRequest = "MALFORMED_REQUEST",
        /// The message is larger than any valid one.
        RequestTooLarge = "REQUEST_TOO_LARGE",
        /// The new password does not meet the policy; the violations say why.
        PasswordRejected = "PASSWORD_REJECTED",
        /// The current password, required as proof, is wrong.
        CurrentPasswordWrong = "CURRENT_PASSWORD_WRONG",
        /// Another account has this user name.
        UsernameTaken = "USERNAME_TAKEN",
        /// Another account has this address. Only told to a caller who reads its mail.
        EmailTaken = "EMAIL_TAKEN",
        /// The request id was used for a different call.
        RequestIdReused = "REQUEST_ID_REUSED",
        /// The link is not one of this service, or not for this purpose.
        LinkInvalid = "LINK_INVALID",
        /// The link has expired.
        LinkExpired = "LINK_EXPIRED",
        /// The link was already used.
        LinkUsed = "LINK_USED",
        /// The code is wrong, expired, used, or had too many wrong attempts.
        CodeInvalid = "CODE_INVALID",
        /// No account that may log in has this identifier and this password.
        CredentialsInvalid = "CREDENTIALS_INVALID",
        /// The call requires an access token and has none.
        TokenMissing = "TOKEN_MISSING",
        /// The token is not one of this service, or of another kind.
        TokenInvalid = "TOKEN_INVALID",
        /// The access token has expired: refresh.
        TokenExpired = "TOKEN_EXPIRED",
        /// The access token was issued in the future by this replica's clock: try again.
        TokenNotYetValid = "TOKEN_NOT_YET_VALID",
        /// The session was ended: log in again.
        SessionEnded = "SESSION_ENDED",
        /// The session has expired, by idle time or by age: log in again.
        SessionExpired = "SESSION_EXPIRED",
        /// The refresh token was rotated before: the session has been ended.
        RefreshTokenReused = "REFRESH_TOKEN_REUSED",
        /// The session may not go on as it is: a very different client refreshed it, or policy requires a second factor
        /// that it does not have. Log in.
        ReauthenticationRequired = "REAUTHENTICATION_REQUIRED",
        /// Another refresh of this session is in progress: try again.
        RefreshContended = "REFRESH_CONTENDED",
        /// A fresh proof of the person is required.
        StepUpRequired = "STEP_UP_REQUIRED",
        /// The challenge of a login is not of this service, has expired, or is used up: log in again.
        ChallengeInvalid = "CHALLENGE_INVALID",
        /// The caller has no such factor, or it waits no longer for its first proof.
        FactorNotFound = "FACTOR_NOT_FOUND",
        /// The account has as many factors as it may have.
        FactorLimitReached = "FACTOR_LIMIT_REACHED",
        /// The account must have a second factor: its last one cannot be removed.
        FactorRequired = "FACTOR_REQUIRED",
        /// Too many wrong codes: codes of apps are accepted only from devices on which a second factor was proven
        /// before.
        FactorLocked = "FACTOR_LOCKED",
        /// The passkey is not of the account, or its signature is not valid.
        PasskeyInvalid = "PASSKEY_INVALID",
        /// The service has no domain name, so it takes no passkeys.
        PasskeysUnavailable = "PASSKEYS_UNAVAILABLE",
        /// The account does not remember this device.
        DeviceNotFound = "DEVICE_NOT_FOUND",
        /// The account was disabled by an operator.
        AccountDisabled = "ACCOUNT_DISABLED",
        /// Registration is closed, or not open to addresses of this domain.
        RegistrationClosed = "REGISTRATION_CLOSED",
        /// The caller may not do this.
        CallerNotAllowed = "CALLER_NOT_ALLOWED",
        /// A browser called from a page whose origin is not allowed.
        OriginNotAllowed = "ORIGIN_NOT_ALLOWED",
        /// No session of the caller has this id.
        SessionNotFound = "SESSION_NOT_FOUND",
        /// No such tenant.
        TenantUnknown = "TENANT_UNKNOWN",
        /// No such audience.
        AudienceUnknown = "AUDIENCE_UNKNOWN",
        /// No mail came in time.
        MailNotFound = "MAIL_NOT_FOUND",
        /// No such method.
        MethodUnknown = "METHOD_UNKNOWN",
        /// The caller's deadline, or the server's, passed.
        DeadlineExceeded = "DEADLINE_EXCEEDED",
        /// A captcha is required.
        CaptchaRequired = "CAPTCHA_REQUIRED",
        /// The captcha was not solved, was for something else, or its token was used before.
        CaptchaInvalid = "CAPTCHA_INVALID",
        /// The captcha provider does not answer: try again later.
        CaptchaUnavailable = "CAPTCHA_UNAVAILABLE",
        /// The service that knows breached passwords does not answer: try again later.
        BreachCheckUnavailable = "BREACH_CHECK_UNAVAILABLE",
        /// A rate limit, or too many wrong passwords.
        RateLimited = "RATE_LIMITED",
        /// The service is overloaded: try again later.
        Overloaded = "OVERLOADED",
        /// The database does not answer: try again later.
        StoreUnavailable = "STORE_UNAVAILABLE",
        /// An internal error; the log has the cause.
        Internal = "INTERNAL",
    }
}

impl Reason {
    /// Whether this reason means to the caller that the session has ended.
    pub fn ends_session(self) -> bool {
        matches!(self, Self::SessionEnded | Self::SessionExpired | Self::RefreshTokenReused | Self::AccountDisabled)
    }
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The name of the field in the proto.
    pub field: &'static str,
    /// A name for programs, where a field has several violations that they must distinguish; otherwise empty.
    pub reason: &'static str,
    /// What is wrong, as the end of a sentence that starts with the name of the field. Never quotes the value.
    pub description: String,
}

/// A refused call: the one error type of every use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub violations: Vec<FieldViolation>,
    /// When a retry makes sense.
    pub retry_after: Option<Duration>,
    /// More for programs, under names that are part of the contract. Nothing secret.
    pub metadata: Vec<(&'static str, String)>,
    /// Replaces the usual text of the reason.
    pub text: Option<&'static str>,
}

impl Refusal {
    pub fn field(field: &'static str, description: impl Into<String>) -> Self {
        Self::from(Reason::InvalidField).with_violation(field, "", description)
    }

    #[must_use]
    pub fn with_violation(mut self, field: &'static str, reason: &'static str, description: impl Into<String>) -> Self {
        self.violations.push(FieldViolation { field, reason, description: description.into() });
        self
    }

    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub fn saying(mut self, text: &'static str) -> Self {
        self.text = Some(text);
        self
    }

    #[must_use]
    pub fn with_metadata(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, violations: Vec::new(), retry_after: None, metadata: Vec::new(), text: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.name())?;
        for violation in &self.violations {
            write!(f, "; {} {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Collects the violations of a request, so that the caller gets all of them at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// The value, or `None` after recording what is wrong with it.
    pub fn check<T, E>(
        &mut self,
        field: &'static str,
        result: Result<T, E>,
        describe: fn(E) -> &'static str,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.note(field, describe(error));
                None
            }
        }
    }

    pub fn note(&mut self, field: &'static str, description: impl Into<String>) {
        self.0.push(FieldViolation { field, reason: "", description: description.into() });
    }

    /// The checked values, or the refusal with all recorded violations.
    ///
    /// # Errors
    /// When a violation was recorded, or a value is missing because of one.
    pub fn unless_any<T>(self, values: Option<T>) -> Result<T, Refusal> {
        match values {
            Some(values) if self.0.is_empty() => Ok(values),
            _ => Err(Refusal { violations: self.0, ..Refusal::from(Reason::InvalidField) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: HashSet<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
