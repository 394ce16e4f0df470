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
/// While calls are answered from this process's copy of the feed, it is never older than they may rely on.
const LOOK_RELIED_ON: Duration = Duration::from_millis(100);
/// How long to wait before a database that did not answer is queried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the revocation feed up to date until the service stops: at every revocation here, at the signal of another
/// replica, every `look` while there are followers, and more often while calls are answered from this copy.
pub async fn follow_revocations(follow: FollowRevocations, wakeups: WakeUps, look: Duration, mut shutdown: Shutdown) {
    loop {
        let pause = match follow.follow().await {
            Ok(()) => {
                let feed = &follow.feed;
                let is_relied_on = feed.was_relied_on();
                let look = match feed.followers() {
                    _ if is_relied_on => LOOK_RELIED_ON.min(look),
                    0 => LOOK_UNFOLLOWED.max(look),
                    _ => look,
                };
                let next = async {
                    tokio::select! {
                        () = wakeups.wait(Signal::Revoked, look) => {}
                        () = feed.followed() => {}
                        () = feed.relied_on(), if !is_relied_on => {}
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
