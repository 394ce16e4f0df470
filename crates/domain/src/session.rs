//! Sessions: one row each, with a generation number for the refresh token.

use crate::{
    account::Account,
    client::{Country, DeviceSignal, Signals},
    id::{AccountId, DeviceId, SessionId},
    refresh::{Lineage, SessionFacts, Succession},
    refusal::Reason,
    risk::ClientObservation,
    time::Timestamp,
};
use std::time::Duration;

/// The longest life of an access token that settings allow. Keys of access tokens, and revocations, are kept for this
/// long.
pub const LONGEST_ACCESS_LIFE: Duration = Duration::from_secs(60 * 60);

/// How long sessions and their tokens live.
#[derive(Clone, Copy, Debug)]
pub struct SessionLives {
    /// Life of an access token.
    pub access: Duration,
    /// A session that is not refreshed for this long has expired.
    pub idle: Duration,
    /// No session lives longer than this.
    pub absolute: Duration,
    /// How long the parent of the live generation is still accepted.
    pub refresh_grace: Duration,
}

/// Where a refresh token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDelivery {
    /// In a client that makes one refresh after the other.
    Client,
    /// In a browser's cookies. Simultaneous calls read them at different moments: some send the token that others are
    /// just rotating, some its successor.
    Cookies,
}

/// When a session expires unless it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpiry {
    pub idle: Timestamp,
    pub absolute: Timestamp,
}

/// A login on one device.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub audience: String,
    /// The live generation of the refresh token.
    pub generation: i64,
    pub device_name: String,
    pub user_agent: String,
    pub address: String,
    /// How the person was authenticated (RFC 8176), separated by spaces.
    pub methods: String,
    pub created_at: Timestamp,
    pub authenticated_at: Timestamp,
    /// When the live generation was made.
    pub refreshed_at: Timestamp,
    pub expiry: SessionExpiry,
    pub ended_at: Option<Timestamp>,
    /// The device it was opened on. A session of a release without devices has none.
    pub device: Option<DeviceId>,
    /// Whether its tokens were delivered in cookies, with the device token in a cookie of its own.
    pub in_cookies: bool,
    /// The country in which it was opened, or last refreshed by a very different client.
    pub place: Option<Country>,
    /// The latest generation that a recovery skipped.
    pub void_generation: Option<i64>,
    /// The latest generation that is known to have been used.
    pub seen_generation: i64,
    /// Whether an unrecognized client got tokens since the device was last shown.
    pub answered_unrecognized: bool,
}

impl Session {
    /// The client that opened the session.
    pub fn client(&self) -> ClientObservation {
        ClientObservation {
            signals: Signals::of(
                &self.user_agent,
                &self.address,
                self.device.filter(|_| self.in_cookies).map_or(DeviceSignal::Unasked, DeviceSignal::Shown),
            ),
            place: self.place,
        }
    }

    /// Whether the session is live, given its account.
    pub fn liveness(&self, account: &Account, now: Timestamp) -> Liveness {
        Liveness::of(self.ended_at, self.expiry, account.is_disabled(), now)
    }

    /// The facts by which a refresh of this session is judged.
    pub fn facts(&self, account: &Account) -> SessionFacts {
        SessionFacts {
            lineage: self.lineage(),
            expiry: self.expiry,
            ended_at: self.ended_at,
            account_disabled: account.is_disabled(),
        }
    }

    /// The stored facts about its generations.
    pub fn lineage(&self) -> Lineage {
        let skipped = self.void_generation.filter(|void| void.saturating_add(1) == self.generation);
        Lineage {
            generation: self.generation,
            parent: skipped.unwrap_or(self.generation).saturating_sub(1),
            rotated_at: self.refreshed_at,
            void: self.void_generation,
            // No RPC replaces the proof of a live session.
            is_reauthenticated: false,
            is_seen: self.seen_generation >= self.generation,
            answered_unrecognized: self.answered_unrecognized,
        }
    }
}

/// Whether a session is live. The store applies the same rule to rows (`store/session.rs`, `is_live`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    Live,
    /// Checked first: a disabled account has no live sessions, and "ended" alone would send the person to a login that
    /// can only fail.
    AccountDisabled,
    Ended,
    Expired,
}

impl Liveness {
    pub fn of(ended_at: Option<Timestamp>, expiry: SessionExpiry, is_disabled: bool, now: Timestamp) -> Self {
        if is_disabled {
            Self::AccountDisabled
        } else if ended_at.is_some() {
            Self::Ended
        } else if expiry.idle <= now || expiry.absolute <= now {
            Self::Expired
        } else {
            Self::Live
        }
    }

    /// # Errors
    /// ACCOUNT_DISABLED, SESSION_ENDED or SESSION_EXPIRED, unless it is live.
    pub fn require_live(self) -> Result<(), Reason> {
        match self {
            Self::Live => Ok(()),
            Self::AccountDisabled => Err(Reason::AccountDisabled),
            Self::Ended => Err(Reason::SessionEnded),
            Self::Expired => Err(Reason::SessionExpired),
        }
    }
}

impl SessionLives {
    /// The expiry of a session that is opened now.
    pub fn opened(&self, now: Timestamp) -> SessionExpiry {
        let absolute = now.plus(self.absolute);
        SessionExpiry { idle: now.plus(self.idle).min(absolute), absolute }
    }

    /// The time limits between generations, for tokens stored like this.
    ///
    /// In cookies a generation settles for as long as its parent is still accepted. So while a call may still carry the
    /// parent, no other call makes it a grandparent. No older generation is accepted because of it.
    pub fn succession(&self, keeping: TokenDelivery) -> Succession {
        let grace = self.refresh_grace;
        let settling = match keeping {
            TokenDelivery::Client => Duration::ZERO,
            // The access token of a generation that is handed out again still has some life left.
            TokenDelivery::Cookies => grace.min(self.access / 2),
        };
        Succession { settling, grace, recovery: self.access }
    }

    /// When the access token of the generation made at `made` expires: never after the session itself.
    pub fn access_expiry(&self, made: Timestamp, session: SessionExpiry) -> Timestamp {
        made.plus(self.access).min(session.idle)
    }
}

/// Why a session ended. The name is stored in its row and in its audit event.
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

/// Wrong current passwords within one session before it ends, so that a stolen session cannot be used for brute force.
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
