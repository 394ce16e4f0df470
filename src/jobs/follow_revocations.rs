use crate::{
    cache::WakeUps,
    runtime::{Shutdown, sleep},
    usecase::revocation::FollowRevocations,
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// Processes without signals, such as the command line, write entries too: those get their sequence numbers at the
/// latest after this time.
const LOOK_UNFOLLOWED: Duration = Duration::from_secs(5);
/// How long to wait before a database that did not answer is queried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the revocation feed up to date until the service stops: at every revocation here, at the signal of another
/// replica, and every `look` while there are followers.
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
