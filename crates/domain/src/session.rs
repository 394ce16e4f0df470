//! Sessions: one row each, with a generation number for the refresh token.

use crate::{
    account::Account,
    assurance::Level,
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
    /// Whether the account remembered the device when it was opened, and took no second factor therefore.
    pub on_remembered_device: bool,
    /// The country in which it was opened, or last refreshed by a very different client.
    pub place: Option<Country>,
    /// The latest generation that a recovery skipped.
    pub void_generation: Option<i64>,
    /// The latest generation that is known to have been used.
    pub seen_generation: i64,
    /// Whether an unrecognized client got tokens since the device was last shown.
    pub answered_unrecognized: bool,
    /// The latest time at which its holder was authenticated again.
    pub reauthentication: Option<Reauthentication>,
}

/// What is stored about a reauthentication: generations of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reauthentication {
    /// The generation that it made.
    pub generation: i64,
    /// The generation whose holder was authenticated.
    pub from: i64,
}

/// Who may recover a generation that a reauthentication makes, if its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reauthenticating {
    /// The generation whose holder gets the proof that it had before.
    pub from: i64,
    /// Whether that proof is the one before the reauthentication that is already stored.
    pub keeps_former: bool,
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

    /// How much its latest proof assures.
    pub fn level(&self) -> Level {
        Level::of(self.methods.split(' '))
    }

    /// Whether a second factor was proven in this session, or a passkey; or the account remembered its device when it
    /// was opened.
    pub fn has_second_step(&self) -> bool {
        self.on_remembered_device || self.level() != Level::One
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

    /// Who may recover the next generation, if it is made by a reauthentication whose caller presented an access token
    /// of `presented`.
    ///
    /// Usually that caller. Where the live generation is known to have reached a client, it is the newest token of
    /// whoever calls. A generation older than the one that the latest reauthentication began with has a proof that is
    /// not stored any more, and must not get a newer one.
    pub fn reauthenticating(&self, presented: i64) -> Reauthenticating {
        let live = Reauthenticating { from: self.generation, keeps_former: false };
        if presented >= self.generation || self.lineage().is_seen {
            return live;
        }
        match self.reauthentication {
            Some(latest) if presented == latest.from => Reauthenticating { from: presented, keeps_former: true },
            Some(latest) if presented < latest.generation => live,
            _ => Reauthenticating { from: presented, keeps_former: false },
        }
    }

    /// The stored facts about its generations.
    pub fn lineage(&self) -> Lineage {
        let skipped = self.void_generation.filter(|void| void.saturating_add(1) == self.generation);
        // A recovered generation has the parent of the one that it replaced.
        let made = skipped.unwrap_or(self.generation);
        let reauthentication = self.reauthentication.filter(|proof| proof.generation == made);
        Lineage {
            generation: self.generation,
            parent: reauthentication.map_or(made.saturating_sub(1), |proof| proof.from),
            rotated_at: self.refreshed_at,
            void: self.void_generation,
            is_reauthenticated: reauthentication.is_some_and(|proof| proof.generation == self.generation),
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
pub(crate) mod tests {
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

    pub(crate) fn session() -> Session {
        let now = Timestamp::from_seconds(0);
        Session {
            id: SessionId::new(now, [1; 10]),
            account: AccountId::new(now, [2; 10]),
            audience: "default".to_owned(),
            generation: 7,
            device_name: String::new(),
            user_agent: String::new(),
            address: String::new(),
            methods: "pwd".to_owned(),
            created_at: now,
            authenticated_at: now,
            refreshed_at: now,
            expiry: SessionExpiry { idle: now, absolute: now },
            ended_at: None,
            device: None,
            in_cookies: false,
            on_remembered_device: false,
            place: None,
            void_generation: None,
            seen_generation: 0,
            answered_unrecognized: false,
            reauthentication: None,
        }
    }

    #[test]
    fn whoever_reauthenticates_may_recover_the_answer_with_the_proof_that_its_generation_had() {
        let latest = |generation, from| Some(Reauthentication { generation, from });
        let table = [
            ("the live generation", 7, 0, None, 7, (7, false)),
            ("one of an answer that was lost", 6, 0, None, 7, (6, false)),
            ("an older one, where the live one reached a client", 6, 7, None, 7, (7, false)),
            ("the one that the lost proof began with", 6, 0, latest(7, 6), 7, (6, true)),
            ("one that was made after the latest proof", 6, 0, latest(5, 4), 7, (6, false)),
            ("one whose proof is not stored any more", 4, 0, latest(6, 5), 7, (7, false)),
        ];
        for (what, presented, seen_generation, reauthentication, generation, (from, keeps_former)) in table {
            let session = Session { generation, seen_generation, reauthentication, ..session() };
            assert_eq!(session.reauthenticating(presented), Reauthenticating { from, keeps_former }, "{what}");
        }
    }

    #[test]
    fn the_parent_is_the_generation_that_was_replaced() {
        let latest = |generation, from| Some(Reauthentication { generation, from });
        let table = [
            ("a refresh", None, None, (6, false)),
            ("a recovery", Some(6), None, (5, false)),
            ("a proof", None, latest(7, 6), (6, true)),
            ("a proof after an answer that was lost", None, latest(7, 5), (5, true)),
            ("a recovery of a proof whose answer was lost", Some(6), latest(6, 4), (4, false)),
            ("a refresh after a proof", None, latest(6, 5), (6, false)),
        ];
        for (what, void_generation, reauthentication, expected) in table {
            let lineage = Session { void_generation, reauthentication, ..session() }.lineage();
            assert_eq!((lineage.parent, lineage.is_reauthenticated), expected, "{what}");
        }
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
