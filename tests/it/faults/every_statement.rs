use super::{
    acts::{Act, Call, POLICY, acts, acts_under_policy, questions},
    on_each_database, on_each_database_with,
};
use crate::support::{App, AppOptions, Change, Contents, Faults, Person, own_rpcs, reason, retry_after};
use countersign::store::{Fate, account};
use countersign_domain::{account::Identifier, tenant::DEFAULT_TENANT};
use tonic::{Code, Status};

/// Tables that a call may write to although it fails: they record that it was made. SQLite does not assign a number
/// twice.
const TRACES: &[&str] = &["audit_events", "audit_heads", "sqlite_sequence"];

/// Tables that later calls of others do not change.
const UNTOUCHED: &[&str] = &["devices", "past_passwords", "revocations", "sessions"];

/// The RPCs that only read, besides [`questions`].
const READING: &[&str] = &["GetVerificationKeys", "WatchRevocations", "List", "WaitFor"];

/// The acts that await their commit even when the caller is gone: the event of a right proof depends on it.
const AWAIT_THE_COMMIT: &[&str] = &["Login", "CompleteLogin with a passkey alone", "CompleteLogin with a mailed code"];

/// An act, and how it behaves when each statement fails.
struct Trial<'a> {
    app: &'a App,
    faults: &'a Faults,
    act: &'a Act,
    prepared: usize,
}

impl Trial<'_> {
    async fn prepare(&mut self) -> Call {
        self.faults.none();
        self.prepared += 1;
        let name = self.act.name.to_lowercase().replace(' ', "-");
        (self.act.prepare)(self.app, format!("{name}-{}@example.org", self.prepared)).await
    }

    /// The answer of the call and what it changes when this statement fails.
    async fn make(&self, call: &Call, doomed: Option<(usize, Fate)>) -> (Result<(), Status>, Change) {
        let before = Contents::of(self.app).await;
        match doomed {
            Some((step, fate)) => self.faults.at(step, fate),
            None => self.faults.none(),
        }
        let answer = call(self.app).await;
        let mut change = before.change(&Contents::of(self.app).await);
        change.retain(|table, _| !TRACES.contains(&table.as_str()));
        (answer, change)
    }

    /// Fails each statement in turn. Returns the cases in which the answer and the database do not agree.
    async fn run(&mut self) -> Vec<String> {
        let call = self.prepare().await;
        let (answer, expected) = self.make(&call, None).await;
        let steps = self.faults.steps();
        let regular = answer.as_ref().err().map(reason);
        // Issuing a service token writes to the audit log and nowhere else.
        assert_eq!(expected.is_empty(), self.act.name == "IssueServiceToken", "{}", self.act.name);
        let mut wrong = Vec::new();
        let mut call = self.prepare().await;
        for (step, text) in steps.iter().enumerate() {
            for fate in [Fate::Refused, Fate::Lost] {
                let (answer, change) = self.make(&call, Some((step, fate))).await;
                let is_done = change == expected;
                let may_be_done = fate == Fate::Lost || self.act.is_repeatable;
                let agrees = match &answer {
                    answer if is_regular(answer, regular.as_deref()) => is_done,
                    answer => says_later(answer) && (change.is_empty() || (is_done && may_be_done)),
                };
                if !agrees {
                    let answer = answer.as_ref().map_err(reason);
                    wrong.push(format!("{}: {answer:?}, {change:?}, {fate:?} at {step}: {text}", self.act.name));
                }
                if is_done && answer.is_err() && self.act.is_repeatable {
                    let (answer, change) = self.make(&call, None).await;
                    assert!(answer.is_ok() && change.is_empty(), "repeated, it answered {answer:?} and did {change:?}");
                }
                if !change.is_empty() {
                    call = self.prepare().await;
                }
            }
        }
        // Earlier failures do not block later calls of others.
        let (answer, change) = self.make(&call, None).await;
        assert!(is_regular(&answer, regular.as_deref()), "{}: {answer:?}", self.act.name);
        assert_eq!(change, expected, "{}", self.act.name);
        wrong
    }
}

/// Whether the answer says that the same call may succeed a moment later.
fn says_later(answer: &Result<(), Status>) -> bool {
    let Err(status) = answer else { return false };
    (status.code(), reason(status).as_str()) == (Code::Unavailable, "STORE_UNAVAILABLE")
        && retry_after(status).is_some()
}

/// Whether the answer is that of a database that does not fail.
fn is_regular(answer: &Result<(), Status>, regular: Option<&str>) -> bool {
    match (answer, regular) {
        (Ok(()), None) => true,
        (Err(status), Some(regular)) => reason(status) == regular,
        _ => false,
    }
}

#[test]
fn whatever_statement_fails_an_answer_and_the_database_agree() {
    on_each_database(async |app, faults| {
        for rpc in own_rpcs(app).await {
            let name = rpc.path.rsplit('/').next().unwrap();
            let is_tried = acts().any(|act| act.name == name);
            let is_question = READING.contains(&name) || questions().any(|question| question.name == name);
            assert!(is_tried != is_question, "{name} changes something, and is tried, or changes nothing");
        }
        let mut wrong = Vec::new();
        for act in acts() {
            wrong.extend(Trial { app, faults, act, prepared: 0 }.run().await);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

#[test]
fn whatever_statement_of_a_login_that_has_to_add_a_factor_fails_an_answer_and_the_database_agree() {
    let (key, value) = POLICY;
    on_each_database_with(AppOptions::with(key, value), async |app, faults| {
        let mut wrong = Vec::new();
        for act in acts_under_policy() {
            wrong.extend(Trial { app, faults, act, prepared: 0 }.run().await);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

#[test]
fn a_call_that_is_given_up_at_any_statement_changes_nothing_and_is_in_nobodys_way() {
    let (key, value) = POLICY;
    let usual = ["Login", "ChangePassword", "Refresh", "Logout everywhere", "CompleteLogin with a passkey alone"];
    let under_policy = ["CompleteLogin with a mailed code", "ConfirmTotp for a login that waits"];
    on_each_database(async |app, faults| give_up(app, faults, acts().filter(|act| usual.contains(&act.name))).await);
    on_each_database_with(AppOptions::with(key, value), async |app, faults| {
        give_up(app, faults, acts_under_policy().filter(|act| under_policy.contains(&act.name))).await;
    });
}

async fn give_up(app: &App, faults: &Faults, acts: impl Iterator<Item = &'static Act>) {
    for act in acts {
        let name = act.name;
        let mut trial = Trial { app, faults, act, prepared: 0 };
        let call = trial.prepare().await;
        trial.make(&call, None).await.0.unwrap();
        let steps = faults.steps();
        let call = trial.prepare().await;
        let over = app.number("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await;
        for (step, text) in steps.iter().enumerate() {
            if AWAIT_THE_COMMIT.contains(&name) && *text == "COMMIT" {
                continue;
            }
            let before = Contents::of(app).await;
            faults.at(step, Fate::Silence);
            tokio::select! {
                answer = call(app) => panic!("{name} answered {answer:?} without an answer to step {step}"),
                () = faults.struck() => {}
            }
            faults.none();
            // A caller that waits for the single writer of SQLite, or for a row of PostgreSQL, would wait in vain.
            let email = format!("next-{}-{step}@example.org", name.to_lowercase().replace(' ', "-"));
            Person::register(app, &email).await;
            let ended = app.number("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").await;
            assert_eq!(ended, over, "{name} was given up at step {step}");
            let mut change = before.change(&Contents::of(app).await);
            change.retain(|table, _| UNTOUCHED.contains(&table.as_str()));
            if act.is_repeatable {
                // The statement may have been executed, and is answered in the end.
                change.remove("sessions");
            }
            assert!(change.is_empty(), "{name} was given up at step {step} and left {change:?}");
        }
        call(app).await.unwrap();
    }
}

#[test]
fn a_transaction_in_which_a_statement_failed_is_not_committed() {
    on_each_database(async |app, _| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let identifier = Identifier::parse(&person.email).unwrap();
        let tx = app.work.store.begin().await.unwrap();
        let found = account::find_by_identifier(&tx, DEFAULT_TENANT, &identifier).await.unwrap().unwrap();
        account::insert(&tx, DEFAULT_TENANT, &found).await.expect_err("there is such an account");
        tx.commit().await.expect_err("PostgreSQL would say that this was committed, and take it back");
        app.me(&person.session).await.expect("the connection can be used again");
    });
}
