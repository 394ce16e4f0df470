use crate::support::{Client, MailServer, ProcessOptions, Rows, ServiceProcess, eventually, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_given_up_is_seen_and_sent_after_all() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let server = MailServer::start(&address).await;
    server.refuse(true);
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SMTP_URL", &format!("smtp://{address}"));
    let service = ServiceProcess::start(&options);
    Client::to(&service.address).await.register("ada@example.org", "").await.unwrap();
    let dead = eventually("the mail to be given up", async || {
        let dead = options.succeed(&["mail", "outbox", "--dead"]);
        dead.contains("ada@example.org").then_some(dead)
    })
    .await;
    assert!(dead.contains("550"), "{dead}");
    let status = options.succeed(&["mail", "status"]);
    assert!(status.contains("dead          1") && status.contains("1  recipient: 550 5.1.1 nobody here"), "{status}");
    assert!(status.contains(&format!("the mail server {address} takes mail")), "{status}");

    server.refuse(false);
    let id = dead.split(' ').next().unwrap();
    assert!(options.fail(&["mail", "requeue", "--all", "--reason", "sender"]).contains("no dead mail matches"));
    assert!(options.succeed(&["mail", "requeue", id]).contains("1 mail requeued"));
    assert_eq!(server.mails_to("ada@example.org").await.len(), 1);
    let sent = "SELECT count(*) FROM outbox WHERE outcome = 'sent'";
    let rows = Rows::of(&options.database_url()).await;
    eventually("the outbox to note it", async || (rows.number(sent).await == 1).then_some(())).await;
    assert!(options.fail(&["mail", "requeue", id]).contains("no dead mail has this id"));
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_mails_that_were_given_up_for_one_reason_are_sent_after_all() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let server = MailServer::start(&address).await;
    server.refuse(true);
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SMTP_URL", &format!("smtp://{address}"));
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    for email in ["ada@example.org", "bob@example.org"] {
        client.register(email, "").await.unwrap();
    }
    let rows = Rows::of(&options.database_url()).await;
    let dead = "SELECT count(*) FROM outbox WHERE outcome = 'dead'";
    eventually("both to be given up", async || (rows.number(dead).await == 2).then_some(())).await;
    server.refuse(false);
    let said = options.succeed(&["mail", "requeue", "--all", "--reason", "recipient: 550"]);
    assert_eq!(said, "2 mails requeued; a running service sends them within seconds\n");
    for email in ["ada@example.org", "bob@example.org"] {
        assert_eq!(server.mails_to(email).await.len(), 1);
    }
    service.stop();
}

#[test]
fn the_status_of_mail_says_what_the_server_refuses_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let closed = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SMTP_URL", &format!("smtp://{closed}"));
    options.succeed(&["migrate"]);
    let output = options.run(&["mail", "status"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "the outbox is empty\n");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("the mail server {closed} takes no mail: connection: connection refused");
    assert!(complaint.contains(&expected), "{complaint}");
}
