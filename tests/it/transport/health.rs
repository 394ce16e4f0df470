use crate::support::on_each_database;
use countersign::grpc::callers;
use countersign_domain::caller::{CallerRule, Requirement};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Whether health reports the service as serving, rather than as unknown.
async fn is_known(channel: Channel, service: &str) -> bool {
    let asked = HealthCheckRequest { service: service.to_owned() };
    match HealthClient::new(channel).check(asked).await {
        Ok(told) => {
            assert_eq!(told.into_inner().status(), ServingStatus::Serving, "{service}");
            true
        }
        Err(status) => {
            assert_eq!(status.code(), Code::NotFound, "{service}");
            false
        }
    }
}

#[test]
fn health_tells_of_every_service_of_the_listener_and_of_all_together() {
    on_each_database(async |app| {
        for listener in [app.channel(), app.admin_channel()] {
            assert!(is_known(listener, "").await);
        }
        for callers::Method { path, requirement: Requirement { caller, .. }, .. } in callers::table() {
            let service = path.split('/').nth(1).unwrap();
            let is_public = !matches!(caller, CallerRule::Operator | CallerRule::Development);
            assert_eq!(is_known(app.channel(), service).await, is_public, "{service}");
            let is_admin = *caller == CallerRule::Operator;
            assert_eq!(is_known(app.admin_channel(), service).await, is_admin, "{service}");
        }
    });
}
