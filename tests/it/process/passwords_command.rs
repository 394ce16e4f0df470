use crate::support::{Client, PASSWORD, ProcessOptions, ServiceProcess, finish_with, reason, sha1};
use countersign::grpc::wire::proto::RegisterRequest;
use std::{fs, time::Duration};

fn list_of(passwords: &[&str]) -> String {
    let mut lines: Vec<_> = passwords.iter().map(|password| sha1(password) + ":12\r\n").collect();
    lines.sort();
    lines.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_compiled_and_the_service_looks_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let (list, file) = (folder.path().join("list.txt"), folder.path().join("breached.bin"));
    fs::write(&list, list_of(&[PASSWORD, "letmein", "password"])).unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let (list, file) = (list.to_str().unwrap(), file.to_str().unwrap());
    let said = options.succeed(&["passwords", "compile", list, file]);
    assert!(said.starts_with("3 hashes in ") && said.contains("one in 93824992236885 passwords"), "{said}");

    let options =
        options.and("COUNTERSIGN_PASSWORDS__BREACHED", "file").and("COUNTERSIGN_PASSWORDS__BREACHED_LIST", file);
    let service = ServiceProcess::start(&options);
    let form =
        RegisterRequest { email: "ada@example.org".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let refused = Client::to(&service.address).await.account().register(form).await.unwrap_err();
    assert_eq!(reason(&refused), "PASSWORD_REJECTED");

    // The file of a running service is replaced, never written to.
    let input = list_of(&["letmein"]);
    let compiled = finish_with(
        &mut options.command(&["passwords", "compile", "-", file]),
        input.as_bytes(),
        Duration::from_secs(30),
    );
    assert!(compiled.status.success(), "{compiled:?}");
    service.stop();
}

#[test]
fn a_list_that_is_none_and_a_file_that_is_none_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (list, file) = (folder.path().join("list.txt"), folder.path().join("breached.bin"));
    fs::write(&list, "password\n").unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let (list, file) = (list.to_str().unwrap(), file.to_str().unwrap());
    let complaint = options.fail(&["passwords", "compile", list, file]);
    assert!(complaint.contains("line 1 of the list is not a SHA-1 hash"), "{complaint}");
    assert!(options.fail(&["passwords", "compile", "/nowhere/list", file]).contains("/nowhere/list: "));
    let options =
        options.and("COUNTERSIGN_PASSWORDS__BREACHED", "file").and("COUNTERSIGN_PASSWORDS__BREACHED_LIST", list);
    let complaint = options.fail(&["serve"]);
    assert!(complaint.contains("passwords.breached_list") && complaint.contains("passwords compile"), "{complaint}");
}
