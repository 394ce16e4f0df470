use super::{App, PASSWORD};
use countersign_domain::{
    password::{PasswordPolicy, PasswordPurpose::Alone},
    secret::SecretText,
};
use futures_util::FutureExt as _;
use std::pin::Pin;

/// A hash that no call asked for. It answers whether it was computed.
pub(crate) type Occupation = Pin<Box<dyn Future<Output = bool>>>;

/// Gives an app's only worker a hash to do, and returns when it has begun.
pub(crate) async fn occupy(app: &App) -> Occupation {
    let hash = queue_a_hash(app);
    while app.hasher.queue_depth() > 0 {
        tokio::task::yield_now().await;
    }
    hash
}

/// Queues a hash.
pub(crate) fn queue_a_hash(app: &App) -> Occupation {
    let policy = PasswordPolicy::default();
    let password =
        policy.accept(policy.read(&SecretText::new(PASSWORD.to_owned()), Alone).unwrap(), Alone, &[]).unwrap();
    let hasher = app.hasher.clone();
    let mut hash: Occupation = Box::pin(async move { hasher.hash(&password).await.is_ok() });
    assert!((&mut hash).now_or_never().is_none());
    hash
}
