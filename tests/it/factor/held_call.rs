//! A call whose body is held back is authorized by its head, and judged again when it acts.

use super::{EMAIL, live};
use crate::support::{App, Authenticator, Person, Refused as _, confirm_totp, on_each_database, reason, start_totp};
use countersign::grpc::wire::proto::*;
use http::uri::PathAndQuery;
use prost::Message;
use std::{pin::Pin, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{Status, client::Grpc};
use tonic_prost::ProstCodec;

/// A call whose head was sent, and whose body is sent later.
struct Held<M> {
    send: oneshot::Sender<M>,
    answer: JoinHandle<Result<(), Status>>,
}

fn hold<M: Message + Default + 'static>(app: &App, person: &Person, path: &'static str) -> Held<M> {
    let (send, held) = oneshot::channel::<M>();
    let body = futures_util::stream::once(async move { held.await.expect("the body is sent") });
    let request = person.asks(body);
    let channel = app.channel();
    let call: Pin<Box<dyn Future<Output = Result<(), Status>> + Send>> = Box::pin(async move {
        let mut client = Grpc::new(channel);
        client.ready().await.unwrap();
        let codec: ProstCodec<M, ()> = ProstCodec::default();
        client.client_streaming(request, PathAndQuery::from_static(path), codec).await.map(drop)
    });
    Held { send, answer: tokio::spawn(call) }
}

impl<M: std::fmt::Debug> Held<M> {
    async fn release(self, message: M) -> String {
        self.send.send(message).unwrap();
        self.answer.await.unwrap().err().map_or_else(|| "OK".to_owned(), |status| reason(&status))
    }
}

#[test]
fn a_call_that_began_before_an_app_was_added_does_nothing_to_it() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        // Somebody who has the password alone, and a fresh proof with it.
        let mallory = Person { session: app.log_in(EMAIL, crate::support::PASSWORD).await.unwrap(), ..ada.clone() };
        let start = hold::<StartTotpRequest>(app, &mallory, "/countersign.v1.FactorService/StartTotp");
        let codes =
            hold::<RegenerateBackupCodesRequest>(app, &mallory, "/countersign.v1.FactorService/RegenerateBackupCodes");
        let remove = hold::<RemoveFactorRequest>(app, &mallory, "/countersign.v1.FactorService/RemoveFactor");
        let rename = hold::<RenameFactorRequest>(app, &mallory, "/countersign.v1.FactorService/RenameFactor");
        let (own, own_id): (Authenticator, String) = start_totp(app, &ada, "Phone").await;
        // Gives the heads time to arrive. One that is slower is refused for the same reason.
        tokio::time::sleep(Duration::from_millis(200)).await;
        confirm_totp(app, &ada, &own_id, &own.code(app.time.now())).await.unwrap();

        let before = app.rows("backup_codes").await;
        assert_eq!(
            start.release(StartTotpRequest { name: "Mine".to_owned(), ..Default::default() }).await,
            "STEP_UP_REQUIRED"
        );
        assert_eq!(codes.release(RegenerateBackupCodesRequest {}).await, "STEP_UP_REQUIRED");
        let factor_id = own_id.clone();
        assert_eq!(remove.release(RemoveFactorRequest { factor_id, ..Default::default() }).await, "STEP_UP_REQUIRED");
        let renamed = RenameFactorRequest { factor_id: own_id, name: "Mine".to_owned() };
        assert_eq!(rename.release(renamed).await, "STEP_UP_REQUIRED");
        assert_eq!((app.rows("backup_codes").await, live(app).await), (before, 2));
    });
}

#[test]
fn an_app_that_was_begun_without_a_factor_is_not_confirmed_beside_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (first, first_id) = start_totp(app, &ada, "Phone").await;
        confirm_totp(app, &ada, &first_id, &first.code(app.time.now())).await.unwrap();
        // As if Mallory had begun in the same moment: an app that waits, and a session with the password alone.
        app.execute("UPDATE factors SET confirmed_at = NULL, last_step = NULL WHERE kind = 'totp'").await;
        let refused = confirm_totp(app, &ada, &first_id, &first.code(app.time.now())).await;
        assert_eq!(refused.reason(), "STEP_UP_REQUIRED");
    });
}
