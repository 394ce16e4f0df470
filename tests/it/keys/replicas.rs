use super::{ADA, assert_whole, key, kid, log_in_for, rotate};
use crate::support::{App, Person, Refused as _, Replica, bearer, on_each_database};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use countersign_domain::key::KeyPurpose;
use tonic::Status;

async fn replica(app: &App) -> Replica {
    Replica::start(&app.database_url, &app.data_dir, 7).await
}

async fn me(at: &Replica, session: &Session) -> Result<GetMeResponse, Status> {
    Ok(at.account().get_me(bearer(&session.access_token, GetMeRequest {})).await?.into_inner())
}

#[test]
fn a_replica_that_heard_of_no_rotation_reads_what_the_others_make_and_they_read_what_it_makes() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let late = replica(app).await;
        let held = late.keys.reload.ring.held().len();
        for purpose in KeyPurpose::ALL {
            rotate(app, purpose).await;
        }
        let session = log_in_for(app, "").await;
        me(&late, &session).await.unwrap();
        let request = RefreshRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
        let theirs = late.auth().refresh(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!(late.keys.reload.ring.held().len(), held, "it did not have to ask");
        assert_ne!(kid(&theirs), kid(&session), "it still makes tokens with the old key");
        app.me(&theirs).await.unwrap();
        app.refresh(&theirs.refresh_token).await.unwrap();
        late.close().await;
    });
}

#[test]
fn a_replica_that_meets_a_key_it_does_not_know_asks_once_and_knows_it() {
    for kind in ["access", "refresh"] {
        on_each_database(async |app| {
            Person::register(app, ADA).await;
            let late = replica(app).await;
            // Two rotations in a row: the second key did not exist when the replica last loaded its keys.
            for purpose in [KeyPurpose::AccessEncryption, KeyPurpose::AccessSigning, KeyPurpose::Refresh] {
                rotate(app, purpose).await;
                rotate(app, purpose).await;
            }
            let session = log_in_for(app, "").await;
            if kind == "access" {
                me(&late, &session).await.unwrap();
            } else {
                let request = RefreshRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
                late.auth().refresh(request).await.unwrap();
            }
            late.close().await;
        });
    }
}

#[test]
fn invented_names_of_keys_do_not_make_a_replica_query_again_and_again() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        // The clock stands still: the replica queries the database once in this second, for all of these ids.
        for number in 0..20 {
            let header = format!(r#"{{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"made-up-{number}"}}"#);
            let token = format!("{}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", base64url(&header));
            assert!(countersign_token::named_key(&token).is_some(), "a header as ours");
            assert_eq!(app.account().get_me(bearer(&token, GetMeRequest {})).await.reason(), "TOKEN_INVALID");
        }
        let elsewhere = app.key_operations.rotate.clone();
        let slot = countersign_domain::key::KeySlot::shared(KeyPurpose::Refresh);
        elsewhere.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        let held = app.keys.reload.ring.held().len();
        let token = "v4.local.AAAA.bWFkZS11cA";
        assert_eq!(app.refresh(token).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.keys.reload.ring.held().len(), held, "it asked already in this second");
        app.advance(std::time::Duration::from_secs(1));
        assert_eq!(app.refresh(token).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.keys.reload.ring.held().len(), held + 1);
        app.me(&ada.session).await.unwrap();
    });
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_key_that_is_retired_at_one_replica_is_refused_by_the_other_as_soon_as_it_looks() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        let other = replica(app).await;
        me(&other, &ada.session).await.unwrap();
        let active = key(app, "access_signing", "active").await;
        app.key_operations.retire.retire(&Origin::terminal(), &active).await.unwrap();
        assert!(other.keys.reload.reload().await.unwrap());
        assert_eq!(me(&other, &ada.session).await.reason(), "TOKEN_INVALID");
        assert!(!other.keys.reload.reload().await.unwrap(), "the same answer is no news");
        assert_whole(app).await;
        other.close().await;
    });
}
