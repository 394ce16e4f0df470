use crate::support::{App, AppOptions, Refused as _, call, on_sqlite, on_sqlite_with, reason, rpc, send, with_header};
use countersign::grpc::wire::proto::*;
use http::Version;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// All settings that `profile = "production"` requires.
pub(crate) fn production() -> AppOptions {
    AppOptions::with("COUNTERSIGN_PROFILE", "production")
        .and("COUNTERSIGN_KEYS__KEK", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")
        .and("COUNTERSIGN_SMTP_URL", "smtp://127.0.0.1:1")
        .and("COUNTERSIGN_MAIL__FROM", "Countersign <no-reply@example.org>")
        // Production requires what the settings of tests reduce.
        .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "19456")
        .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "2")
        .and("COUNTERSIGN_LIMITS__PERCENT", "1000")
}

const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The metadata with which a call names its tenant.
const TENANT: &str = "x-countersign-tenant";

/// A request for the list of services: field 7, empty.
const LIST_SERVICES: [u8; 2] = [0x3a, 0x00];

async fn has_no_dev_mailbox(app: &App) {
    assert_eq!(app.dev_mailbox().list(ListRequest::default()).await.reason(), "METHOD_UNKNOWN");
    let waiting = WaitForRequest { recipient: "ada@example.org".to_owned(), ..Default::default() };
    assert_eq!(app.dev_mailbox().wait_for(waiting).await.reason(), "METHOD_UNKNOWN");
}

#[test]
fn in_production_there_is_no_dev_mailbox() {
    on_sqlite_with(production(), async |app| has_no_dev_mailbox(app).await);
}

#[test]
fn where_mail_leaves_by_smtp_there_is_no_dev_mailbox() {
    let options = AppOptions::with("COUNTERSIGN_SMTP_URL", "smtp://127.0.0.1:1");
    on_sqlite_with(options, async |app| has_no_dev_mailbox(app).await);
}

#[test]
fn in_development_there_is_a_dev_mailbox() {
    on_sqlite(async |app| {
        let mails = app.dev_mailbox().list(ListRequest::default()).await.unwrap().into_inner().mails;
        assert!(mails.is_empty(), "nothing was mailed yet");
    });
}

#[test]
fn reflection_is_on_in_development() {
    on_sqlite(async |app| {
        for path in REFLECTION {
            let status = rpc(app.address, call(path, &LIST_SERVICES)).await;
            assert_eq!(status.code(), tonic::Code::Ok, "{path}: {status:?}");
        }
    });
}

#[test]
fn reflection_is_off_in_production() {
    on_sqlite_with(production(), async |app| {
        for path in REFLECTION {
            assert_eq!(reason(&rpc(app.address, call(path, &LIST_SERVICES)).await), "METHOD_UNKNOWN", "{path}");
        }
    });
}

#[test]
fn reflection_is_on_in_production_when_it_is_asked_for() {
    let options = production().and("COUNTERSIGN_SERVER__REFLECTION", "true");
    on_sqlite_with(options, async |app| {
        for path in REFLECTION {
            let status = rpc(app.address, call(path, &LIST_SERVICES)).await;
            assert_eq!(status.code(), tonic::Code::Ok, "{path}: {status:?}");
            let answer = send(app.address, Version::HTTP_2, call(path, &LIST_SERVICES)).await;
            let listed = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(listed.contains("countersign.v1.AccountService"), "{path}: {listed}");
            assert!(!listed.contains("DevMailbox"), "{path} tells of what is not served: {listed}");
        }
    });
}

#[test]
fn the_standard_services_answer_whatever_tenant_is_named() {
    on_sqlite(async |app| {
        for path in REFLECTION.into_iter().chain(["/grpc.health.v1.Health/Check"]) {
            let message: &[u8] = if path.contains("Health") { &[] } else { &LIST_SERVICES };
            let status = rpc(app.address, with_header(call(path, message), TENANT, b"nobody")).await;
            assert_eq!(status.code(), tonic::Code::Ok, "{path}: {status:?}");
        }
    });
}

#[test]
fn the_health_service_says_serving_of_the_whole_and_of_each_service() {
    on_sqlite(async |app| {
        let mut health = HealthClient::new(app.channel());
        for service in
            ["", "countersign.v1.AccountService", "countersign.v1.AuthService", "countersign.v1.SessionService"]
        {
            let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap();
            assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service}");
        }
        let unknown = health.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
        assert_eq!(unknown.code(), tonic::Code::NotFound);
    });
}

#[test]
fn a_method_or_service_that_does_not_exist_is_unimplemented_with_a_reason() {
    on_sqlite(async |app| {
        for path in ["/countersign.v1.AuthService/Nothing", "/countersign.v1.Nobody/Login", "/nowhere", "/a/b/c"] {
            let status = rpc(app.address, call(path, &[])).await;
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (tonic::Code::Unimplemented, "METHOD_UNKNOWN"),
                "{path}"
            );
        }
    });
}
