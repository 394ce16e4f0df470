//! `[verification]`: what backends that check tokens by themselves are told.

use super::reader::Reader;
use std::time::Duration;

/// The feed of revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The longest silence of a stream while all is well.
    pub heartbeat: Duration,
    /// How often this process looks for what others revoked, while anybody follows.
    pub look: Duration,
    /// The most streams at once.
    pub max_followers: usize,
    /// The most streams of one service.
    pub max_followers_per_service: usize,
}

impl Verification {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section =
            reader.section("verification", "What backends that check tokens by themselves are told of revocations.");
        Self {
            heartbeat: section.duration(
                "heartbeat",
                Duration::from_secs(5),
                Duration::from_secs(1)..=Duration::from_secs(15),
                "The longest silence of a stream while all is well. A backend that hears nothing for about three times as \
                 long comes back.",
            ),
            look: section.duration(
                "look",
                Duration::from_millis(100),
                Duration::from_millis(10)..=Duration::from_millis(500),
                "How often this process asks the database what other processes have revoked, while any backend follows. \
                 With Redis it is told at once and this is the safety net.",
            ),
            max_followers: section.whole(
                "max_followers",
                1_000,
                1..=100_000,
                "The most backends that follow at once. Each needs a stream and a few kilobytes.",
            ),
            max_followers_per_service: section.whole(
                "max_followers_per_service",
                250,
                1..=100_000,
                "The most of them that belong to one service account, so that none takes the places of the others.",
            ),
        }
    }
}
