use crate::support::{
    App, Cluster, Database, MailText as _, PASSWORD, Person, Refused as _, Replica, bearer, on_each_database,
};
use countersign::{
    grpc::wire::proto::*,
    mail::Mailbox,
    store::key::{self, SealedKey},
    usecase::mail::DeliverMail,
    wiring::Service,
};
use countersign_domain::{tenant::DEFAULT_TENANT, time::Timestamp};
use futures_util::future::join_all;
use tempfile::TempDir;
use tonic::Status;

async fn log_in(at: &Replica) -> Session {
    let form =
        LoginRequest { identifier: "ada@example.org".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    match at.auth().login(form).await.unwrap().into_inner().outcome {
        Some(login_response::Outcome::Session(session)) => session,
        _ => panic!("a login without a session"),
    }
}

async fn refresh(at: &Replica, session: &Session) -> Result<Session, Status> {
    let request = RefreshRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
    Ok(at.auth().refresh(request).await?.into_inner().session.unwrap())
}

async fn me(at: &Replica, session: &Session) -> Result<GetMeResponse, Status> {
    Ok(at.account().get_me(bearer(&session.access_token, GetMeRequest {})).await?.into_inner())
}

#[test]
fn a_session_of_one_replica_is_a_session_of_the_other() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let (one, other) = two_beside(app).await;
        let opened = log_in(&one).await;
        me(&other, &opened).await.unwrap();
        let refreshed = refresh(&other, &opened).await.unwrap();
        me(&one, &refreshed).await.unwrap();
        let again = refresh(&one, &opened).await.unwrap();
        assert_eq!(again.session_id, refreshed.session_id, "within the grace the repetition is honest here too");
        one.close().await;
        other.close().await;
    });
}

#[test]
fn a_logout_at_one_replica_is_seen_by_the_other_at_once() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let (one, other) = two_beside(app).await;
        let session = log_in(&one).await;
        me(&other, &session).await.unwrap();
        let leaving = LogoutRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
        one.auth().logout(leaving).await.unwrap();
        assert_eq!(me(&other, &session).await.reason(), "SESSION_ENDED");
        assert_eq!(refresh(&other, &session).await.reason(), "SESSION_ENDED");
        one.close().await;
        other.close().await;
    });
}

async fn two_beside(app: &App) -> (Replica, Replica) {
    let one = Replica::start(&app.database_url, &app.data_dir, 2).await;
    let other = Replica::start(&app.database_url, &app.data_dir, 3).await;
    (one, other)
}

/// Databases without a schema or a key.
fn empty_databases(folder: &TempDir) -> Vec<(Database, String)> {
    let file = folder.path().join("countersign.db");
    let mut urls = vec![(Database::Sqlite, format!("sqlite://{}", file.display()))];
    if let Some(cluster) = Cluster::shared() {
        let name = format!("empty_{}", std::process::id());
        cluster.run_sql(&format!("CREATE DATABASE {name}"));
        urls.push((Database::Postgres { url: cluster.url(&name) }, cluster.url(&name)));
    }
    urls
}

#[tokio::test]
async fn four_first_starts_at_once_agree_on_schema_and_keys() {
    let folder = TempDir::new().unwrap();
    for (database, url) in empty_databases(&folder) {
        let data_dir = folder.path().join(database.to_string());
        let config = Replica::config(&url, &data_dir);
        let starts = join_all((2..6).map(|seed| Service::assemble(&config, Replica::world(seed), None))).await;
        let (mut replicas, mut mailers) = (Vec::new(), Vec::new());
        for start in starts {
            let service = start.unwrap_or_else(|fault| panic!("a first start failed on {database}: {fault}"));
            mailers.push(service.deliver_mail.clone());
            replicas.push(Replica::serve(service).await);
        }
        agree(&replicas, &mailers[3], &Mailbox::new(&data_dir.join("mail"))).await;
        for replica in replicas {
            replica.close().await;
        }
    }
}

/// Every other replica can refresh and read a session that one replica opened.
async fn agree(replicas: &[Replica], mailer: &DeliverMail, mailbox: &Mailbox) {
    let email = "ada@example.org".to_owned();
    let form = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
    replicas[0].account().register(form).await.unwrap();
    mailer.deliver().await.unwrap();
    let mails = mailbox.list(None, 10).await.unwrap();
    let token = mails[0].link_token();
    replicas[1].account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    let mut session = log_in(&replicas[2]).await;
    for replica in replicas {
        me(replica, &session).await.unwrap();
        session = refresh(replica, &session).await.unwrap();
    }
}

#[test]
fn of_sixteen_first_keys_at_once_one_is_kept() {
    on_each_database(async |app| {
        let stores = join_all((0..16).map(|_| app.store())).await;
        let now = Timestamp::from_seconds(1_800_000_000);
        let keys = (0..16).map(|at| SealedKey {
            id: format!("key{at}"),
            tenant: DEFAULT_TENANT,
            purpose: "trial".to_owned(),
            audience: String::new(),
            state: "active".to_owned(),
            algorithm: String::new(),
            public_key: None,
            sealed: "sealed".to_owned(),
            kek_id: "kek".to_owned(),
            issued: 0,
            created_at: now,
            activated_at: Some(now),
            retired_at: None,
            forget_at: None,
            gone_at: None,
        });
        let kept = join_all(
            stores
                .iter()
                .zip(keys)
                .map(async |(store, key)| key::insert(&store.write(), DEFAULT_TENANT, &key).await.unwrap()),
        );
        assert_eq!(kept.await.into_iter().filter(|kept| *kept).count(), 1);
        assert_eq!(app.number("SELECT count(*) FROM keys WHERE purpose = 'trial'").await, 1);
    });
}
