//! `kill -9` at random moments under load, many times.

use crate::support::{Client, PASSWORD, ProcessOptions, Rows, ServiceProcess, eventually};
use countersign::grpc::wire::proto::Session;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tonic::Status;
use tonic_types::StatusExt as _;

const ROUNDS: usize = 10;
const REFRESHERS: usize = 3;

/// The calls that the service has confirmed.
#[derive(Clone, Default)]
struct Promises {
    registered: Arc<Mutex<BTreeSet<String>>>,
    opened: Arc<Mutex<BTreeSet<String>>>,
    answers: Arc<AtomicUsize>,
}

impl Promises {
    fn answered(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
    }
}

/// A call without an answer: the connection broke. A refusal fails the test.
fn must_be_a_broken_line(status: &Status) {
    assert!(status.get_error_details().error_info().is_none(), "refused: {status:?}");
}

async fn register_until_it_breaks(client: Client, promises: Promises, round: usize) {
    for number in 0.. {
        let email = format!("ann.{round}.{number}@example.org");
        match client.register(&email, "").await {
            Ok(()) => promises.registered.lock().unwrap().insert(email),
            Err(status) => return must_be_a_broken_line(&status),
        };
        promises.answered();
    }
}

async fn log_in_until_it_breaks(client: Client, promises: Promises) {
    loop {
        match client.log_in("ada@example.org", PASSWORD).await {
            Ok(session) => promises.opened.lock().unwrap().insert(session.session_id),
            Err(status) => return must_be_a_broken_line(&status),
        };
        promises.answered();
    }
}

async fn refresh_until_it_breaks(client: Client, promises: Promises, mut session: Session) -> Session {
    loop {
        match client.refresh(&session.refresh_token).await {
            Ok(next) => {
                assert_eq!(next.session_id, session.session_id);
                session = next;
            }
            Err(status) => {
                must_be_a_broken_line(&status);
                return session;
            }
        }
        promises.answered();
    }
}

async fn are_kept(promises: &Promises, rows: &Rows) {
    let column = async |sql: &str| -> BTreeSet<String> {
        rows.all(sql).await.into_iter().map(|row| row["it"].as_str().unwrap().to_owned()).collect()
    };
    let registered = column("SELECT email AS it FROM registrations").await;
    let opened = column("SELECT lower(hex(id)) AS it FROM sessions WHERE ended_at IS NULL").await;
    assert!(promises.registered.lock().unwrap().is_subset(&registered));
    let promised: BTreeSet<_> = promises.opened.lock().unwrap().iter().map(|id| id.replace('-', "")).collect();
    assert!(promised.is_subset(&opened));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_in_a_row_undo_nothing_that_was_answered_and_log_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let mut service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let mut sessions = vec![client.sign_up("ada@example.org").await];
    for _ in 1..REFRESHERS {
        sessions.push(client.log_in("ada@example.org", PASSWORD).await.unwrap());
    }
    let rows = Rows::of(&options.database_url()).await;
    let promises = Promises::default();
    for round in 0..ROUNDS {
        let client = Client::to(&service.address).await;
        let others = [
            tokio::spawn(register_until_it_breaks(client.clone(), promises.clone(), round)),
            tokio::spawn(log_in_until_it_breaks(client.clone(), promises.clone())),
        ];
        let refreshers: Vec<_> = sessions
            .drain(..)
            .map(|session| tokio::spawn(refresh_until_it_breaks(client.clone(), promises.clone(), session)))
            .collect();
        // Each round kills the service at another point of its traffic.
        let enough = promises.answers.load(Ordering::SeqCst) + 20 + 7 * round;
        eventually("traffic", async || (promises.answers.load(Ordering::SeqCst) >= enough).then_some(())).await;
        service.kill();
        for other in others {
            other.await.unwrap();
        }
        for refresher in refreshers {
            sessions.push(refresher.await.unwrap());
        }
        service = ServiceProcess::start(&options);
        are_kept(&promises, &rows).await;
    }
    let client = Client::to(&service.address).await;
    for session in sessions {
        let session = client.refresh(&session.refresh_token).await.unwrap();
        client.me(&session).await.unwrap();
    }
    assert!(promises.registered.lock().unwrap().len() >= ROUNDS && promises.opened.lock().unwrap().len() >= ROUNDS);
    service.stop();
}
