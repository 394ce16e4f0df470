//! The closed list of reasons for which a call is refused. `proto/countersign/v1/error_reason.proto` documents each
//! for clients; `src/grpc/status.rs` says how each travels.

use crate::closed_list::closed_list;
use std::{fmt, time::Duration};

closed_list! {
    /// Why a call was refused. The name is what clients see in `google.rpc.ErrorInfo.reason`.
    pub enum Reason {
        /// A field has a value it cannot have; the violations say which and why.
        InvalidField = "INVALID_FIELD",
        /// The message could not be decoded.
        MalformedRequest = "MALFORMED_REQUEST",
        /// The message is larger than any valid one.
        RequestTooLarge = "REQUEST_TOO_LARGE",
        /// The new password breaks the policy; the violations say how.
        PasswordRejected = "PASSWORD_REJECTED",
        /// The current password offered as proof is not the current password.
        CurrentPasswordWrong = "CURRENT_PASSWORD_WRONG",
        /// Another account has this user name.
        UsernameTaken = "USERNAME_TAKEN",
        /// Another account has this address. Told only to somebody who reads its mail.
        EmailTaken = "EMAIL_TAKEN",
        /// The request id was used for a different call.
        RequestIdReused = "REQUEST_ID_REUSED",
        /// The link is not one of ours, or not for this.
        LinkInvalid = "LINK_INVALID",
        /// The link is too old.
        LinkExpired = "LINK_EXPIRED",
        /// The link did its work already.
        LinkUsed = "LINK_USED",
        /// The code is wrong, too old, used, or was tried too often.
        CodeInvalid = "CODE_INVALID",
        /// No account that may log in has this identifier and this password.
        CredentialsInvalid = "CREDENTIALS_INVALID",
        /// The call needs an access token and brought none.
        TokenMissing = "TOKEN_MISSING",
        /// The token is not one of ours, or not of this kind.
        TokenInvalid = "TOKEN_INVALID",
        /// The access token is too old: refresh.
        TokenExpired = "TOKEN_EXPIRED",
        /// The access token was made by a clock that is ahead of this one: try again.
        TokenNotYetValid = "TOKEN_NOT_YET_VALID",
        /// The session was ended: log in again.
        SessionEnded = "SESSION_ENDED",
        /// The session was idle for too long, or is too old: log in again.
        SessionExpired = "SESSION_EXPIRED",
        /// The refresh token was replaced before: the session has been ended.
        RefreshTokenReused = "REFRESH_TOKEN_REUSED",
        /// The session is refreshed by a very different client than the one that opened it: log in here.
        ReauthenticationRequired = "REAUTHENTICATION_REQUIRED",
        /// Another refresh of this session is under way: try again.
        RefreshContended = "REFRESH_CONTENDED",
        /// The account was disabled by an operator.
        AccountDisabled = "ACCOUNT_DISABLED",
        /// Sign-up is closed, or closed to addresses at this host.
        RegistrationClosed = "REGISTRATION_CLOSED",
        /// The caller may not do this.
        CallerNotAllowed = "CALLER_NOT_ALLOWED",
        /// A page of an origin that is not allowed made a browser call.
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
        /// Somebody has to solve a captcha first.
        CaptchaRequired = "CAPTCHA_REQUIRED",
        /// The captcha was not solved, not for this, or its answer was used before.
        CaptchaInvalid = "CAPTCHA_INVALID",
        /// Whoever makes the captchas does not answer: wait and try again.
        CaptchaUnavailable = "CAPTCHA_UNAVAILABLE",
        /// Whoever knows breached passwords does not answer: wait and try again.
        BreachCheckUnavailable = "BREACH_CHECK_UNAVAILABLE",
        /// Too many calls of one kind from one place or for one person.
        RateLimited = "RATE_LIMITED",
        /// More work than can be done now: wait and try again.
        Overloaded = "OVERLOADED",
        /// The database does not answer: wait and try again.
        StoreUnavailable = "STORE_UNAVAILABLE",
        /// Something is broken here; the log has more.
        Internal = "INTERNAL",
    }
}

impl Reason {
    /// Whether a session that is told this is over.
    pub fn ends_session(self) -> bool {
        matches!(self, Self::SessionEnded | Self::SessionExpired | Self::RefreshTokenReused | Self::AccountDisabled)
    }
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field's name in the proto.
    pub field: &'static str,
    /// A name for programs where there is more than one thing to tell apart; otherwise empty.
    pub reason: &'static str,
    /// What is wrong, as the end of a sentence that starts with the field's name. Never quotes what was sent.
    pub description: String,
}

/// A refused call: the one error type of every use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub violations: Vec<FieldViolation>,
    /// When it makes sense to try again.
    pub retry_after: Option<Duration>,
    /// What else a program needs to know, under names that are part of the contract. Nothing secret.
    pub metadata: Vec<(&'static str, String)>,
    /// What people are told in place of the usual text of the reason.
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

/// Collects what is wrong with a request, so that a caller learns everything at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// The value, or `None` after noting what is wrong with it.
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

    /// The values that were checked, or the refusal that names everything noted so far.
    ///
    /// # Errors
    /// When anything was noted, or a value is missing because something about it was.
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
