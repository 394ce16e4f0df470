//! Repeated calls whose captcha token is spent.

use super::{Act, traces};
use crate::support::{Refused as _, Siteverify, at_once, captcha_at, on_each_database_with, solved_token};

const ADA: &str = "ada@example.org";
const ID: &str = "b2f9a4c0-captcha";

#[test]
fn a_call_that_was_answered_is_answered_again_though_its_token_is_spent() {
    let provider = Siteverify::start();
    on_each_database_with(captcha_at(&provider.url), async |app| {
        for act in Act::ALL {
            provider.solved(act.action(), "id.example.org");
            let token = solved_token();
            act.call(app, ADA, &token, ID).await.unwrap();
            let (before, asked) = (traces(app).await, provider.asked().len());
            for token in [token.as_str(), "", "bad"] {
                act.call(app, ADA, token, ID).await.unwrap();
            }
            assert_eq!((traces(app).await, provider.asked().len()), (before, asked), "{act:?}");
        }
    });
}

#[test]
fn an_id_opens_no_other_call_and_a_refused_call_is_not_remembered() {
    let provider = Siteverify::start();
    on_each_database_with(captcha_at(&provider.url), async |app| {
        for act in Act::ALL {
            provider.solved(act.action(), "id.example.org");
            assert_eq!(act.call(app, ADA, "bad", ID).await.reason(), "CAPTCHA_INVALID");
            assert_eq!(act.call(app, ADA, "", ID).await.reason(), "CAPTCHA_REQUIRED");
            let token = solved_token();
            act.call(app, ADA, &token, ID).await.unwrap();
            assert_eq!(act.call(app, "eve@example.org", "", ID).await.reason(), "CAPTCHA_REQUIRED");
        }
    });
}

#[test]
fn of_many_calls_at_once_with_one_token_one_does_the_work() {
    let provider = Siteverify::start();
    on_each_database_with(captcha_at(&provider.url), async |app| {
        provider.solved("request_reset", "id.example.org");
        let token = solved_token();
        let app = &*app;
        let answers = at_once(8, |_| Act::RequestReset.call(app, ADA, &token, "")).await;
        answers.assert_one_won(&["CAPTCHA_INVALID"], "one token");
        assert_eq!(app.rows("outbox").await, 1);
    });
}
