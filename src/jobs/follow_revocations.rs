use crate::{
    cache::WakeUps,
    runtime::{Shutdown, sleep},
    usecase::revocation::FollowRevocations,
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// Entries of processes that cannot call, such as the command line, get their places at the latest after this.
const LOOK_UNFOLLOWED: Duration = Duration::from_secs(5);
/// A database that does not answer is not asked more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the feed of revocations up to date, until the service stops: as soon as something is revoked here, as soon as
/// another replica calls, and every `look` while anybody follows.
pub async fn follow_revocations(follow: FollowRevocations, wakeups: WakeUps, look: Duration, mut shutdown: Shutdown) {
    loop {
        let pause = match follow.follow().await {
            Ok(()) => {
                let look = if follow.feed.followers() > 0 { look } else { LOOK_UNFOLLOWED.max(look) };
                let next = async {
                    tokio::select! {
                        () = wakeups.wait(Signal::Revoked, look) => {}
                        () = follow.feed.followed() => {}
                        () = wakeups.wait(Signal::FeedGrown, look) => {}
                    }
                };
                shutdown.unless(next).await
            }
            Err(fault) => {
                tracing::warn!(%fault, "the revocation feed cannot be read");
                shutdown.unless(sleep(PAUSE)).await
            }
        };
        if pause.is_err() {
            return;
        }
    }
}
