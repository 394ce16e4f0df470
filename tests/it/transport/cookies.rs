//! Cookies that carry the tokens of browsers.

use crate::support::{
    Answer, App, Backend, Jar, Person, bearer,
    jar::{ACCESS, DEVICE, REFRESH, TURN, login, read, set_cookies},
    on_sqlite, reason,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const EMAIL: &str = "ada@example.org";

fn attributes(life: u32) -> String {
    format!("Path=/; Max-Age={life}; HttpOnly; Secure; SameSite=Strict")
}

type Pair = (String, String);

/// Name and attributes of every cookie that an answer sets; cookies without a value are listed separately.
fn told(answer: &Answer) -> (Vec<Pair>, Vec<Pair>) {
    let (cleared, set): (Vec<_>, Vec<_>) = set_cookies(answer).into_iter().partition(|(_, value, _)| value.is_empty());
    let shown = |(name, _, attributes)| (name, attributes);
    (set.into_iter().map(shown).collect(), cleared.into_iter().map(shown).collect())
}

fn pairs(names: &[&str], life: u32) -> Vec<Pair> {
    names.iter().map(|name| ((*name).to_owned(), attributes(life))).collect()
}

#[test]
fn a_login_puts_both_tokens_into_cookies_that_live_as_long_and_none_into_the_answer() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        let answer = browser.ask(app, "AuthService/Login", &login(EMAIL)).await;
        let (set, cleared) = told(&answer);
        browser.keep(&answer);
        let expected =
            [pairs(&[ACCESS], 600), pairs(&[REFRESH, &browser.turn()], 14 * 86_400), pairs(&[DEVICE], 400 * 86_400)];
        assert_eq!((set, cleared), (expected.concat(), vec![]));
        for (name, value, _) in set_cookies(&answer) {
            assert!(!String::from_utf8_lossy(&answer.body).contains(&value), "{name} is in the body too");
        }
        let message: LoginResponse = read(&answer).unwrap();
        let Some(login_response::Outcome::Session(session)) = message.outcome else { panic!("no session") };
        assert_eq!((session.access_token.as_str(), session.refresh_token.as_str()), ("", ""));
        assert!(!session.session_id.is_empty() && session.access_expire_time.is_some() && session.account.is_some());

        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
    });
}

#[test]
fn a_refresh_reads_the_cookie_and_renews_both() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let before = (browser.value(ACCESS), browser.value(REFRESH));
        app.advance(Duration::from_mins(10));
        browser.drop(ACCESS);
        let turn = browser.turn();
        assert_eq!(reason(&browser.me(app).await.unwrap_err()), "TOKEN_EXPIRED", "so that a client refreshes");

        let answer = browser.ask(app, "AuthService/Refresh", &RefreshRequest::default()).await;
        browser.keep(&answer);
        let expected = [pairs(&[ACCESS], 600), pairs(&[REFRESH, &browser.turn()], 14 * 86_400)].concat();
        assert_eq!(told(&answer), (expected, pairs(&[&turn], 0)));
        let session = read::<RefreshResponse>(&answer).unwrap().session.unwrap();
        assert_eq!((session.access_token.as_str(), session.refresh_token.as_str()), ("", ""));
        assert_ne!((browser.value(ACCESS), browser.value(REFRESH)), before);
        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
        assert_eq!(app.number("SELECT max(generation) FROM sessions").await, 2);
    });
}

#[test]
fn a_logout_ends_the_session_of_the_cookie_and_clears_all() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let answer = browser.ask(app, "AuthService/Logout", &LogoutRequest::default()).await;
        read::<LogoutResponse>(&answer).unwrap();
        assert_eq!(told(&answer), (vec![], pairs(&[ACCESS, REFRESH, &browser.turn()], 0)));
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
        assert_eq!(reason(&browser.me(app).await.unwrap_err()), "SESSION_ENDED");
        assert!(browser.names().is_empty(), "whoever asks with what is over is told to forget it");
        assert_eq!(reason(&browser.me(app).await.unwrap_err()), "TOKEN_MISSING");
        assert_eq!(reason(&browser.refresh(app).await.unwrap_err()), "TOKEN_MISSING");
    });
}

#[test]
fn the_access_cookie_alone_logs_out_too() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        browser.drop(REFRESH);
        browser.drop(&browser.turn());
        let _: LogoutResponse = browser.call(app, "AuthService/Logout", &LogoutRequest::default()).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
        assert!(browser.names().is_empty());
    });
}

#[test]
fn a_session_that_ended_elsewhere_is_forgotten_by_whichever_call_hears_of_it_first() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        for path in ["AccountService/GetMe", "AuthService/Refresh"] {
            let browser = Jar::default();
            browser.log_in(app, EMAIL).await;
            app.sessions().revoke_other_sessions(ada.asks(RevokeOtherSessionsRequest {})).await.unwrap();
            let answer = browser.ask(app, path, &GetMeRequest {}).await;
            assert_eq!(reason(&answer.rpc_status()), "SESSION_ENDED", "{path}");
            assert_eq!(told(&answer), (vec![], pairs(&[ACCESS, REFRESH, &browser.turn()], 0)), "{path}");
        }
    });
}

#[test]
fn a_session_that_expired_a_token_reused_and_an_account_disabled_are_forgotten() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let expired = Jar::default();
        expired.log_in(app, EMAIL).await;
        app.advance(Duration::from_hours(14 * 24));
        expired.drop(ACCESS);
        assert_eq!(reason(&expired.refresh(app).await.unwrap_err()), "SESSION_EXPIRED");
        assert!(expired.names().is_empty());

        let reused = Jar::default();
        reused.log_in(app, EMAIL).await;
        let old = reused.value(REFRESH);
        for _ in 0..2 {
            app.advance(Duration::from_mins(9));
            reused.refresh(app).await.unwrap();
        }
        reused.drop(&reused.turn());
        reused.put(REFRESH, &old);
        assert_eq!(reason(&reused.refresh(app).await.unwrap_err()), "REFRESH_TOKEN_REUSED");
        assert!(reused.names().is_empty());

        let disabled = Jar::default();
        disabled.log_in(app, EMAIL).await;
        app.execute("UPDATE accounts SET disabled_at = 1").await;
        assert_eq!(reason(&disabled.me(app).await.unwrap_err()), "ACCOUNT_DISABLED");
        assert!(disabled.names().is_empty());
    });
}

#[test]
fn whoever_deletes_the_account_or_revokes_the_own_session_is_signed_out() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        let session_id = browser.log_in(app, EMAIL).await.session_id;
        let form = RevokeSessionRequest { session_id };
        let _: RevokeSessionResponse = browser.call(app, "SessionService/RevokeSession", &form).await.unwrap();
        assert!(browser.names().is_empty());

        browser.log_in(app, EMAIL).await;
        let form = DeleteMeRequest { current_password: crate::support::PASSWORD.to_owned() };
        let _: DeleteMeResponse = browser.call(app, "AccountService/DeleteMe", &form).await.unwrap();
        assert!(browser.names().is_empty());
    });
}

#[test]
fn revoking_another_session_leaves_the_cookies_alone() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let form = RevokeSessionRequest { session_id: ada.session.session_id };
        let answer = browser.ask(app, "SessionService/RevokeSession", &form).await;
        read::<RevokeSessionResponse>(&answer).unwrap();
        assert!(set_cookies(&answer).is_empty());
        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
    });
}

#[test]
fn a_refused_login_leaves_the_session_of_the_browser_as_it_was() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let wrong = LoginRequest { password: "wrong".to_owned(), ..login(EMAIL) };
        let answer = browser.ask(app, "AuthService/Login", &wrong).await;
        assert_eq!(reason(&answer.rpc_status()), "CREDENTIALS_INVALID");
        assert!(set_cookies(&answer).is_empty());
        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
    });
}

#[test]
fn garbage_in_a_cookie_signs_nobody_in_and_stands_in_nobodys_way() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let planted = format!("{TURN}ffffffff.99");
        for garbage in ["a", "v4.local.AAAA", "a.b.c.d.e", &"x".repeat(4000)] {
            let browser = Jar::default();
            for name in [ACCESS, REFRESH, &planted] {
                browser.put(name, garbage);
            }
            assert_eq!(reason(&browser.me(app).await.unwrap_err()), "TOKEN_INVALID", "{garbage}");
            assert_eq!(reason(&browser.refresh(app).await.unwrap_err()), "TOKEN_INVALID", "{garbage}");
            browser.log_in(app, EMAIL).await;
            assert_ne!(browser.turn(), planted, "a login clears what came along");
            browser.put(&planted, garbage);
            assert_eq!(browser.me(app).await.unwrap(), EMAIL);
            browser.refresh(app).await.unwrap();
            assert_ne!(browser.turn(), planted);
        }
    });
}

#[test]
fn signing_out_clears_cookies_that_nobody_can_read() {
    on_sqlite(async |app| {
        let planted = format!("{TURN}ffffffff.99");
        for names in [vec![ACCESS, REFRESH, &planted], vec![REFRESH], vec![ACCESS], vec![&planted]] {
            for garbage in ["a", "v4.local.AAAA", "a.b.c.d.e", &"x".repeat(4000)] {
                for everywhere in [false, true] {
                    let browser = Jar::default();
                    names.iter().for_each(|name| browser.put(name, garbage));
                    let form = LogoutRequest { everywhere, ..Default::default() };
                    let refused = browser.call::<LogoutResponse>(app, "AuthService/Logout", &form).await.unwrap_err();
                    assert_eq!(reason(&refused), "TOKEN_INVALID", "{names:?}");
                    assert_eq!(browser.names(), [""; 0], "{names:?}");
                }
            }
        }
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        app.execute("UPDATE sessions SET ended_at = 1").await;
        let form = LogoutRequest { everywhere: true, ..Default::default() };
        let refused = browser.call::<LogoutResponse>(app, "AuthService/Logout", &form).await.unwrap_err();
        assert_eq!(reason(&refused), "SESSION_ENDED", "ended long ago");
        assert_eq!(browser.names(), [""; 0]);
    });
}

#[test]
fn a_native_caller_gets_its_tokens_in_the_answer_and_cookies_mean_nothing_to_it() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let cookies = browser.cookies();
        let with = |message| {
            let mut request = tonic::Request::new(message);
            request.metadata_mut().insert("cookie", cookies.parse().unwrap());
            request
        };
        let refused = app.account().get_me(with(GetMeRequest {})).await.unwrap_err();
        assert_eq!(reason(&refused), "TOKEN_MISSING");
        let mut request = tonic::Request::new(RefreshRequest::default());
        request.metadata_mut().insert("cookie", cookies.parse().unwrap());
        assert_eq!(reason(&app.auth().refresh(request).await.unwrap_err()), "TOKEN_MISSING");

        let answer = app
            .auth()
            .refresh(RefreshRequest { refresh_token: ada.session.refresh_token, ..Default::default() })
            .await
            .unwrap();
        assert!(answer.metadata().get("set-cookie").is_none());
        let session = answer.into_inner().session.unwrap();
        app.account().get_me(bearer(&session.access_token, GetMeRequest {})).await.unwrap();
    });
}

#[test]
fn cookies_do_not_pay_for_what_a_call_brought_besides_them() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        Person::register(app, "grace@example.org").await;
        let browser = Jar::default();
        browser.log_in(app, "grace@example.org").await;
        let token = format!("Bearer {}", ada.session.access_token);
        let bearer = [("authorization", token.as_str())];
        let answer = browser.ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &bearer).await;
        assert_eq!(read::<GetMeResponse>(&answer).unwrap().account.unwrap().email, EMAIL);

        let revoke = RevokeSessionRequest { session_id: ada.session.session_id };
        let answers = [
            browser.ask_with(app, "SessionService/RevokeSession", &revoke, &bearer).await,
            browser.ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &bearer).await,
            browser.ask_with(app, "AuthService/Logout", &LogoutRequest::default(), &bearer).await,
            browser
                .ask(
                    app,
                    "AuthService/Logout",
                    &LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() },
                )
                .await,
            browser
                .ask(
                    app,
                    "AuthService/Refresh",
                    &RefreshRequest { refresh_token: ada.session.refresh_token, ..Default::default() },
                )
                .await,
            browser
                .ask(
                    app,
                    "AuthService/Refresh",
                    &RefreshRequest { refresh_token: "garbage".to_owned(), ..Default::default() },
                )
                .await,
        ];
        for answer in answers {
            assert!(set_cookies(&answer).is_empty(), "{answer:?}");
        }
        assert_eq!(browser.me(app).await.unwrap(), "grace@example.org", "the session of the cookies goes on");
    });
}

#[test]
fn cookies_split_over_several_headers_are_one_list() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        let split = Jar::default();
        let access = format!("{ACCESS}={}", browser.value(ACCESS));
        let headers = [("cookie", "theme=dark"), ("cookie", access.as_str())];
        let answer = split.ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &headers).await;
        assert_eq!(read::<GetMeResponse>(&answer).unwrap().account.unwrap().email, EMAIL);

        let twice = [("cookie", access.as_str()), ("cookie", access.as_str())];
        let answer = split.ask_with(app, "AccountService/GetMe", &GetMeRequest {}, &twice).await;
        assert_eq!(reason(&answer.rpc_status()), "TOKEN_MISSING", "a cookie that was planted beside ours is no cookie");
    });
}

/// The answer to a login of a browser that keeps no cookies.
async fn log_in_without_cookies(app: &App) -> LoginResponse {
    let answer: LoginResponse = read(&Jar::default().ask(app, "AuthService/Login", &login(EMAIL)).await).unwrap();
    assert!(!answer.cancel_token.is_empty());
    answer
}

fn cancel(answer: &LoginResponse) -> LogoutRequest {
    LogoutRequest { cancel_token: answer.cancel_token.clone(), ..Default::default() }
}

const LIVE: &str = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";

#[test]
fn a_page_whose_browser_keeps_no_cookies_ends_the_session_that_nobody_can_use() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let answer = log_in_without_cookies(app).await;
        let nobody = Jar::default();
        assert_eq!(reason(&nobody.me(app).await.unwrap_err()), "TOKEN_MISSING");
        assert_eq!(app.number(LIVE).await, 1);
        for _ in 0..2 {
            let logout = nobody.ask(app, "AuthService/Logout", &cancel(&answer)).await;
            read::<LogoutResponse>(&logout).unwrap();
            assert!(set_cookies(&logout).is_empty(), "{logout:?}");
        }
        assert_eq!(app.number(LIVE).await, 0);
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'logged_out'").await, 1);
    });
}

#[test]
fn what_cancels_a_login_opens_nothing_and_ends_no_session_that_is_kept_or_is_another() {
    on_sqlite(async |app| {
        let other = Person::sign_up(app, EMAIL).await;
        assert_eq!(app.number(LIVE).await, 1);
        let browser = Jar::default();
        let answer: LoginResponse = browser.call(app, "AuthService/Login", &login(EMAIL)).await.unwrap();
        let token = answer.cancel_token.clone();
        let refresh = RefreshRequest { refresh_token: token.clone(), ..Default::default() };
        assert_eq!(reason(&app.auth().refresh(refresh).await.unwrap_err()), "TOKEN_INVALID");
        assert_eq!(reason(&app.account().get_me(bearer(&token, GetMeRequest {})).await.unwrap_err()), "TOKEN_INVALID");
        let verify = VerifyRequest { token: token.clone(), ..Default::default() };
        assert_eq!(reason(&app.account().verify(verify).await.unwrap_err()), "LINK_INVALID");
        let everywhere = LogoutRequest { everywhere: true, ..cancel(&answer) };

        // Earlier the browser would get the same generation again.
        app.advance(Duration::from_mins(1));
        browser.refresh(app).await.unwrap();
        assert_eq!(reason(&app.auth().logout(everywhere).await.unwrap_err()), "TOKEN_INVALID");
        assert_eq!(app.number(LIVE).await, 2, "a session that was refreshed is one that is kept");
        app.me(&other.session).await.unwrap();

        let late = log_in_without_cookies(app).await;
        app.advance(Duration::from_mins(5));
        assert_eq!(reason(&app.auth().logout(cancel(&late)).await.unwrap_err()), "TOKEN_INVALID");
        let everywhere = LogoutRequest { everywhere: true, ..cancel(&log_in_without_cookies(app).await) };
        app.auth().logout(everywhere).await.unwrap();
        app.me(&other.session).await.unwrap();
    });
}

#[test]
fn a_native_login_is_given_nothing_to_cancel_it_with() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        assert_eq!(app.auth().login(login(EMAIL)).await.unwrap().into_inner().cancel_token, "");
    });
}

#[test]
fn cookies_authenticate_people_and_no_service() {
    on_sqlite(async |app| {
        Person::register(app, EMAIL).await;
        let (person, service) = (Jar::default(), Jar::default());
        person.log_in(app, EMAIL).await;
        service.put(ACCESS, &Backend::enrol(app, "orders").await.token);
        for browser in [&person, &service] {
            let answer = browser.ask(app, "VerificationService/Introspect", &IntrospectRequest::default()).await;
            assert_eq!(reason(&answer.rpc_status()), "TOKEN_MISSING");
            assert_eq!(told(&answer), (vec![], vec![]), "no cookie changes");
        }
        assert_eq!(person.me(app).await.unwrap(), EMAIL);
        assert_eq!(reason(&service.me(app).await.unwrap_err()), "CALLER_NOT_ALLOWED");
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'call_refused'").await, 1);
    });
}
