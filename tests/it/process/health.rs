use crate::support::{ProcessOptions, ServiceProcess, free_port};

#[test]
fn health_tells_a_running_service_from_a_stopped_one() {
    let folder = tempfile::tempdir().unwrap();
    let operators = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_ADMIN_LISTEN", &operators);
    assert!(options.fail(&["health"]).contains(&operators));
    let service = ServiceProcess::start(&options);
    options.succeed(&["health"]);
    service.stop();
    assert!(options.fail(&["health"]).contains(&operators));
}

#[test]
fn health_without_an_operators_listener_says_that_there_is_nobody_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let complaint = ProcessOptions::in_folder(folder.path()).fail(&["health"]);
    assert!(complaint.contains("admin_listen is off"), "{complaint}");
}
