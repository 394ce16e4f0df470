//! A browser, as far as HTTP is concerned: grpc-web, and a jar in which the last cookie that arrives wins.

use super::{Answer, App, PASSWORD, call_with, frame, send, with_header};
use countersign::grpc::wire::proto::*;
use http::{StatusCode, Version};
use prost::Message;
use std::{collections::BTreeMap, sync::Mutex};
use tonic::{Code, Status};

pub(crate) const ACCESS: &str = "__Host-countersign_access";
pub(crate) const REFRESH: &str = "__Host-countersign_refresh";
pub(crate) const DEVICE: &str = "__Host-countersign_device";
/// The beginning of the cookie names of turns.
pub(crate) const TURN: &str = "__Host-countersign_refresh.";

/// The cookies that all tabs of one browser share.
#[derive(Debug, Default)]
pub(crate) struct Jar(Mutex<BTreeMap<String, String>>);

impl Jar {
    /// Sends a call as a page does, without keeping the cookies of the answer.
    pub(crate) async fn ask(&self, app: &App, path: &str, message: &impl Message) -> Answer {
        self.ask_with(app, path, message, &[]).await
    }

    /// The same, with more headers.
    pub(crate) async fn ask_with(
        &self,
        app: &App,
        path: &str,
        message: &impl Message,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let body = frame(&message.encode_to_vec());
        let mut request = call_with(&format!("/countersign.v1.{path}"), "application/grpc-web+proto", body);
        let cookies = self.cookies();
        if !cookies.is_empty() {
            request = with_header(request, "cookie", cookies.as_bytes());
        }
        for (name, value) in headers {
            request = with_header(request, name, value.as_bytes());
        }
        let answer = send(app.address, Version::HTTP_11, request).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer
    }

    /// Takes the cookies of an answer, as a browser does when it arrives.
    pub(crate) fn keep(&self, answer: &Answer) {
        let mut jar = self.0.lock().unwrap();
        for (name, value, _) in set_cookies(answer) {
            if value.is_empty() {
                jar.remove(&name);
            } else {
                jar.insert(name, value);
            }
        }
    }

    /// A call from beginning to end.
    pub(crate) async fn call<R: Message + Default>(
        &self,
        app: &App,
        path: &str,
        message: &impl Message,
    ) -> Result<R, Status> {
        let answer = self.ask(app, path, message).await;
        self.keep(&answer);
        read(&answer)
    }

    pub(crate) async fn log_in(&self, app: &App, email: &str) -> Session {
        let answer: LoginResponse = self.call(app, "AuthService/Login", &login(email)).await.unwrap();
        let Some(login_response::Outcome::Session(session)) = answer.outcome else { panic!("{answer:?}") };
        session
    }

    pub(crate) async fn refresh(&self, app: &App) -> Result<RefreshResponse, Status> {
        self.call(app, "AuthService/Refresh", &RefreshRequest::default()).await
    }

    /// The address of the account that the browser is logged in to.
    pub(crate) async fn me(&self, app: &App) -> Result<String, Status> {
        let answer: GetMeResponse = self.call(app, "AccountService/GetMe", &GetMeRequest {}).await?;
        Ok(answer.account.unwrap().email)
    }

    /// Drops a cookie, as a browser does when it has expired.
    pub(crate) fn drop(&self, name: &str) {
        assert!(self.0.lock().unwrap().remove(name).is_some(), "there is no {name} to drop");
    }

    pub(crate) fn put(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The cookies of a session. The device cookie is not listed: it outlives sessions.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().filter(|name| *name != DEVICE).cloned().collect()
    }

    /// The only turn cookie.
    pub(crate) fn turn(&self) -> String {
        let turns: Vec<_> = self.names().into_iter().filter(|name| name.starts_with(TURN)).collect();
        assert_eq!(turns.len(), 1, "{turns:?}");
        turns[0].clone()
    }

    pub(crate) fn value(&self, name: &str) -> String {
        self.0.lock().unwrap()[name].clone()
    }

    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<_> = self.0.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

pub(crate) fn login(email: &str) -> LoginRequest {
    LoginRequest { identifier: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

/// The message of an answer over grpc-web, or its error.
pub(crate) fn read<R: Message + Default>(answer: &Answer) -> Result<R, Status> {
    let status = answer.rpc_status();
    if status.code() != Code::Ok {
        return Err(status);
    }
    let frames = answer.web_frames();
    let (_, content) = frames.iter().find(|(flag, _)| *flag == 0).unwrap_or_else(|| panic!("no message in {answer:?}"));
    Ok(R::decode(content.clone()).unwrap())
}

/// Name, value and attributes of each cookie that an answer sets.
pub(crate) fn set_cookies(answer: &Answer) -> Vec<(String, String, String)> {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies
        .map(|cookie| {
            let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned(), attributes.to_owned())
        })
        .collect()
}
