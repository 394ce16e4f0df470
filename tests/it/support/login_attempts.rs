use super::{App, PASSWORD, Person, reason, retry_after};
use countersign::grpc::wire::proto::*;
use std::{cell::Cell, time::Duration};
use tonic::{Code, Status};

/// A password that nobody has. Repeated by the same client, it counts once.
pub(crate) const WRONG: &str = "not the password at all";

/// Another password that nobody has, each time. Each test, which is a thread, makes the same ones whenever it runs: of
/// other passwords, two might have the same mark of 16 bits, and one of them would not be counted.
pub(crate) fn another_wrong() -> String {
    thread_local! {
        static MADE: Cell<u64> = const { Cell::new(0) };
    }
    let number = MADE.replace(MADE.get() + 1);
    format!("{WRONG}, number {number}")
}

/// A login from a device.
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

/// Registers, and logs in from a device, which is recognized from then on. Returns its device token.
pub(crate) async fn recognized_device(app: &App, email: &str) -> String {
    Person::register(app, email).await;
    log_in_from(app, email, PASSWORD, "").await.unwrap().device_token
}

/// Makes so many login attempts with different wrong passwords from an unrecognized device. All are evaluated.
pub(crate) async fn try_wrong_passwords(app: &App, identifier: &str, times: usize) {
    for attempt in 1..=times {
        let refused = app.log_in(identifier, &another_wrong()).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_INVALID", "attempt {attempt} for {identifier}");
    }
}

/// How long a caller has to wait who was refused after wrong passwords.
pub(crate) fn held<T: std::fmt::Debug>(answer: Result<T, Status>) -> Duration {
    let refused = answer.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    retry_after(&refused).unwrap()
}
