//! The background task that keeps a verifier up to date.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use tokio::{task::AbortHandle, time::sleep};

use crate::{
    backoff::Backoff, credentials::Drawn, fault::Fault, feed::Feed, generated::GetVerificationKeysRequest,
    keys::KeyMaterial, link::Link, refetch::Wish, revocations::PARTS, shared::Shared,
};

/// The feed announces changes of keys; this interval covers lost announcements.
const FETCH_KEYS_EVERY: Duration = Duration::from_secs(5 * 60);
/// All backends receive a change of keys at the same moment. Their requests are spread over this time.
const AT_LEISURE: Duration = Duration::from_secs(1);
/// How often a part of the expired entries is dropped; all of them after [`PARTS`] times as long.
const FORGET_EVERY: Duration = Duration::from_secs(4);

/// Ends the task when the last handle of the verifier is dropped.
#[derive(Debug)]
pub(crate) struct Following(AbortHandle);

impl Following {
    /// Starts the task. Requires a tokio runtime.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        Self(tokio::spawn(follow(shared)).abort_handle())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(shared: Arc<Shared>) {
    let Some(link) = &shared.link else { return };
    let _end = End(link);
    // A single task, so that one abort ends all three; each waits most of the time.
    tokio::select! {
        () = keep_keys(&shared, link) => {}
        () = Feed::new().follow(&shared, link) => {}
        () = forget(&shared, link) => {}
    }
}

/// Marks the feed as lost when the task ends. A panic in an observer or the end of the runtime ends the task without an
/// error: then no further revocation arrives, and the feed becomes stale.
struct End<'a>(&'a Link);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.pulse.lost();
        if std::thread::panicking() {
            tracing::error!("the task that follows the revocation feed panicked: no further revocation is received");
        }
    }
}

async fn keep_keys(shared: &Shared, link: &Link) {
    let mut backoff = Backoff::default();
    let chance = RandomState::new();
    for round in 0_u64.. {
        let wait = match fetch_keys(shared, link).await {
            Ok(()) => {
                backoff.reset();
                link.progress.keys();
                link.refetch.fetched(true);
                FETCH_KEYS_EVERY
            }
            Err(fault) => {
                tracing::warn!(%fault, "cannot fetch keys");
                link.progress.failed(fault);
                link.refetch.fetched(false);
                backoff.next()
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            wish = link.refetch.wished() => if wish == Wish::AtLeisure {
                let millis = u64::try_from(AT_LEISURE.as_millis()).unwrap_or(1);
                sleep(Duration::from_millis(chance.hash_one(round) % millis)).await;
            }
        }
    }
}

async fn fetch_keys(shared: &Shared, link: &Link) -> Result<(), Fault> {
    let account = &link.account;
    let bearer = account.bearer().await.map_err(|drawn| {
        link.progress.drawn(drawn);
        match drawn {
            Drawn::Refused(fault) | Drawn::Failed(fault) => fault,
        }
    })?;
    let request = GetVerificationKeysRequest { audience: account.audience().to_owned() };
    match account.calls().keys(bearer.clone(), request).await {
        Ok(answer) => {
            let material = KeyMaterial::read(answer, account.audience(), &link.recipients)?;
            shared.keys_changed(shared.keys.install(&material))
        }
        Err(status) => {
            account.heed(&bearer, &status).await;
            let fault = Fault::of(&status);
            // The token was just issued for valid credentials. Unless the token is refused, the credentials may not
            // have the audience.
            if matches!(fault, Fault::Refused(code) if code != tonic::Code::Unauthenticated) {
                link.progress.audience_refused(fault);
            }
            Err(fault)
        }
    }
}

async fn forget(shared: &Shared, link: &Link) {
    for part in (0..PARTS).cycle() {
        sleep(FORGET_EVERY).await;
        let over = link.over(shared);
        shared.revocations.forget(over, part);
        shared.keys.forget(over);
        // A token that is dropped too early is opened again.
        shared.cache.forget(shared.clock.unix_seconds(), (part, PARTS));
    }
}
