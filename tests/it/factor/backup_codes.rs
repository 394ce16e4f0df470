use super::{EMAIL, backup, events, mails, proven};
use crate::support::{App, Person, Protected, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

async fn left(app: &App, person: &Person) -> i32 {
    app.factors().list_factors(person.asks(ListFactorsRequest {})).await.unwrap().into_inner().backup_codes_left
}

#[test]
fn a_backup_code_stands_in_for_the_app_once_and_its_owner_is_mailed() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        assert_eq!((ada.backup_codes.len(), left(app, &ada.person).await), (10, 10));
        // Four groups of four, none of which looks like another.
        for code in &ada.backup_codes {
            assert!(code.split('-').all(|group| group.len() == 4) && code.len() == 19, "{code}");
        }
        // As somebody types it who reads it from paper.
        let typed = ada.backup_codes[0].to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        let challenged = app.challenge(EMAIL).await;
        let session = app.complete_with(&challenged, backup(&typed)).await.unwrap();
        assert_eq!(super::introspect(app, &session).await.level, "2");
        assert_eq!((left(app, &ada.person).await, events(app, "backup_code_used").await), (9, 1));
        let mail = app.mails_to(EMAIL).await.into_iter().find(|mail| mail.subject.contains("backup code")).unwrap();
        assert!(mail.text.contains("Codes left: 9."), "{}", mail.text);

        let challenged = app.challenge(EMAIL).await;
        for code in [&ada.backup_codes[0], "0000-0000-0000-0000"] {
            assert_eq!(app.complete_with(&challenged, backup(code)).await.reason(), "CODE_INVALID");
        }
        app.complete_with(&challenged, backup(&ada.backup_codes[1])).await.unwrap();
    });
}

#[test]
fn new_codes_void_the_former_ones_and_codes_are_stored_as_digests() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = proven(app, &ada).await;
        let person = Person { session, ..ada.person.clone() };
        let asked = person.asks(RegenerateBackupCodesRequest {});
        let codes = app.factors().regenerate_backup_codes(asked).await.unwrap().into_inner().backup_codes;
        assert!(codes.iter().all(|code| !ada.backup_codes.contains(code)));
        let challenged = app.challenge(EMAIL).await;
        for former in &ada.backup_codes[..2] {
            assert_eq!(app.complete_with(&challenged, backup(former)).await.reason(), "CODE_INVALID");
        }
        app.complete_with(&challenged, backup(&codes[3])).await.unwrap();
        assert_eq!((events(app, "backup_codes_regenerated").await, mails(app, "new backup codes").await), (1, 1));
        assert_eq!(app.number("SELECT count(*) FROM backup_codes WHERE length(digest) = 32").await, 10);
        assert_eq!(app.number("SELECT count(*) FROM factors WHERE kind = 'backup_codes'").await, 1);
    });
}

#[test]
fn whoever_has_no_factor_has_no_codes() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let refused = app.factors().regenerate_backup_codes(ada.asks(RegenerateBackupCodesRequest {})).await;
        assert_eq!(refused.reason(), "FACTOR_NOT_FOUND");
        assert_eq!(app.rows("backup_codes").await, 0);
    });
}
