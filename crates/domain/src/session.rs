//! Sessions: one row each, whose refresh tokens are generations.

use crate::{
    account::Account,
    client::{Country, DeviceSignal, Network, Program, Signals},
    id::{AccountId, DeviceId, SessionId},
    refresh::{Lineage, SessionFacts, Succession},
    refusal::Reason,
    risk::ClientObservation,
    time::Timestamp,
};
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
    /// In a browser's cookies, which calls made at once take up at different moments: some carry the token that others
    /// are just exchanging, some the one they got for it.
    Cookies,
}

/// When a session ends if nobody renews it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpiry {
    pub idle: Timestamp,
    pub absolute: Timestamp,
}

/// A signed-in device.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub account: AccountId,
    pub audience: String,
    /// The one generation of refresh token that is good.
    pub generation: i64,
    pub device_name: String,
    pub user_agent: String,
    pub address: String,
    /// How the person proved who they are (RFC 8176), separated by spaces.
    pub methods: String,
    pub created_at: Timestamp,
    pub authenticated_at: Timestamp,
    /// When the live generation was made.
    pub refreshed_at: Timestamp,
    pub expiry: SessionExpiry,
    pub ended_at: Option<Timestamp>,
    /// The device it was opened on. A session from before devices were known has none.
    pub device: Option<DeviceId>,
    /// Whether its tokens were handed out in cookies, beside which that of the device is shown.
    pub in_cookies: bool,
    /// Where it was opened, or last seen with a very different client.
    pub place: Option<Country>,
    /// The latest generation that a recovery skipped.
    pub void_generation: Option<i64>,
    /// The latest generation that is known to have come back.
    pub seen_generation: i64,
    /// Whether an unrecognized client was answered since the device was last shown.
    pub answered_unrecognized: bool,
}

impl Session {
    /// The client that opened it.
    pub fn client(&self) -> ClientObservation {
        ClientObservation {
            signals: Signals {
                program: Program::of(&self.user_agent),
                network: self.address.parse().ok().map(Network::of),
                device: self.device.filter(|_| self.in_cookies).map_or(DeviceSignal::Unasked, DeviceSignal::Shown),
            },
            place: self.place,
        }
    }

    /// Whether it holds, given its account.
    pub fn liveness(&self, account: &Account, now: Timestamp) -> Liveness {
        Liveness::of(self.ended_at, self.expiry, account.is_disabled(), now)
    }

    /// What a refresh of this session is judged by.
    pub fn facts(&self, account: &Account) -> SessionFacts {
        SessionFacts {
            lineage: self.lineage(),
            expiry: self.expiry,
            ended_at: self.ended_at,
            account_disabled: account.is_disabled(),
        }
    }

    /// What is remembered of its generations.
    pub fn lineage(&self) -> Lineage {
        let skipped = self.void_generation.filter(|void| void.saturating_add(1) == self.generation);
        Lineage {
            generation: self.generation,
            parent: skipped.unwrap_or(self.generation).saturating_sub(1),
            rotated_at: self.refreshed_at,
            void: self.void_generation,
            // No RPC proves a person anew within a session.
            is_reauthenticated: false,
            is_seen: self.seen_generation >= self.generation,
            answered_unrecognized: self.answered_unrecognized,
        }
    }
}

/// Whether a session holds. The store asks the same of rows (`store/session.rs`, `is_live`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    Live,
    /// Told before anything else: a disabled account has no live sessions, and "ended" alone would send the person to a
    /// login that can only fail.
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
    pub fn demand(self) -> Result<(), Reason> {
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

    /// How the generations follow each other where their tokens are kept like this.
    ///
    /// In cookies a generation settles for as long as its parent may come back. So while any call may still carry the
    /// parent, no other makes a grandparent of it. Nothing older is accepted for it.
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
