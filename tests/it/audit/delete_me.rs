use super::{chain, listed, sound};
use crate::support::{App, PASSWORD, Person, on_each_database};
use countersign::{
    grpc::wire::{admin_proto::EventFilter, proto::DeleteMeRequest},
    usecase::{EventSubject, Failure, Origin},
};
use countersign_domain::{audit::EventKind, id::AccountId, refusal::Reason, tenant::DEFAULT_TENANT};

async fn leave(app: &App, person: &Person) -> AccountId {
    let id = person.session.account.as_ref().unwrap().account_id.parse().unwrap();
    let leaving = DeleteMeRequest { current_password: PASSWORD.to_owned() };
    app.account().delete_me(person.asks(leaving)).await.unwrap();
    id
}

#[test]
fn a_deleted_account_leaves_its_events_and_none_says_where_it_came_from() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let bob = Person::sign_up(app, "bob@example.org").await;
        app.log_in(&ada.email, "not her password at all").await.unwrap_err();
        // Some events are sealed when she deletes the account, and some are not.
        sound(app).await;
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        let gone = leave(app, &ada).await;
        sound(app).await;
        let events = listed(app, EventFilter { account_id: gone.to_string(), ..Default::default() }).await;
        let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        assert!(kinds.contains(&"account_deleted") && kinds.contains(&"login_refused"), "{kinds:?}");
        assert!(events.iter().all(|event| event.address.is_empty() && event.user_agent.is_empty()), "{events:?}");
        let bob = bob.session.account.unwrap().account_id;
        let others = listed(app, EventFilter { account_id: bob, ..Default::default() }).await;
        assert!(!others.is_empty() && others.iter().all(|event| event.address == "127.0.0.1"));
        let salts = "SELECT count(*) FROM audit_events WHERE address = '' AND origin_salt IS NOT NULL";
        assert_eq!(app.number(salts).await, 0, "with its salt, a commitment can be opened by trying every address");
    });
}

#[test]
fn an_event_that_was_written_while_its_account_went_says_nothing_once_it_is_sealed() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let gone = leave(app, &ada).await;
        let origin = Origin { address: "192.0.2.7".to_owned(), ..Origin::terminal() };
        let late = Failure::from(Reason::CredentialsInvalid);
        let about = EventSubject::target(Some(gone));
        app.work.refused(&origin, DEFAULT_TENANT, EventKind::LoginRefused, about, late).await;
        sound(app).await;
        let chain = chain(app).await;
        let late = chain.iter().find(|row| row.kind == "login_refused").unwrap();
        assert_eq!((late.account, late.address.as_str(), late.user_agent.as_str()), (Some(gone), "", ""));
        assert!(!app.audit_lines().contains("192.0.2.7"));
    });
}
