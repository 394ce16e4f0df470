//! A refresh whose answer went to somebody else than the client that repeats it.

use crate::support::{
    App, AppOptions, Client, Jar, PASSWORD, Person, Refused as _, at_once,
    jar::{ACCESS, DEVICE, REFRESH, read},
    on_each_database, on_each_database_with, reason,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const ADA: &str = "ada@example.org";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.7";
const PAST_THE_GRACE: Duration = Duration::from_secs(31);
const MOVED: &str = "A signed-in device";
const SIGNED_OUT: &str = "signed out a device";

/// The owner and a thief who copied the refresh token: in the same network with the same program, or not.
struct Theft {
    owner: Client,
    thief: Client,
    session: Session,
    device: String,
}

impl Theft {
    async fn of(app: &App, program: &str, address: &'static str) -> Self {
        Person::register(app, ADA).await;
        let owner = Client::in_network(app, "app/1.0", HOME).await;
        let (session, device) = owner.log_in_on(ADA, PASSWORD, "").await;
        Self { owner, thief: Client::in_network(app, program, address).await, session, device }
    }

    async fn next_door(app: &App) -> Self {
        Self::of(app, "app/1.0", HOME).await
    }

    async fn elsewhere(app: &App) -> Self {
        Self::of(app, "curl/8.5", AWAY).await
    }
}

fn behind_a_proxy() -> AppOptions {
    AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
}

async fn mails(app: &App, subject: &str) -> usize {
    app.mails_to(ADA).await.iter().filter(|mail| mail.subject.contains(subject)).count()
}

async fn live(app: &App) -> i64 {
    app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

#[test]
fn whoever_brings_a_generation_that_was_skipped_ends_the_session() {
    for by_refresh in [true, false] {
        on_each_database(async |app| {
            let Theft { owner, thief, session, device } = Theft::next_door(app).await;
            let stolen = thief.refresh(&session.refresh_token).await.unwrap();
            app.advance(PAST_THE_GRACE);
            let owners = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
            app.me(&owners).await.unwrap();
            if by_refresh {
                assert_eq!(thief.refresh_on(&stolen.refresh_token, &device).await.reason(), "REFRESH_TOKEN_REUSED");
            } else {
                assert_eq!(app.me(&stolen).await.reason(), "SESSION_ENDED");
            }
            assert_eq!((live(app).await, mails(app, SIGNED_OUT).await), (0, 1));
            assert_eq!(app.number("SELECT count(*) FROM sessions WHERE end_reason = 'refresh_reused'").await, 1);
        });
    }
}

#[test]
fn an_access_token_that_was_skipped_is_found_many_generations_later_and_notified_once() {
    on_each_database(async |app| {
        let Theft { owner, thief, session, device } = Theft::next_door(app).await;
        let stolen = thief.refresh(&session.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        let mut owners = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
        for _ in 0..5 {
            owners = owner.refresh_on(&owners.refresh_token, &device).await.unwrap();
        }
        app.me(&owners).await.unwrap();
        let app = &*app;
        let uses = at_once(16, async |_| app.me(&stolen).await).await;
        assert!(uses.successes.is_empty());
        uses.assert_refused_only_for(&["SESSION_ENDED"], "uses");
        assert_eq!((live(app).await, mails(app, SIGNED_OUT).await), (0, 1));
    });
}

#[test]
fn two_holders_do_not_both_go_on_whoever_refreshes_first() {
    on_each_database(async |app| {
        // The thief first: the owner continues, and any token of the thief ends the session.
        let Theft { owner, thief, session, device } = Theft::next_door(app).await;
        thief.refresh(&session.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        let owners = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
        assert_eq!(
            thief.refresh(&session.refresh_token).await.reason(),
            "REFRESH_TOKEN_REUSED",
            "not even within the new grace"
        );
        assert_eq!(owner.refresh_on(&owners.refresh_token, &device).await.reason(), "SESSION_ENDED");

        // The owner first: the thief gets no tokens.
        let (session, device) = owner.log_in_on(ADA, PASSWORD, &device).await;
        let owners = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(thief.refresh(&session.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(owner.refresh_on(&owners.refresh_token, &device).await.reason(), "SESSION_ENDED");
        assert_eq!(mails(app, SIGNED_OUT).await, 2);
    });
}

#[test]
fn a_thief_from_elsewhere_within_the_grace_is_notified_once_and_detected_the_second_time() {
    for policy in ["audit", "mail"] {
        on_each_database_with(behind_a_proxy().and("COUNTERSIGN_RISK__ON_CLIENT_CHANGE", policy), async |app| {
            let Theft { owner, thief, session, .. } = Theft::elsewhere(app).await;
            let owners = owner.refresh(&session.refresh_token).await.unwrap();
            thief.refresh(&session.refresh_token).await.unwrap();
            assert_eq!(mails(app, MOVED).await, 1, "{policy}");
            thief.refresh(&session.refresh_token).await.unwrap();
            assert_eq!(mails(app, MOVED).await, 1, "the same again is no news");
            // The owner's client does not send its device token.
            let next = owner.refresh(&owners.refresh_token).await.unwrap();
            assert_eq!(thief.refresh(&owners.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
            assert_eq!(owner.refresh(&next.refresh_token).await.reason(), "SESSION_ENDED");
            assert_eq!((live(app).await, mails(app, SIGNED_OUT).await), (0, 1));
        });
    }
}

#[test]
fn an_owner_who_shows_the_device_is_never_taken_for_the_thief() {
    on_each_database_with(behind_a_proxy(), async |app| {
        let Theft { thief, owner, mut session, device } = Theft::elsewhere(app).await;
        for told in 1..=3 {
            let next = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
            thief.refresh(&session.refresh_token).await.unwrap();
            assert_eq!(mails(app, MOVED).await, told);
            // The owner repeats the call with the device token: no mail, and the count of lost answers begins again.
            session = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
            assert_eq!((next.session_id, mails(app, MOVED).await), (session.session_id.clone(), told));
        }
        assert_eq!(live(app).await, 1);
    });
}

#[test]
fn once_the_device_was_shown_a_thief_from_elsewhere_is_notified_again() {
    for moves in [true, false] {
        on_each_database_with(behind_a_proxy(), async |app| {
            let Theft { thief, owner, session, device } = Theft::elsewhere(app).await;
            let next = owner.refresh_on(&session.refresh_token, &device).await.unwrap();
            thief.refresh(&session.refresh_token).await.unwrap();
            let parent = if moves { next } else { session };
            owner.refresh_on(&parent.refresh_token, &device).await.unwrap();
            thief.refresh(&parent.refresh_token).await.unwrap();
            assert_eq!((live(app).await, mails(app, MOVED).await), (1, 2), "{moves}");
        });
    }
}

#[test]
fn of_many_thieves_from_elsewhere_at_once_the_owner_gets_a_mail_about_one() {
    on_each_database_with(behind_a_proxy(), async |app| {
        let Theft { owner, thief, session, .. } = Theft::elsewhere(app).await;
        owner.refresh(&session.refresh_token).await.unwrap();
        let (app, thief) = (&*app, &thief);
        let tried = at_once(16, async |_| thief.refresh(&session.refresh_token).await).await;
        assert!(!tried.successes.is_empty());
        tried.assert_refused_only_for(&["REFRESH_CONTENDED"], "the others");
        assert_eq!(mails(app, MOVED).await, 1);
    });
}

#[test]
fn the_device_of_a_session_stays_its_own_wherever_it_is_refreshed() {
    on_each_database_with(behind_a_proxy(), async |app| {
        let Theft { owner, thief, session, device } = Theft::elsewhere(app).await;
        Person::register(app, "eve@example.org").await;
        let (_, eves) = thief.log_in_on("eve@example.org", PASSWORD, "").await;
        let stolen = thief.refresh_on(&session.refresh_token, &eves).await.unwrap();
        app.advance(PAST_THE_GRACE);
        owner.refresh_on(&session.refresh_token, &device).await.unwrap();
        assert_eq!(thief.refresh_on(&stolen.refresh_token, &eves).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(mails(app, SIGNED_OUT).await, 1);
    });
}

#[test]
fn an_answer_that_a_browser_refreshed_with_is_never_recovered() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let browser = Jar::default();
        browser.log_in(app, ADA).await;
        let thief = Jar::default();
        for name in browser.names().into_iter().chain([DEVICE.to_owned()]) {
            thief.put(&name, &browser.value(&name));
        }
        app.advance(PAST_THE_GRACE);
        browser.refresh(app).await.unwrap();
        // Too early for the next generation: the same one is issued again, but the browser has used it.
        browser.refresh(app).await.unwrap();
        assert_eq!(app.number("SELECT max(generation) FROM sessions").await, 2);
        app.note_uses.store_uses().await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_eq!(reason(&thief.refresh(app).await.unwrap_err()), "REFRESH_TOKEN_REUSED");
        assert_eq!((live(app).await, mails(app, SIGNED_OUT).await), (0, 1));
    });
}

#[test]
fn an_answer_that_arrives_after_it_was_replaced_signs_no_browser_out() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let browser = Jar::default();
        browser.log_in(app, ADA).await;
        app.advance(PAST_THE_GRACE);
        let late = browser.ask(app, "AuthService/Refresh", &RefreshRequest::default()).await;
        read::<RefreshResponse>(&late).unwrap();
        app.advance(PAST_THE_GRACE);
        browser.refresh(app).await.unwrap();
        assert_eq!(app.number("SELECT max(void_generation) FROM sessions").await, 2);
        browser.keep(&late);
        assert_eq!(reason(&browser.me(app).await.unwrap_err()), "TOKEN_EXPIRED", "it holds a later generation");
        browser.refresh(app).await.unwrap();
        assert_eq!(browser.me(app).await.unwrap(), ADA);
        assert_eq!((live(app).await, mails(app, SIGNED_OUT).await), (1, 0));

        // A client that has no later generation is somebody else.
        let thief = Jar::default();
        thief.keep(&late);
        assert_eq!(reason(&thief.me(app).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(mails(app, SIGNED_OUT).await, 1);
        assert!(
            !thief.names().iter().any(|name| [ACCESS, REFRESH].contains(&name.as_str())),
            "its cookies are cleared"
        );
    });
}
