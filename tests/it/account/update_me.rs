use super::acts::{SECOND, sign_up_as};
use crate::support::{App, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;
use tonic::Status;

async fn update(app: &App, person: &Person, account: Account, paths: &[&str]) -> Result<Account, Status> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let form = UpdateMeRequest { account: Some(account), update_mask: Some(prost_types::FieldMask { paths }) };
    Ok(app.account().update_me(person.asks(form)).await?.into_inner().account.unwrap())
}

/// Everything one could wish for, allowed or not.
fn everything() -> Account {
    Account {
        account_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        email: "eve@example.org".to_owned(),
        username: "countess".to_owned(),
        display_name: "The Countess".to_owned(),
        locale: "de-CH".to_owned(),
        roles: vec!["admin".to_owned()],
        ..Default::default()
    }
}

#[test]
fn only_what_the_mask_names_is_changed() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        app.advance(SECOND);
        let answer = update(app, &ada, everything(), &["display_name"]).await.unwrap();
        let before = ada.session.account.clone().unwrap();
        let expected = Account { display_name: "The Countess".to_owned(), ..before };
        assert_eq!(answer, expected);
        assert_eq!(Person::me(app, &ada.session).await.unwrap(), expected);

        let answer = update(app, &ada, everything(), &["locale", "username"]).await.unwrap();
        let expected = Account { locale: "de".to_owned(), username: "countess".to_owned(), ..expected };
        assert_eq!(answer, expected);
        assert_eq!(Person::me(app, &ada.session).await.unwrap(), expected);
    });
}

#[test]
fn what_its_owner_may_not_change_is_refused_by_name_and_nothing_is_changed() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let before = Person::me(app, &ada.session).await.unwrap();
        for forbidden in [
            "email",
            "roles",
            "account_id",
            "*",
            "create_time",
            "email_verify_time",
            "password_hash",
            "tenant_id",
            "disabled_at",
            "account.display_name",
            "display_name ",
            "Display_Name",
            "",
        ] {
            let answer = update(app, &ada, everything(), &["display_name", forbidden]).await;
            assert_eq!(answer.fields(), ["update_mask"], "{forbidden}");
        }
        assert_eq!(update(app, &ada, everything(), &[]).await.fields(), ["update_mask"]);
        let many = vec!["locale"; 17];
        assert_eq!(update(app, &ada, everything(), &many).await.fields(), ["update_mask"]);
        let without = UpdateMeRequest { account: Some(everything()), update_mask: None };
        assert_eq!(app.account().update_me(ada.asks(without)).await.fields(), ["update_mask"]);
        assert_eq!(Person::me(app, &ada.session).await.unwrap(), before);
        assert_eq!(super::acts::events(app, "profile_changed").await, 0);
    });
}

#[test]
fn every_bad_value_is_named() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let bad = Account {
            display_name: "x".repeat(101),
            locale: "../../etc".to_owned(),
            username: "a b".to_owned(),
            ..Default::default()
        };
        let answer = update(app, &ada, bad, &["display_name", "locale", "username"]).await;
        assert_eq!(answer.fields(), ["account.display_name", "account.locale", "account.username"]);
        assert_eq!(Person::me(app, &ada.session).await.unwrap().username, "ada");
    });
}

#[test]
fn a_user_name_is_changed_given_up_and_free_for_others_then() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let eve = sign_up_as(app, "eve@example.org", "eve").await;
        let named = |name: &str| Account { username: name.to_owned(), ..Default::default() };
        let taken = update(app, &eve, named("ADA"), &["username"]).await;
        assert_eq!(taken.reason(), "USERNAME_TAKEN");
        assert_eq!(update(app, &eve, named("ADA"), &["username"]).await.fields(), ["account.username"]);
        assert_eq!(update(app, &ada, named("Ada"), &["username"]).await.unwrap().username, "Ada");
        assert_eq!(update(app, &ada, named(""), &["username"]).await.unwrap().username, "");
        assert_eq!(Person::log_in(app, "ada", crate::support::PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(update(app, &eve, named("ada"), &["username"]).await.unwrap().username, "ada");
        let session = Person::log_in(app, "ada", crate::support::PASSWORD).await.unwrap();
        assert_eq!(session.account.unwrap().email, "eve@example.org");
    });
}

#[test]
fn a_refused_user_name_takes_the_other_changes_with_it() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        sign_up_as(app, "eve@example.org", "eve").await;
        let wish = Account { username: "eve".to_owned(), display_name: "Eve".to_owned(), ..Default::default() };
        assert_eq!(update(app, &ada, wish, &["display_name", "username"]).await.reason(), "USERNAME_TAKEN");
        assert_eq!(Person::me(app, &ada.session).await.unwrap().display_name, "");
    });
}

#[test]
fn get_me_shows_the_account_as_its_owner_knows_it() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "Ada@example.org", "Ada").await;
        let account = Person::me(app, &ada.session).await.unwrap();
        assert_eq!(Some(&account), ada.session.account.as_ref());
        assert_eq!((account.email.as_str(), account.username.as_str()), ("Ada@example.org", "Ada"));
        assert_eq!((account.display_name.as_str(), account.locale.as_str()), ("", "en"));
        assert_eq!(account.account_id.len(), 36);
        assert!(account.roles.is_empty());
        for time in [account.create_time, account.email_verify_time, account.password_change_time] {
            assert_eq!(time.unwrap().seconds, 1_800_000_001);
        }
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
    });
}
