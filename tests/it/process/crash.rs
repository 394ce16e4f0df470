//! `kill -9` between commit and answer: the work was done, and no client got the answer. Clients then repeat the call.

use crate::support::{Client, Cluster, PASSWORD, ProcessOptions, Refused as _, Rows, ServiceProcess, Wire};
use countersign::grpc::wire::proto::*;
use std::{fmt, future::Future};
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const NEW_PASSWORD: &str = "four grey herons watch the tide";
const REQUEST_ID: &str = "5d2f7a52-one-intention";

/// A service that will be killed, and what survives it.
struct Stage {
    service: Option<ServiceProcess>,
    wire: Wire,
    client: Client,
    rows: Rows,
    options: ProcessOptions,
    _folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        Self::set_with(|options| options).await
    }

    async fn set_with(more: impl FnOnce(ProcessOptions) -> ProcessOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org");
        let options = more(options);
        let service = ServiceProcess::start(&options);
        let wire = Wire::to(&service.address).await;
        let client = Client::to(&wire.address).await;
        let rows = Rows::of(&options.database_url()).await;
        Self { service: Some(service), wire, client, rows, options, _folder: folder }
    }

    /// Makes a call whose answer is lost because the service is killed, and starts the service again.
    async fn lose_the_answer_to<T: fmt::Debug>(&mut self, call: impl Future<Output = Result<T, Status>>) {
        self.wire.lose_next_answer(self.service.take().unwrap());
        let status = call.await.expect_err("the answer was lost on its way");
        assert!(self.wire.has_lost_an_answer());
        assert!(status.get_error_details().error_info().is_none(), "that is an answer: {status:?}");
        assert_ne!(status.code(), Code::DeadlineExceeded);
        let service = ServiceProcess::start(&self.options);
        self.wire.lead_to(&service.address);
        self.service = Some(service);
        self.client = Client::to(&self.wire.address).await;
    }

    /// A mail that the killed service was about to send is sent when its lease expires: now.
    async fn end_leases(&self) {
        self.rows.execute("UPDATE outbox SET leased_until = NULL WHERE finished_at IS NULL").await;
    }

    async fn count(&self, sql: &str) -> i64 {
        self.rows.number(&format!("SELECT count(*) FROM {sql}")).await
    }
}

async fn a_lost_refresh_is_repeated(mut stage: Stage) {
    let session = stage.client.sign_up("ada@example.org").await;
    let client = stage.client.clone();
    let before = stage.rows.number("SELECT generation FROM sessions").await;
    stage.lose_the_answer_to(client.refresh(&session.refresh_token)).await;
    assert_eq!(stage.rows.number("SELECT generation FROM sessions").await, before + 1, "it was done");

    let again = stage.client.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(again.session_id, session.session_id);
    assert_eq!(stage.rows.number("SELECT generation FROM sessions").await, before + 1, "and not done twice");
    stage.client.me(&again).await.unwrap();
    let next = stage.client.refresh(&again.refresh_token).await.unwrap();
    assert_eq!(stage.rows.number("SELECT generation FROM sessions").await, before + 2);
    stage.client.me(&next).await.unwrap();
    assert_eq!(stage.count("sessions WHERE ended_at IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_was_lost_is_repeated_and_counts_once() {
    a_lost_refresh_is_repeated(Stage::set().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_was_lost_is_repeated_and_counts_once_on_postgresql() {
    let Some(cluster) = Cluster::shared() else { return };
    let url = cluster.create_database();
    a_lost_refresh_is_repeated(Stage::set_with(|options| options.and("COUNTERSIGN_DATABASE_URL", &url)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_whose_answer_was_lost_is_repeated_and_mails_once() {
    let mut stage = Stage::set().await;
    let client = stage.client.clone();
    stage.lose_the_answer_to(client.register("ada@example.org", REQUEST_ID)).await;
    assert_eq!(stage.count("registrations").await, 1, "it was done");

    stage.client.register("ada@example.org", REQUEST_ID).await.unwrap();
    assert_eq!(stage.count("registrations").await, 1);
    assert_eq!(stage.count("outbox").await, 1);
    stage.end_leases().await;
    let token = stage.client.mail("ada@example.org", "Confirm").await.token;
    stage.client.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    stage.client.log_in("ada@example.org", PASSWORD).await.unwrap();
    let mails = stage.client.dev_mailbox().list(ListRequest::default()).await.unwrap().into_inner().mails;
    assert_eq!(mails.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_whose_answer_was_lost_is_repeated_and_makes_one_account() {
    let mut stage = Stage::set().await;
    stage.client.register("ada@example.org", "").await.unwrap();
    let token = stage.client.mail("ada@example.org", "Confirm").await.token;
    let form = VerifyRequest { token, request_id: REQUEST_ID.to_owned(), ..Default::default() };
    let mut accounts = stage.client.account();
    stage.lose_the_answer_to(accounts.verify(form.clone())).await;
    assert_eq!(stage.count("accounts").await, 1, "it was done");

    stage.client.account().verify(form.clone()).await.unwrap();
    assert_eq!(stage.count("accounts").await, 1);
    stage.client.log_in("ada@example.org", PASSWORD).await.unwrap();
    let another = VerifyRequest { request_id: "another-intention".to_owned(), ..form };
    assert_eq!(stage.client.account().verify(another).await.reason(), "LINK_USED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_whose_answer_was_lost_is_repeated_and_sets_one_password() {
    let mut stage = Stage::set().await;
    let session = stage.client.sign_up("ada@example.org").await;
    let email = "ada@example.org".to_owned();
    stage.client.account().request_reset(RequestResetRequest { email, ..Default::default() }).await.unwrap();
    let token = stage.client.mail("ada@example.org", "Set a new password").await.token;
    let (new_password, request_id) = (NEW_PASSWORD.to_owned(), REQUEST_ID.to_owned());
    let form = ResetRequest { token, new_password, request_id, ..Default::default() };
    let told = stage.count("outbox").await;
    let mut accounts = stage.client.account();
    stage.lose_the_answer_to(accounts.reset(form.clone())).await;
    assert_eq!(stage.count("outbox").await, told + 1, "it was done, and its owner is told");

    stage.client.account().reset(form).await.unwrap();
    assert_eq!(stage.count("outbox").await, told + 1);
    assert_eq!(stage.count("audit_events WHERE kind = 'password_reset'").await, 1);
    stage.client.log_in("ada@example.org", NEW_PASSWORD).await.unwrap();
    assert_eq!(stage.client.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
    assert_eq!(stage.client.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_whose_answer_was_lost_is_repeated_and_the_session_stays_ended() {
    let mut stage = Stage::set().await;
    let session = stage.client.sign_up("ada@example.org").await;
    let client = stage.client.clone();
    stage.lose_the_answer_to(client.log_out(&session.refresh_token)).await;
    assert_eq!(stage.count("sessions WHERE ended_at IS NOT NULL").await, 1, "it was done");
    assert_eq!(stage.client.me(&session).await.reason(), "SESSION_ENDED");

    stage.client.log_out(&session.refresh_token).await.unwrap();
    assert_eq!(stage.client.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
    assert_eq!(stage.count("audit_events WHERE kind = 'logged_out'").await, 1);
}
