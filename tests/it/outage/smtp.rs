use crate::support::{Client, MailServer, ProcessOptions, Rows, ServiceProcess, eventually, free_port};
use countersign::grpc::wire::proto::VerifyRequest;

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_waits_for_a_dead_mail_server_and_arrives_when_it_lives() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_SMTP_URL", &format!("smtp://{address}"));
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    client.register("ada@example.org", "").await.unwrap();
    let rows = Rows::of(&options.database_url()).await;
    let failed = "SELECT count(*) FROM outbox WHERE attempts = 0 AND last_error IS NOT NULL AND finished_at IS NULL";
    eventually("an attempt that failed", async || (rows.number(failed).await == 1).then_some(())).await;

    let server = MailServer::start(&address).await;
    let mails = server.mails_to("ada@example.org").await;
    assert_eq!(mails.len(), 1);
    let token = token_in(&mails[0]);
    client.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    service.stop();
}

/// Undoes quoted-printable (RFC 2045 section 6.7) as far as a link needs it.
fn token_in(mail: &str) -> String {
    let text = mail.replace("=\n", "").replace("=3D", "=");
    let (_, rest) = text.split_once("#token=").unwrap_or_else(|| panic!("no link in: {text}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect()
}
