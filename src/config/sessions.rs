//! `[sessions]`: how long users stay logged in.

use super::reader::Reader;
use super::value::{DAY, show_duration};
use countersign_domain::session::LONGEST_ACCESS_LIFE;
use std::time::Duration;

/// The lifetimes of sessions and of their tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Lifetime of an access token; also the longest time that a revocation must be kept.
    pub access_ttl: Duration,
    /// How long a session lasts without a refresh.
    pub idle_ttl: Duration,
    /// How long a session lasts however often it is refreshed. Never shorter than `idle_ttl`.
    pub absolute_ttl: Duration,
    /// How long the refresh token that was just rotated is still accepted, for concurrent tabs and retries.
    pub refresh_grace: Duration,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("sessions", "Lifetimes of sessions and tokens.");
        let sessions = Self {
            access_ttl: section.duration(
                "access_ttl",
                Duration::from_mins(10),
                Duration::from_mins(1)..=LONGEST_ACCESS_LIFE,
                "Lifetime of an access token. A backend that does not follow the revocation feed accepts the token \
                 of an ended session for this long.",
            ),
            idle_ttl: section.duration(
                "idle_ttl",
                14 * DAY,
                Duration::from_mins(1)..=365 * DAY,
                "A session ends when it is not refreshed for this long.",
            ),
            absolute_ttl: section.duration(
                "absolute_ttl",
                90 * DAY,
                Duration::from_mins(1)..=2 * 365 * DAY,
                "A session ends after this time, however often it is refreshed. At least `idle_ttl`.",
            ),
            refresh_grace: section.duration(
                "refresh_grace",
                Duration::from_secs(30),
                Duration::ZERO..=Duration::from_mins(1),
                "How long the previous refresh token still works, and is answered with the current generation: for \
                 tabs that refresh at the same time and for lost answers. A stolen token works for as long; `0s` is \
                 strict.",
            ),
        };
        sessions.check(reader);
        sessions
    }

    fn check(&self, reader: &mut Reader) {
        let (access, idle, absolute) = (self.access_ttl, self.idle_ttl, self.absolute_ttl);
        reader.require(
            &["sessions.idle_ttl", "sessions.absolute_ttl"],
            idle <= absolute,
            format!(
                "must not exceed sessions.absolute_ttl, but {} is longer than {}",
                show_duration(idle),
                show_duration(absolute)
            ),
        );
        reader.require(
            &["sessions.access_ttl", "sessions.idle_ttl"],
            access <= idle,
            format!(
                "must not exceed sessions.idle_ttl, but {} is longer than {}",
                show_duration(access),
                show_duration(idle)
            ),
        );
    }
}
