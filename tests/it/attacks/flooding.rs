//! Floods of login attempts, of requests for mails, and of calls.

use crate::support::{
    App, AppOptions, Backend, MailText as _, PASSWORD, Person, Redis, Replica, bearer, on_sqlite_with, reason,
    reset_mail, retry_after,
};
use countersign::{config, grpc::wire::proto::*, wiring::Service};
use countersign_domain::limit::Limit;
use std::time::Duration;
use tempfile::TempDir;
use tonic::{Code, Request, Status};

const ADA: &str = "ada@example.org";

/// The usual limits, behind a proxy that names the addresses of callers.
fn usual() -> AppOptions {
    at_percent("100")
}

fn at_percent(percent: &str) -> AppOptions {
    AppOptions::with("COUNTERSIGN_LIMITS__PERCENT", percent).and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
}

fn burst(limit: Limit) -> u32 {
    limit.quota().burst()
}

fn from<T>(address: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    request
}

/// How long the answer to a refused call says to wait.
fn wait(refused: &Status) -> Duration {
    assert_eq!((refused.code(), reason(refused).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    retry_after(refused).unwrap()
}

async fn log_in(app: &App, address: &str, password: &str) -> Result<(), Status> {
    let form = LoginRequest { identifier: ADA.to_owned(), password: password.to_owned(), ..Default::default() };
    app.auth().login(from(address, form)).await.map(drop)
}

async fn register(app: &App, address: &str, email: &str) -> Result<(), Status> {
    let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.account().register(from(address, form)).await.map(drop)
}

async fn request_reset(app: &App, address: &str, email: &str) -> Result<(), Status> {
    let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
    app.account().request_reset(from(address, form)).await.map(drop)
}

async fn resend(app: &App, address: &str, email: &str) -> Result<(), Status> {
    let form = ResendVerificationRequest { email: email.to_owned(), ..Default::default() };
    app.account().resend_verification(from(address, form)).await.map(drop)
}

#[test]
fn attempts_from_an_address_are_refused_before_they_cost_a_hash_until_the_time_that_the_answer_says() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        for _ in 0..burst(Limit::LoginsPerIp) {
            assert_eq!(reason(&log_in(app, "192.0.2.1", "wrong").await.unwrap_err()), "CREDENTIALS_INVALID");
        }
        let (hashes, events) = (app.hasher.computed(), app.rows("audit_events").await);
        let wait = wait(&log_in(app, "192.0.2.1", PASSWORD).await.unwrap_err());
        assert_eq!((app.hasher.computed(), app.rows("audit_events").await), (hashes, events));
        log_in(app, "192.0.2.2", PASSWORD).await.unwrap();

        app.advance(wait - Duration::from_micros(1));
        log_in(app, "192.0.2.1", PASSWORD).await.unwrap_err();
        app.advance(Duration::from_micros(1));
        log_in(app, "192.0.2.1", PASSWORD).await.unwrap();
        log_in(app, "192.0.2.1", PASSWORD).await.unwrap_err();
    });
}

#[test]
fn all_addresses_of_one_subnet_are_one_caller() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        for at in 0..burst(Limit::LoginsPerIp) {
            let address = format!("2001:db8:0:7:{at:x}::1");
            assert_eq!(reason(&log_in(app, &address, "wrong").await.unwrap_err()), "CREDENTIALS_INVALID");
        }
        wait(&log_in(app, "2001:db8:0:7:ffff::1", PASSWORD).await.unwrap_err());
        log_in(app, "2001:db8:0:8::1", PASSWORD).await.unwrap();
    });
}

#[test]
fn a_mailbox_is_not_flooded_from_however_many_addresses_and_whoever_it_belongs_to() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        app.advance(Duration::from_hours(2));
        let mut waits = Vec::new();
        for email in [ADA, "nobody@example.org"] {
            let queued = app.rows("outbox").await;
            for at in 0..burst(Limit::MailsPerRecipient) {
                let address = format!("198.51.100.{at}");
                // All RPCs that send mails to a named recipient share one count.
                let asked = match at % 3 {
                    0 => request_reset(app, &address, email).await,
                    1 => resend(app, &address, email).await,
                    _ => register(app, &address, &email.to_uppercase()).await,
                };
                asked.unwrap();
            }
            let events = app.rows("audit_events").await;
            waits.push(wait(&request_reset(app, "203.0.113.1", email).await.unwrap_err()));
            wait(&resend(app, "203.0.113.2", email).await.unwrap_err());
            wait(&register(app, "203.0.113.3", email).await.unwrap_err());
            assert_eq!(app.rows("outbox").await - queued, i64::from(burst(Limit::MailsPerRecipient)), "{email}");
            assert_eq!(app.rows("audit_events").await, events);
        }
        assert_eq!(waits[0], waits[1], "known and unknown addresses are refused alike");
    });
}

#[test]
fn somebody_who_is_signed_in_floods_no_mailbox_either() {
    on_sqlite_with(usual(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let form = RequestEmailChangeRequest {
            new_email: "victim@example.org".to_owned(),
            current_password: PASSWORD.to_owned(),
            ..Default::default()
        };
        for _ in 0..burst(Limit::MailsPerRecipient) {
            app.account().request_email_change(ada.asks(form.clone())).await.unwrap();
        }
        wait(&app.account().request_email_change(ada.asks(form)).await.unwrap_err());
    });
}

#[test]
fn an_address_asks_for_so_many_accounts_and_mails_and_no_more() {
    on_sqlite_with(usual(), async |app| {
        for at in 0..burst(Limit::RegistrationsPerIp) {
            register(app, "192.0.2.1", &format!("person{at}@example.org")).await.unwrap();
        }
        let hashes = app.hasher.computed();
        wait(&register(app, "192.0.2.1", "one-more@example.org").await.unwrap_err());
        assert_eq!(app.hasher.computed(), hashes);
        assert_eq!(app.rows("registrations").await, i64::from(burst(Limit::RegistrationsPerIp)));

        for at in 0..burst(Limit::MailsPerIp) - burst(Limit::RegistrationsPerIp) {
            request_reset(app, "192.0.2.1", &format!("other{at}@example.org")).await.unwrap();
        }
        wait(&request_reset(app, "192.0.2.1", "last@example.org").await.unwrap_err());
        request_reset(app, "192.0.2.9", "last@example.org").await.unwrap();
    });
}

#[test]
fn a_repetition_of_a_call_is_not_another_call() {
    on_sqlite_with(usual(), async |app| {
        let form = RequestResetRequest {
            email: ADA.to_owned(),
            request_id: "0123456789abcdef-again".to_owned(),
            ..Default::default()
        };
        for _ in 0..2 * burst(Limit::MailsPerRecipient) {
            app.account().request_reset(form.clone()).await.unwrap();
        }
        assert_eq!(app.rows("outbox").await, 1);
    });
}

#[test]
fn links_and_codes_are_tried_so_often_from_an_address() {
    on_sqlite_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let mail = reset_mail(app, ADA).await;
        for at in 0..burst(Limit::RedemptionsPerIp) {
            let (email, code) = (format!("person{at}@example.org"), "1234 5678".to_owned());
            let refused = match at % 3 {
                0 => app
                    .account()
                    .verify(from("192.0.2.1", VerifyRequest { email, code, ..Default::default() }))
                    .await
                    .map(drop),
                1 => {
                    let form = ResetRequest { email, code, new_password: PASSWORD.to_owned(), ..Default::default() };
                    app.account().reset(from("192.0.2.1", form)).await.map(drop)
                }
                _ => {
                    let form = ConfirmEmailChangeRequest { email, code, ..Default::default() };
                    app.account().confirm_email_change(from("192.0.2.1", form)).await.map(drop)
                }
            };
            assert_eq!(reason(&refused.unwrap_err()), "CODE_INVALID");
        }
        let form = ResetRequest {
            token: mail.link_token(),
            new_password: "four grey herons watch the tide".to_owned(),
            ..Default::default()
        };
        wait(&app.account().reset(from("192.0.2.1", form.clone())).await.unwrap_err());
        app.account().reset(from("192.0.2.2", form)).await.unwrap();
    });
}

#[test]
fn a_session_that_refreshes_in_a_loop_is_slowed_down_and_goes_on() {
    on_sqlite_with(usual(), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let mut session = ada.session.clone();
        for _ in 0..burst(Limit::RefreshesPerSession) {
            session = app.refresh(&session.refresh_token).await.unwrap();
        }
        let told = wait(&app.refresh(&session.refresh_token).await.unwrap_err());
        let other = app.log_in(ADA, PASSWORD).await.unwrap();
        app.refresh(&other.refresh_token).await.unwrap();
        app.me(&session).await.unwrap();
        app.advance(told);
        app.refresh(&session.refresh_token).await.unwrap();
    });
}

#[test]
fn calls_of_an_address_of_an_account_and_of_a_service_have_an_end() {
    on_sqlite_with(at_percent("10"), async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let backend = Backend::enrol(app, "orders").await;
        app.advance(Duration::from_hours(2));
        let me = |address: &str| {
            let mut request = bearer(&ada.session.access_token, GetMeRequest {});
            request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
            request
        };
        // The access token has expired by now.
        let anyone = async |address: &str| reason(&app.account().get_me(me(address)).await.unwrap_err());
        for _ in 0..burst(Limit::CallsPerIp) / 10 {
            assert_eq!(anyone("192.0.2.1").await, "TOKEN_EXPIRED");
        }
        assert_eq!(anyone("192.0.2.1").await, "RATE_LIMITED");
        assert_eq!(anyone("192.0.2.2").await, "TOKEN_EXPIRED");

        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        for at in 0..burst(Limit::CallsPerAccount) / 10 {
            let mut request = bearer(&session.access_token, GetMeRequest {});
            request.metadata_mut().insert("x-forwarded-for", format!("198.51.100.{at}").parse().unwrap());
            app.account().get_me(request).await.unwrap();
        }
        wait(&app.me(&session).await.unwrap_err());

        let draw = || IssueServiceTokenRequest {
            client_id: backend.created.id.to_string(),
            client_secret: backend.created.secret.reveal().to_owned(),
            ..Default::default()
        };
        let ask = || {
            let mut request = backend.asks(IntrospectRequest { token: session.access_token.clone() });
            request.metadata_mut().insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
            request
        };
        let refused = app.verification().introspect(ask()).await.unwrap_err();
        assert_eq!(reason(&refused), "TOKEN_EXPIRED", "services are not counted by address");

        for _ in 0..burst(Limit::ServiceTokensPerIp) / 10 {
            app.auth().issue_service_token(from("203.0.113.1", draw())).await.unwrap();
        }
        wait(&app.auth().issue_service_token(from("203.0.113.1", draw())).await.unwrap_err());
    });
}

#[tokio::test]
async fn attempts_at_several_replicas_share_one_count() {
    let Some(redis) = Redis::start() else { return };
    let folder = TempDir::new().unwrap();
    let environment = [
        ("COUNTERSIGN_DATA_DIR", folder.path().display().to_string()),
        ("COUNTERSIGN_REDIS_URL", redis.url.clone()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192".to_owned()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1".to_owned()),
        ("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "100".to_owned()),
    ];
    let environment = environment.map(|(key, value)| (key.to_owned(), value));
    let config = config::load(None, environment).unwrap().config;
    let mut replicas = Vec::new();
    for seed in 1..=2 {
        let service = Box::pin(Service::assemble(&config, Replica::world(seed), None)).await.unwrap();
        replicas.push(Replica::serve(service).await);
    }
    let attempt = async |replica: &Replica| {
        let form = LoginRequest { identifier: ADA.to_owned(), password: "wrong".to_owned(), ..Default::default() };
        reason(&replica.auth().login(form).await.unwrap_err())
    };
    for at in 0..burst(Limit::LoginsPerIp) as usize {
        assert_eq!(attempt(&replicas[at % 2]).await, "CREDENTIALS_INVALID", "{at}");
    }
    for replica in &replicas {
        assert_eq!(attempt(replica).await, "RATE_LIMITED");
    }
    for replica in replicas {
        replica.close().await;
    }
}

#[test]
fn spellings_of_one_mailbox_share_its_limit() {
    on_sqlite_with(usual(), async |app| {
        let allowed = burst(Limit::MailsPerRecipient);
        for number in 0..allowed {
            request_reset(app, &format!("198.51.100.{number}"), &format!("Ada+{number}@example.org")).await.unwrap();
        }
        for spelling in ["ada@example.org", "ada+one.more@example.org", "ADA+@example.org"] {
            wait(&request_reset(app, "203.0.113.1", spelling).await.unwrap_err());
            wait(&register(app, "203.0.113.2", spelling).await.unwrap_err());
        }
        request_reset(app, "203.0.113.1", "ada.b@example.org").await.unwrap();
        app.send_mail().await;
    });
}
