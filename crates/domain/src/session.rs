//! Sessions: one row each, whose refresh tokens are generations.

use crate::time::Timestamp;
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
pub enum Keeping {
    /// With a client that makes one refresh after the other.
    Client,
    /// In a browser's cookies, which calls made at once take up at different moments: some carry the token that others are
    /// just exchanging, some the one they got for it.
    Cookies,
}

/// How the generations of a session follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// A generation younger than this is not replaced: it is handed out again.
    pub settling: Duration,
    /// How long the parent of the live generation may come back.
    pub grace: Duration,
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
    pub fn succession(&self, keeping: Keeping) -> Succession {
        let grace = self.refresh_grace;
        let settling = match keeping {
            Keeping::Client => Duration::ZERO,
            // The access token of a generation that is handed out again has some life left.
            Keeping::Cookies => grace.min(self.access / 2),
        };
        Succession { settling, grace }
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

/// What is known of a session whose refresh did not go through at once.
#[derive(Clone, Copy, Debug)]
pub struct SessionFacts {
    pub generation: i64,
    pub refreshed_at: Timestamp,
    pub expiry: SessionExpiry,
    pub ended_at: Option<Timestamp>,
    pub account_disabled: bool,
}

/// The answer to a refresh token that the one conditional statement did not advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// The parent of the live generation within the grace, or the live one before it has settled: the live generation is handed
    /// out again, nothing moves.
    Repeat,
    /// Somebody else is advancing this very session now: try again.
    Contended,
    Ended,
    Expired,
    AccountDisabled,
    /// A generation that was replaced, or never existed: the token is in two hands.
    Reused,
}

/// Judges a refresh (RFC 9700 section 4.14.2). A session that is over says so before anything is called reuse, so that
/// a forgotten tab is not reported as a theft.
pub fn judge_refresh(session: &SessionFacts, presented: i64, now: Timestamp, succession: Succession) -> RefreshVerdict {
    // Disabling ends the sessions too, and "ended" alone would send the person to a login that can only fail.
    if session.account_disabled {
        return RefreshVerdict::AccountDisabled;
    }
    if session.ended_at.is_some() {
        return RefreshVerdict::Ended;
    }
    if session.expiry.idle <= now || session.expiry.absolute <= now {
        return RefreshVerdict::Expired;
    }
    if presented == session.generation {
        let has_settled = session.refreshed_at.plus(succession.settling) <= now;
        return if has_settled { RefreshVerdict::Contended } else { RefreshVerdict::Repeat };
    }
    let is_parent = presented.checked_add(1) == Some(session.generation);
    if is_parent && now <= session.refreshed_at.plus(succession.grace) {
        return RefreshVerdict::Repeat;
    }
    RefreshVerdict::Reused
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GRACE: Duration = Duration::from_secs(30);

    fn facts() -> SessionFacts {
        SessionFacts {
            generation: 7,
            refreshed_at: Timestamp::from_seconds(1_000),
            expiry: SessionExpiry { idle: Timestamp::from_seconds(5_000), absolute: Timestamp::from_seconds(9_000) },
            ended_at: None,
            account_disabled: false,
        }
    }

    fn judge(session: SessionFacts, presented: i64, at: i64) -> RefreshVerdict {
        let succession = Succession { settling: Duration::ZERO, grace: GRACE };
        judge_refresh(&session, presented, Timestamp::from_seconds(at), succession)
    }

    fn lives(access: Duration) -> SessionLives {
        let (idle, absolute) = (Duration::from_secs(300), Duration::from_secs(100));
        SessionLives { access, idle, absolute, refresh_grace: GRACE }
    }

    #[test]
    fn the_parent_may_come_back_until_the_grace_is_over_and_not_a_moment_longer() {
        assert_eq!(judge(facts(), 6, 1_000), RefreshVerdict::Repeat);
        assert_eq!(judge(facts(), 6, 1_030), RefreshVerdict::Repeat);
        assert_eq!(judge(facts(), 6, 1_031), RefreshVerdict::Reused);
    }

    #[test]
    fn a_grandparent_or_a_generation_from_the_future_is_reuse_at_once() {
        assert_eq!(judge(facts(), 5, 1_000), RefreshVerdict::Reused);
        assert_eq!(judge(facts(), 8, 1_000), RefreshVerdict::Reused);
        assert_eq!(judge(facts(), i64::MAX, 1_000), RefreshVerdict::Reused);
        assert_eq!(judge(facts(), i64::MIN, 1_000), RefreshVerdict::Reused);
    }

    #[test]
    fn a_session_that_is_over_says_so_before_anything_is_called_reuse() {
        let ended = SessionFacts { ended_at: Some(Timestamp::from_seconds(900)), ..facts() };
        assert_eq!(judge(ended, 1, 1_000), RefreshVerdict::Ended);
        assert_eq!(judge(facts(), 1, 5_000), RefreshVerdict::Expired);
        assert_eq!(
            judge(SessionFacts { account_disabled: true, ..facts() }, 7, 1_000),
            RefreshVerdict::AccountDisabled
        );
    }

    #[test]
    fn a_disabled_account_is_told_so_although_its_sessions_have_ended() {
        let session = SessionFacts { ended_at: Some(Timestamp::from_seconds(900)), account_disabled: true, ..facts() };
        assert_eq!(judge(session, 7, 1_000), RefreshVerdict::AccountDisabled);
    }

    #[test]
    fn the_live_generation_that_was_not_advanced_is_contended_never_refused() {
        assert_eq!(judge(facts(), 7, 1_000), RefreshVerdict::Contended);
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
    fn in_cookies_a_generation_settles_while_its_parent_may_come_back_and_nothing_older_may() {
        let succession = lives(Duration::from_secs(600)).succession(Keeping::Cookies);
        assert_eq!(succession, Succession { settling: GRACE, grace: GRACE });
        let at = |presented, seconds| judge_refresh(&facts(), presented, Timestamp::from_seconds(seconds), succession);
        assert_eq!(at(7, 1_029), RefreshVerdict::Repeat);
        assert_eq!(at(7, 1_030), RefreshVerdict::Contended);
        assert_eq!(at(6, 1_030), RefreshVerdict::Repeat);
        assert_eq!(at(6, 1_031), RefreshVerdict::Reused);
        assert_eq!(at(5, 1_000), RefreshVerdict::Reused);
    }

    #[test]
    fn an_access_token_handed_out_again_has_half_its_life_left() {
        let lives = lives(Duration::from_secs(40));
        assert_eq!(lives.succession(Keeping::Cookies), Succession { settling: Duration::from_secs(20), grace: GRACE });
        assert_eq!(lives.succession(Keeping::Client), Succession { settling: Duration::ZERO, grace: GRACE });
    }

    proptest! {
        #[test]
        fn only_the_immediate_parent_is_ever_repeated(presented in any::<i64>(), at in 0_i64..10_000) {
            if judge(facts(), presented, at) == RefreshVerdict::Repeat {
                prop_assert_eq!(presented, 6);
                prop_assert!(at <= 1_030);
            }
        }
    }
}
