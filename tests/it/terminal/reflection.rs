use super::grpcurl::{Grpcurl, embedded_default, printed, text};
use crate::support::{ProcessOptions, ServiceProcess};

#[test]
fn every_service_and_rpc_is_found_without_proto_files() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (_folder, service) = embedded_default();
    let listed = printed(&grpcurl.run(&[&service.address, "list"]));
    let ours = ["AccountService", "AuthService", "SessionService", "DevMailboxService"]
        .map(|name| format!("countersign.v1.{name}"));
    for name in ours.iter().map(String::as_str).chain(["grpc.health.v1.Health"]) {
        assert!(listed.lines().any(|line| line == name), "{name} is not listed: {listed}");
        let described = printed(&grpcurl.run(&[&service.address, "describe", name]));
        assert!(described.contains(&format!("{name} is a service:")), "{described}");
        for method in printed(&grpcurl.run(&[&service.address, "list", name])).lines() {
            let described = printed(&grpcurl.run(&[&service.address, "describe", method]));
            assert!(described.contains(&format!("{method} is a method:")), "{described}");
        }
    }
    let described = printed(&grpcurl.run(&[&service.address, "describe", "countersign.v1.AccountService.GetMe"]));
    assert!(described.contains("CALLER_ACCOUNT"), "who may call is told too: {described}");
    let described = printed(&grpcurl.run(&[&service.address, "describe", ".google.rpc.ErrorInfo"]));
    assert!(described.contains("string reason"), "{described}");
    service.stop();
}

#[test]
fn health_is_asked_with_grpcurl() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (_folder, service) = embedded_default();
    let answer = printed(&grpcurl.run(&[&service.address, "grpc.health.v1.Health/Check"]));
    assert!(answer.contains("\"SERVING\""), "{answer}");
    service.stop();
}

#[test]
fn nothing_is_told_where_reflection_is_off() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::bare_in_folder(folder.path()).and("COUNTERSIGN_SERVER__REFLECTION", "false");
    let service = ServiceProcess::start(&options);
    let output = grpcurl.run(&[&service.address, "list"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(text(&output.stderr).contains("does not support the reflection API"), "{}", text(&output.stderr));
    assert!(!service.said().contains("grpcurl"), "a line that would not work is not offered");
    service.stop();
}
