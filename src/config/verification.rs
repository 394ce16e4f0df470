//! `[verification]`: the revocation feed, for backends that verify tokens offline.

use super::reader::Reader;
use std::time::Duration;

/// The revocation feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The interval of heartbeats: the longest time without a message on a working stream.
    pub heartbeat: Duration,
    /// How often this process polls for revocations of other replicas, while there are followers.
    pub poll_interval: Duration,
    /// The most concurrent streams.
    pub max_followers: usize,
    /// The most concurrent streams of one service.
    pub max_followers_per_service: usize,
}

impl Verification {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section =
            reader.section("verification", "The revocation feed, which backends follow to verify tokens offline.");
        Self {
            heartbeat: section.duration(
                "heartbeat",
                Duration::from_secs(5),
                Duration::from_secs(1)..=Duration::from_secs(15),
                "Longest time between two messages of the feed. A backend that receives nothing for about three \
                 times as long reconnects.",
            ),
            poll_interval: section.duration(
                "poll_interval",
                Duration::from_millis(100),
                Duration::from_millis(10)..=Duration::from_millis(500),
                "How often this process reads new revocations of other processes from the database, while any \
                 backend follows the feed. With Redis other processes notify it at once; polling is the fallback.",
            ),
            max_followers: section.whole(
                "max_followers",
                1_000,
                1..=100_000,
                "Most backends that follow the feed of this process at the same time. Each needs a stream and a few \
                 kilobytes.",
            ),
            max_followers_per_service: section.whole(
                "max_followers_per_service",
                250,
                1..=100_000,
                "Most of these that belong to one service account, so that one service cannot shut out the others.",
            ),
        }
    }
}
