use super::grpcurl::{Grpcurl, embedded_default, text};

#[test]
fn a_refusal_is_printed_with_its_reason_its_fields_and_its_request() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (_folder, service) = embedded_default();
    let form = r#"{"email": "canary at example", "password": "seven quiet herons at dusk", "username": "?"}"#;
    let output = grpcurl.run(&["-d", form, &service.address, "countersign.v1.AccountService/Register"]);
    let refused = text(&output.stderr);
    assert!(!output.status.success());
    for shown in [
        "Code: InvalidArgument",
        "\"@type\": \"type.googleapis.com/google.rpc.ErrorInfo\"",
        "\"domain\": \"countersign\"",
        "\"reason\": \"INVALID_FIELD\"",
        "\"@type\": \"type.googleapis.com/google.rpc.BadRequest\"",
        "\"field\": \"email\"",
        "\"field\": \"username\"",
        "\"requestId\": ",
    ] {
        assert!(refused.contains(shown), "{shown} is not shown: {refused}");
    }
    assert!(!refused.contains("canary") && !refused.contains("herons"), "{refused}");
    service.stop();
}

#[test]
fn a_call_without_a_token_is_told_so() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (_folder, service) = embedded_default();
    let refused = text(&grpcurl.run(&[&service.address, "countersign.v1.AccountService/GetMe"]).stderr);
    assert!(refused.contains("Code: Unauthenticated") && refused.contains("\"TOKEN_MISSING\""), "{refused}");
    service.stop();
}

#[test]
fn a_method_that_is_not_there_is_told_so() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (_folder, service) = embedded_default();
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/terminal");
    // The reason is readable because reflection describes its type.
    let arguments = [
        "-use-reflection",
        "-import-path",
        proto,
        "-proto",
        "unknown.proto",
        &service.address,
        "countersign.v1.NoService/NoMethod",
    ];
    let refused = text(&grpcurl.run(&arguments).stderr);
    assert!(refused.contains("Code: Unimplemented") && refused.contains("\"METHOD_UNKNOWN\""), "{refused}");
    service.stop();
}
