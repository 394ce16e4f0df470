use super::acts::{SECOND, account_id, delete_me, events};
use crate::support::{PASSWORD, Person, on_each_database};
use countersign::usecase::{Origin, role::Granted};
use countersign_domain::refusal::Reason;
use futures_util::future::join_all;

#[test]
fn a_role_is_in_the_account_and_in_the_token_from_the_next_refresh_on_and_leaves_both() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let (terminal, id) = (Origin::terminal(), account_id(&ada));
        let (grant, revoke) = (&app.operations.grant_role, &app.operations.revoke_role);
        let first = grant.grant(&terminal, id, "billing:read").await.unwrap();
        assert_eq!(first, Granted { is_new_role: true, had_it: false });
        let again = grant.grant(&terminal, id, "billing:read").await.unwrap();
        assert_eq!(again, Granted { is_new_role: false, had_it: true });
        grant.grant(&terminal, id, "admin").await.unwrap();
        assert_eq!(app.me(&ada.session).await.unwrap().roles, ["admin", "billing:read"]);

        app.advance(SECOND);
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        assert_eq!(session.account.as_ref().unwrap().roles, ["admin", "billing:read"]);
        assert!(revoke.revoke(&terminal, id, "admin").await.unwrap());
        assert!(!revoke.revoke(&terminal, id, "admin").await.unwrap());
        assert!(!revoke.revoke(&terminal, id, "never-made").await.unwrap());
        app.advance(SECOND);
        let session = app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(session.account.unwrap().roles, ["billing:read"]);
        assert_eq!((events(app, "role_granted").await, events(app, "role_revoked").await), (2, 1));
        let all = app.store_operations.list_roles.list_all(&terminal).await.unwrap();
        assert_eq!(all, [("admin".to_owned(), 0), ("billing:read".to_owned(), 1)]);
    });
}

#[test]
fn a_role_without_a_plain_name_is_refused() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for name in ["", "Admin", "a b", "a,b", "a\nb"] {
            let grant = &app.operations.grant_role;
            let refused = grant.grant(&Origin::terminal(), account_id(&ada), name).await.unwrap_err();
            assert_eq!(refused.reason(), Reason::InvalidField, "{name:?}");
        }
        assert_eq!(app.rows("roles").await, 0);
    });
}

#[test]
fn of_many_grants_of_one_role_at_once_one_is_made_and_it_goes_with_the_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let grant = &app.operations.grant_role;
        let at_once = (0..16).map(async |_| grant.grant(&Origin::terminal(), account_id(&ada), "admin").await.unwrap());
        let granted = join_all(at_once).await;
        assert_eq!(granted.iter().filter(|granted| !granted.had_it).count(), 1);
        assert_eq!((app.rows("roles").await, app.rows("account_roles").await), (1, 1));
        assert_eq!(events(app, "role_granted").await, 1);
        delete_me(app, &ada, PASSWORD).await.unwrap();
        assert_eq!((app.rows("roles").await, app.rows("account_roles").await), (1, 0));
        app.send_mail().await;
    });
}
