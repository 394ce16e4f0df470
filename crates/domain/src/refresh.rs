//! Refresh: which tokens a session gets for a presented generation.
//!
//! Rotation alone cannot distinguish a client whose answer was lost from a thief: both present a rotated generation.
//! The service stores a few facts about the generations ([`Lineage`]), and one function decides by them
//! ([`judge_refresh`]). `docs/adr/0023-a-lost-answer-is-recovered-once.md` has the table; `tests/refresh_model.rs`
//! tries every order of events.

use crate::{
    session::{Liveness, SessionExpiry},
    time::Timestamp,
};
use std::time::Duration;

/// The time limits between generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// A generation younger than this is not rotated: it is handed out again.
    pub settling: Duration,
    /// How long the parent of the live generation is still accepted.
    pub grace: Duration,
    /// How long after its rotation the device of the session may recover the parent: the life of an access token.
    pub recovery: Duration,
}

/// The stored facts about the generations of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lineage {
    /// The live generation.
    pub generation: i64,
    /// The generation before the live one, whose holder may not have received the answer. After a reauthentication it
    /// may be an older one: every generation from this one on may then be the newest that its client received.
    pub parent: i64,
    /// When the live generation was made.
    pub rotated_at: Timestamp,
    /// The latest generation that a recovery skipped. A client that presents it received the lost answer instead of the
    /// client that recovered.
    pub void: Option<i64>,
    /// Whether the live generation was made by a reauthentication.
    pub is_reauthenticated: bool,
    /// Whether the live generation was used: its refresh token, or an access token of it at one of our own RPCs.
    pub is_seen: bool,
    /// Whether an unrecognized client got tokens since the device of the session was last shown.
    pub answered_unrecognized: bool,
}

impl Lineage {
    /// Whether the live generation was made by a recovery.
    fn is_recovered(&self) -> bool {
        self.void.and_then(|void| void.checked_add(1)) == Some(self.generation)
    }

    fn is_within(&self, window: Duration, now: Timestamp) -> bool {
        now <= self.rotated_at.plus(window)
    }
}

/// A presented refresh token, and what came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    pub generation: i64,
    /// Whether the device token of the session's device was presented as well.
    pub shows_device: bool,
    /// Whether both program and network differ from those last stored for the session.
    pub differs: bool,
}

impl Presented {
    fn is_unrecognized(&self) -> bool {
        self.differs && !self.shows_device
    }
}

/// The facts about a session whose refresh token the conditional statement did not rotate.
#[derive(Clone, Copy, Debug)]
pub struct SessionFacts {
    pub lineage: Lineage,
    pub expiry: SessionExpiry,
    pub ended_at: Option<Timestamp>,
    pub account_disabled: bool,
}

/// The answer to a refresh token that the conditional statement did not rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// Hand out the live generation again, and change nothing.
    Repeat,
    /// The same, to a client that differs in program and network and shows no device: the owner gets a mail.
    RepeatToUnrecognized,
    /// The answer with the live generation was lost. That generation becomes void, and a new one replaces it, with the
    /// proof (`acr`, `auth_time`) of the presented generation.
    Recover,
    /// Another call is rotating this session now: try again.
    Contended,
    /// After a reauthentication, a client with an older generation gets no tokens until the grace has passed, so that
    /// it loads the new generation first.
    Withheld {
        until: Timestamp,
    },
    Ended,
    Expired,
    AccountDisabled,
    /// A rotated generation, or one that never existed: two clients have the token.
    Reused,
}

/// Judges a refresh (RFC 9700 section 4.14.2). The end of a session is checked before reuse, so that a forgotten tab is
/// not reported as a theft.
pub fn judge_refresh(
    session: &SessionFacts,
    presented: Presented,
    now: Timestamp,
    succession: Succession,
) -> RefreshVerdict {
    match Liveness::of(session.ended_at, session.expiry, session.account_disabled, now) {
        Liveness::AccountDisabled => RefreshVerdict::AccountDisabled,
        Liveness::Ended => RefreshVerdict::Ended,
        Liveness::Expired => RefreshVerdict::Expired,
        Liveness::Live => judge_generation(&session.lineage, presented, now, succession),
    }
}

/// Judges a refresh of a live session.
fn judge_generation(lineage: &Lineage, presented: Presented, now: Timestamp, succession: Succession) -> RefreshVerdict {
    let generation = presented.generation;
    if generation == lineage.generation {
        // Where nothing settles, a generation that a faster clock issued has settled as well.
        let has_settled = succession.settling.is_zero() || lineage.rotated_at.plus(succession.settling) <= now;
        return if has_settled { RefreshVerdict::Contended } else { hand_out_again(lineage, presented) };
    }
    if lineage.void == Some(generation) {
        return RefreshVerdict::Reused;
    }
    let is_in_grace = lineage.is_within(succession.grace, now);
    if lineage.is_reauthenticated && is_in_grace && generation < lineage.generation {
        return RefreshVerdict::Withheld { until: lineage.rotated_at.plus(succession.grace) };
    }
    if !(lineage.parent..lineage.generation).contains(&generation) {
        return RefreshVerdict::Reused;
    }
    if is_in_grace {
        // The grace for the parent of a recovered generation has passed once: only the device that recovered may repeat
        // the recovery.
        let may_repeat = presented.shows_device || !lineage.is_recovered();
        return if may_repeat { hand_out_again(lineage, presented) } else { RefreshVerdict::Reused };
    }
    let may_recover = presented.shows_device
        && !lineage.is_seen
        && !lineage.is_recovered()
        && lineage.is_within(succession.recovery, now);
    if may_recover { RefreshVerdict::Recover } else { RefreshVerdict::Reused }
}

fn hand_out_again(lineage: &Lineage, presented: Presented) -> RefreshVerdict {
    match (presented.is_unrecognized(), lineage.answered_unrecognized) {
        (false, _) => RefreshVerdict::Repeat,
        (true, false) => RefreshVerdict::RepeatToUnrecognized,
        (true, true) => RefreshVerdict::Reused,
    }
}

/// The verdict on the generation of an access token, at one of our own RPCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseVerdict {
    /// The generation is accepted, and nothing changes.
    Good,
    /// The live generation reached a client. Stored while its parent could still be recovered.
    FirstSeen,
    /// Older than a skipped generation. The client has to refresh, which succeeds only with a newer generation.
    Outdated,
    /// The skipped generation: the lost answer reached another client.
    Reused,
}

/// Judges an authentic access token of `generation` that has not expired, of a live session.
pub fn judge_use(lineage: &Lineage, generation: i64, now: Timestamp, succession: Succession) -> UseVerdict {
    match lineage.void {
        Some(void) if generation == void => return UseVerdict::Reused,
        Some(void) if generation < void => return UseVerdict::Outdated,
        _ => {}
    }
    let has_recoverable_parent =
        lineage.parent >= FIRST_GENERATION && !lineage.is_recovered() && lineage.is_within(succession.recovery, now);
    if generation == lineage.generation && !lineage.is_seen && has_recoverable_parent {
        return UseVerdict::FirstSeen;
    }
    UseVerdict::Good
}

/// The first generation of every session.
pub const FIRST_GENERATION: i64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SUCCESSION: Succession =
        Succession { settling: Duration::ZERO, grace: Duration::from_secs(30), recovery: Duration::from_secs(600) };
    const DEVICE: Presented = Presented { generation: 6, shows_device: true, differs: false };
    const PLAIN: Presented = Presented { shows_device: false, ..DEVICE };
    const UNRECOGNIZED: Presented = Presented { differs: true, ..PLAIN };

    fn lineage() -> Lineage {
        Lineage {
            generation: 7,
            parent: 6,
            rotated_at: Timestamp::from_seconds(1_000),
            void: None,
            is_reauthenticated: false,
            is_seen: false,
            answered_unrecognized: false,
        }
    }

    fn until(end: i64) -> SessionExpiry {
        let end = Timestamp::from_seconds(end);
        SessionExpiry { idle: end, absolute: end }
    }

    fn facts(lineage: Lineage) -> SessionFacts {
        SessionFacts { lineage, expiry: until(5_000), ended_at: None, account_disabled: false }
    }

    fn judge(lineage: Lineage, presented: Presented, at: i64) -> RefreshVerdict {
        judge_refresh(&facts(lineage), presented, Timestamp::from_seconds(at), SUCCESSION)
    }

    #[test]
    fn the_parent_may_come_back_until_the_grace_is_over_and_not_a_moment_longer() {
        assert_eq!(judge(lineage(), PLAIN, 1_000), RefreshVerdict::Repeat);
        assert_eq!(judge(lineage(), PLAIN, 1_030), RefreshVerdict::Repeat);
        assert_eq!(judge(lineage(), PLAIN, 1_031), RefreshVerdict::Reused);
    }

    #[test]
    fn after_the_grace_the_device_recovers_a_lost_answer_while_access_tokens_live_and_no_longer() {
        assert_eq!(judge(lineage(), DEVICE, 1_030), RefreshVerdict::Repeat);
        assert_eq!(judge(lineage(), DEVICE, 1_031), RefreshVerdict::Recover);
        assert_eq!(judge(lineage(), DEVICE, 1_600), RefreshVerdict::Recover);
        assert_eq!(judge(lineage(), DEVICE, 1_601), RefreshVerdict::Reused);
        let elsewhere = Presented { differs: true, ..DEVICE };
        assert_eq!(judge(lineage(), elsewhere, 1_031), RefreshVerdict::Recover, "a phone that went elsewhere");
    }

    #[test]
    fn an_answer_that_reached_somebody_is_not_recovered() {
        let seen = Lineage { is_seen: true, ..lineage() };
        assert_eq!(judge(seen, DEVICE, 1_031), RefreshVerdict::Reused);
        assert_eq!(judge(seen, DEVICE, 1_030), RefreshVerdict::Repeat, "the grace is for tabs that crossed");
    }

    #[test]
    fn a_recovery_is_repeated_to_the_device_within_the_grace_and_is_not_followed_by_another() {
        let recovered = Lineage { generation: 8, void: Some(7), ..lineage() };
        assert_eq!(recovered.parent, 6);
        assert_eq!(judge(recovered, DEVICE, 1_030), RefreshVerdict::Repeat);
        assert_eq!(judge(recovered, PLAIN, 1_001), RefreshVerdict::Reused);
        assert_eq!(judge(recovered, DEVICE, 1_031), RefreshVerdict::Reused);
        let next = Lineage { generation: 9, parent: 8, void: Some(7), ..lineage() };
        let presented = Presented { generation: 8, ..DEVICE };
        assert_eq!(judge(next, presented, 1_031), RefreshVerdict::Recover, "not in a row");
    }

    #[test]
    fn a_generation_that_was_skipped_is_reuse_whoever_brings_it_and_whenever() {
        let recovered = Lineage { generation: 8, void: Some(7), ..lineage() };
        for at in [1_000, 1_030, 1_031, 1_601] {
            for presented in [DEVICE, PLAIN, UNRECOGNIZED] {
                let presented = Presented { generation: 7, ..presented };
                assert_eq!(judge(recovered, presented, at), RefreshVerdict::Reused);
            }
        }
    }

    #[test]
    fn an_unrecognized_client_is_answered_once_within_the_grace_and_its_owner_told() {
        assert_eq!(judge(lineage(), UNRECOGNIZED, 1_001), RefreshVerdict::RepeatToUnrecognized);
        let again = Lineage { answered_unrecognized: true, ..lineage() };
        assert_eq!(judge(again, UNRECOGNIZED, 1_001), RefreshVerdict::Reused);
        for presented in [PLAIN, DEVICE, Presented { differs: true, ..DEVICE }] {
            assert_eq!(judge(again, presented, 1_001), RefreshVerdict::Repeat, "{presented:?}");
        }
    }

    #[test]
    fn in_cookies_a_generation_settles_while_its_parent_may_come_back_and_nothing_older_may() {
        let succession = Succession { settling: SUCCESSION.grace, ..SUCCESSION };
        let at = |presented, seconds| {
            judge_refresh(&facts(lineage()), presented, Timestamp::from_seconds(seconds), succession)
        };
        let live = Presented { generation: 7, ..PLAIN };
        assert_eq!(at(live, 1_029), RefreshVerdict::Repeat);
        assert_eq!(at(live, 1_030), RefreshVerdict::Contended);
        assert_eq!(at(Presented { differs: true, ..live }, 1_029), RefreshVerdict::RepeatToUnrecognized);
        assert_eq!(at(PLAIN, 1_030), RefreshVerdict::Repeat);
        assert_eq!(at(PLAIN, 1_031), RefreshVerdict::Reused);
        assert_eq!(at(Presented { generation: 5, ..DEVICE }, 1_000), RefreshVerdict::Reused);
    }

    #[test]
    fn after_a_new_proof_an_older_generation_gets_nothing_and_is_no_reuse_before_the_grace_is_over() {
        let proven = Lineage { is_reauthenticated: true, ..lineage() };
        let until = Timestamp::from_seconds(1_030);
        for generation in [5, 6] {
            for presented in [DEVICE, PLAIN, UNRECOGNIZED] {
                let presented = Presented { generation, ..presented };
                assert_eq!(judge(proven, presented, 1_030), RefreshVerdict::Withheld { until });
            }
        }
        assert_eq!(judge(proven, PLAIN, 1_031), RefreshVerdict::Reused);
        assert_eq!(judge(proven, DEVICE, 1_031), RefreshVerdict::Recover, "with the proof of the older one");
    }

    #[test]
    fn after_a_new_proof_every_generation_from_its_own_on_may_be_the_newest_that_a_client_has() {
        let proven = Lineage { generation: 8, parent: 6, is_reauthenticated: true, ..lineage() };
        let recovered = Lineage { generation: 9, parent: 6, void: Some(8), ..lineage() };
        for (generation, expected) in
            [(5, RefreshVerdict::Reused), (6, RefreshVerdict::Recover), (7, RefreshVerdict::Recover)]
        {
            assert_eq!(judge(proven, Presented { generation, ..DEVICE }, 1_031), expected, "{generation}");
        }
        for (generation, expected) in [
            (5, RefreshVerdict::Reused),
            (6, RefreshVerdict::Repeat),
            (7, RefreshVerdict::Repeat),
            (8, RefreshVerdict::Reused),
        ] {
            assert_eq!(judge(recovered, Presented { generation, ..DEVICE }, 1_030), expected, "{generation}");
        }
    }

    #[test]
    fn a_grandparent_or_a_generation_from_the_future_is_reuse_at_once() {
        for generation in [5, 8, i64::MAX, i64::MIN] {
            assert_eq!(judge(lineage(), Presented { generation, ..DEVICE }, 1_000), RefreshVerdict::Reused);
        }
    }

    #[test]
    fn a_session_that_is_over_says_so_before_anything_is_called_reuse() {
        let judge = |session| {
            judge_refresh(&session, Presented { generation: 1, ..PLAIN }, Timestamp::from_seconds(1_000), SUCCESSION)
        };
        let live = facts(lineage());
        let ended_at = Some(Timestamp::from_seconds(900));
        assert_eq!(judge(SessionFacts { ended_at, ..live }), RefreshVerdict::Ended);
        assert_eq!(judge(SessionFacts { expiry: until(1_000), ..live }), RefreshVerdict::Expired);
        let disabled = SessionFacts { account_disabled: true, ..live };
        assert_eq!(judge(disabled), RefreshVerdict::AccountDisabled);
        assert_eq!(judge(SessionFacts { ended_at, ..disabled }), RefreshVerdict::AccountDisabled);
    }

    #[test]
    fn the_live_generation_that_was_not_advanced_is_contended_never_refused() {
        assert_eq!(judge(lineage(), Presented { generation: 7, ..PLAIN }, 1_000), RefreshVerdict::Contended);
    }

    #[test]
    fn the_first_use_of_a_generation_is_noted_while_its_parent_could_be_recovered() {
        let judge = |lineage, generation, at| judge_use(&lineage, generation, Timestamp::from_seconds(at), SUCCESSION);
        assert_eq!(judge(lineage(), 7, 1_600), UseVerdict::FirstSeen);
        assert_eq!(judge(lineage(), 7, 1_601), UseVerdict::Good);
        assert_eq!(judge(lineage(), 6, 1_000), UseVerdict::Good, "access tokens live on beside their successors");
        assert_eq!(judge(Lineage { is_seen: true, ..lineage() }, 7, 1_000), UseVerdict::Good);
        assert_eq!(
            judge(Lineage { generation: 1, parent: 0, ..lineage() }, 1, 1_000),
            UseVerdict::Good,
            "it has no parent"
        );
    }

    #[test]
    fn an_access_token_of_a_generation_that_was_skipped_is_reuse_and_older_ones_are_over() {
        for generation in [8, 9, 20] {
            let lineage = Lineage { generation, parent: generation - 1, void: Some(7), ..lineage() };
            let judge = |generation| judge_use(&lineage, generation, Timestamp::from_seconds(1_000), SUCCESSION);
            assert_eq!(judge(7), UseVerdict::Reused);
            assert_eq!(judge(6), UseVerdict::Outdated);
            assert_ne!(judge(8), UseVerdict::Reused);
        }
    }

    proptest! {
        #[test]
        fn only_the_immediate_parent_is_ever_answered(
            generation in any::<i64>(),
            shows_device: bool,
            differs: bool,
            at in 0_i64..4_999,
        ) {
            let verdict = judge(lineage(), Presented { generation, shows_device, differs }, at);
            if !matches!(verdict, RefreshVerdict::Reused | RefreshVerdict::Contended) {
                prop_assert_eq!(generation, 6);
                prop_assert!(at <= 1_030 || (shows_device && at <= 1_600));
            }
        }
    }
}
