//! Calls with a request id, repeated before the first was answered.

use super::repeat::{Call, ID, Pair, pairs, typed};
use crate::support::{App, on_each_database};
use futures_util::future::join_all;

const AT_ONCE: usize = 8;
/// Some calls spend a try of a code, or of the current password, before they look for the request id: no more calls
/// than there are tries.
const TRIES: usize = 5;

async fn effects(app: &App) -> [i64; 3] {
    [app.rows("request_ids").await, app.rows("outbox").await, app.rows("audit_events").await]
}

/// One effect, and the same answer for all calls.
async fn check(app: &App, call: &Call, times: usize, mails: i64) {
    let [ids, outbox, events] = effects(app).await;
    let answers = join_all((0..times).map(|_| call.make(app, ID))).await;
    for answer in answers {
        answer.unwrap_or_else(|status| panic!("{call:?}: {status:?}"));
    }
    assert_eq!(effects(app).await, [ids + 1, outbox + mails, events + 1], "{call:?}");
}

#[test]
fn repetitions_made_at_once_have_one_effect_and_one_answer() {
    on_each_database(async |app| {
        for Pair { call, mails, .. } in pairs(app).await {
            let asks_for_password = matches!(call, Call::ChangePassword(..) | Call::RequestEmailChange(..));
            check(app, &call, if asks_for_password { TRIES } else { AT_ONCE }, mails).await;
        }
    });
}

#[test]
fn repetitions_with_a_code_made_at_once_have_one_effect_and_one_answer() {
    on_each_database(async |app| {
        for (call, mails) in typed(app, "ada@example.org").await.iter().zip([0, 1]) {
            check(app, call, TRIES, mails).await;
        }
    });
}

#[test]
fn calls_of_different_people_made_at_once_under_one_id_are_each_done_once() {
    on_each_database(async |app| {
        for Pair { call, other, mails } in pairs(app).await {
            let [ids, outbox, _] = effects(app).await;
            let calls = [&call, &other];
            let answers = join_all((0..AT_ONCE).map(|n| calls[n % 2].make(app, ID))).await;
            assert!(answers.iter().all(Result::is_ok), "{call:?}: {answers:?}");
            let [ids_after, outbox_after, _] = effects(app).await;
            assert_eq!((ids_after, outbox_after), (ids + 2, outbox + 2 * mails), "{call:?}");
        }
    });
}
