use super::{EMAIL, events, mails};
use crate::support::{PASSWORD, Protected, Refused as _, on_each_database};
use countersign::usecase::{Origin, factor::FactorsRemoved};
use countersign_domain::id::AccountId;

#[test]
fn an_operator_removes_the_factors_of_somebody_who_lost_them() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let id: AccountId = ada.person.session.account.as_ref().unwrap().account_id.parse().unwrap();
        let waiting = app.challenge(EMAIL).await;
        let reset = &app.operations.reset_factors;
        let removed = Some(FactorsRemoved { factors: 1, password: false });
        assert_eq!(reset.reset(&Origin::terminal(), id).await.unwrap(), removed);
        assert_eq!(reset.reset(&Origin::terminal(), id).await.unwrap(), None, "there is nothing left");
        assert_eq!((app.rows("factors").await, app.rows("backup_codes").await), (0, 0));
        assert_eq!(app.complete(&waiting, &ada.next_code(app)).await.reason(), "CHALLENGE_INVALID");
        app.log_in(EMAIL, PASSWORD).await.unwrap();
        assert_eq!((events(app, "factors_reset").await, mails(app, "was switched off").await), (1, 1));
    });
}
