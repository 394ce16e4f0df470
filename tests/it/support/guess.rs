use super::{App, PASSWORD, Person, reason, retry_after};
use countersign::grpc::wire::proto::*;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tonic::{Code, Status};

/// A password that is nobody's. The same client counts once with it.
pub(crate) const WRONG: &str = "not the password at all";

/// Another password that is nobody's, each time.
pub(crate) fn another_wrong() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("{WRONG}, number {}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// A login as a device makes it.
pub(crate) async fn log_in_from(
    app: &App,
    identifier: &str,
    password: &str,
    device_token: &str,
) -> Result<LoginResponse, Status> {
    let form = LoginRequest {
        identifier: identifier.to_owned(),
        password: password.to_owned(),
        device_token: device_token.to_owned(),
        ..Default::default()
    };
    Ok(app.auth().login(form).await?.into_inner())
}

/// Registers, and logs in from a device that is known from now on. Returns its token.
pub(crate) async fn known_device(app: &App, email: &str) -> String {
    Person::register(app, email).await;
    log_in_from(app, email, PASSWORD, "").await.unwrap().device_token
}

/// So many different wrong guesses of a stranger, each of which is evaluated.
pub(crate) async fn guess_wrong(app: &App, identifier: &str, times: usize) {
    for guess in 1..=times {
        let refused = app.log_in(identifier, &another_wrong()).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_INVALID", "guess {guess} for {identifier}");
    }
}

/// For how long somebody has to wait who was refused for guessing.
pub(crate) fn held<T: std::fmt::Debug>(answer: Result<T, Status>) -> Duration {
    let refused = answer.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    retry_after(&refused).unwrap()
}
