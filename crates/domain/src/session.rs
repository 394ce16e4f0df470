//! Sessions: one row each, whose refresh tokens are generations.

use crate::{refresh::Succession, time::Timestamp};
use std::time::Duration;

/// The longest life that an access token may be given. Keys that made one, and revocations, are kept for this long.
pub const LONGEST_ACCESS_LIFE: Duration = Duration::from_secs(60 * 60);

/// How long sessions and their tokens live.
#[derive(Clone, Copy, Debug)]
pub struct SessionLives {
    /// Life of an access token.
    pub access: Duration,
    /// A session not refreshed for this long has ended.
    pub idle: Duration,
    /// A session never lives longer than this.
    pub absolute: Duration,
    /// How long the parent of the live generation may come back.
    pub refresh_grace: Duration,
}

/// Where a refresh token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDelivery {
    /// With a client that makes one refresh after the other.
    Client,
    /// In a browser's cookies, which calls made at once take up at different moments: some carry the token that others are
    /// just exchanging, some the one they got for it.
    Cookies,
}

/// When a session ends if nobody renews it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpiry {
    pub idle: Timestamp,
    pub absolute: Timestamp,
}

impl SessionLives {
    /// The expiry of a session that is opened now.
    pub fn opened(&self, now: Timestamp) -> SessionExpiry {
        let absolute = now.plus(self.absolute);
        SessionExpiry { idle: now.plus(self.idle).min(absolute), absolute }
    }

    /// How the generations follow each other where their tokens are kept like this.
    ///
    /// In cookies a generation settles for as long as its parent may come back. So while any call may still carry the parent,
    /// no other makes a grandparent of it. Nothing older is accepted for it.
    pub fn succession(&self, keeping: TokenDelivery) -> Succession {
        let grace = self.refresh_grace;
        let settling = match keeping {
            TokenDelivery::Client => Duration::ZERO,
            // The access token of a generation that is handed out again has some life left.
            TokenDelivery::Cookies => grace.min(self.access / 2),
        };
        Succession { settling, grace, recovery: self.access }
    }

    /// When the access token of the generation made at `made` expires: never after the session itself.
    pub fn access_expiry(&self, made: Timestamp, session: SessionExpiry) -> Timestamp {
        made.plus(self.access).min(session.idle)
    }
}

/// Why a session ended. The name is what its row and its audit event say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    LoggedOut,
    LoggedOutEverywhere,
    Revoked,
    RefreshReused,
    ClientChanged,
    PasswordReset,
    PasswordChanged,
    PasswordGuessed,
    AccountDisabled,
    AccountDeleted,
    EndedByOperator,
}

impl EndReason {
    pub fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::Revoked => "revoked",
            Self::RefreshReused => "refresh_reused",
            Self::ClientChanged => "client_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordGuessed => "password_guessed",
            Self::AccountDisabled => "account_disabled",
            Self::AccountDeleted => "account_deleted",
            Self::EndedByOperator => "ended_by_operator",
        }
    }
}

/// Wrong current passwords a session may offer before it ends. Whoever holds a stolen session may not use it to guess.
pub const MAX_PASSWORD_FAILURES: i32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    fn lives(access: Duration) -> SessionLives {
        let (idle, absolute) = (Duration::from_secs(300), Duration::from_secs(100));
        SessionLives { access, idle, absolute, refresh_grace: GRACE }
    }

    #[test]
    fn an_access_token_never_outlives_its_session() {
        let lives = lives(Duration::from_secs(600));
        let now = Timestamp::from_seconds(0);
        let expiry = lives.opened(now);
        assert_eq!(expiry.idle, Timestamp::from_seconds(100));
        assert_eq!(lives.access_expiry(now, expiry), Timestamp::from_seconds(100));
    }

    #[test]
    fn an_access_token_handed_out_again_has_half_its_life_left() {
        let lives = lives(Duration::from_secs(40));
        let recovery = Duration::from_secs(40);
        let settling = |keeping| lives.succession(keeping).settling;
        assert_eq!(settling(TokenDelivery::Cookies), Duration::from_secs(20));
        assert_eq!(
            lives.succession(TokenDelivery::Client),
            Succession { settling: Duration::ZERO, grace: GRACE, recovery }
        );
    }
}
