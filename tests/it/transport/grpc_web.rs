use crate::support::{
    Answer, App, Jar, PASSWORD, Person, call_with, details, frame, on_sqlite, reason, send, with_header,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use countersign::grpc::wire::proto::*;
use http::{StatusCode, Version};
use prost::Message;
use tonic::Code;

const BINARY: [&str; 2] = ["application/grpc-web", "application/grpc-web+proto"];
const TEXT: [&str; 2] = ["application/grpc-web-text", "application/grpc-web-text+proto"];

/// Calls as a browser does: HTTP/1.1, and for the text form everything in base64.
async fn ask(app: &App, content_type: &str, path: &str, message: &impl Message, cookies: Option<&str>) -> Answer {
    let framed = frame(&message.encode_to_vec());
    let is_text = content_type.contains("text");
    let body = if is_text { STANDARD.encode(framed).into_bytes() } else { framed };
    let mut request = with_header(call_with(path, content_type, body), "accept", content_type.as_bytes());
    if let Some(cookies) = cookies {
        request = with_header(request, "cookie", cookies.as_bytes());
    }
    let mut answer = send(app.address, Version::HTTP_11, request).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    if is_text {
        answer.body = decode(&answer.body);
    }
    answer
}

/// Decodes chunks of base64, each with its own padding.
fn decode(text: &[u8]) -> Bytes {
    let chunks = text.chunks(4).map(|four| STANDARD.decode(four).unwrap());
    chunks.flatten().collect::<Vec<u8>>().into()
}

fn message<T: Message + Default>(answer: &Answer) -> T {
    let status = answer.rpc_status();
    assert_eq!(status.code(), Code::Ok, "{status:?}");
    let frames = answer.web_frames();
    let (_, content) = frames.iter().find(|(flag, _)| *flag == 0).unwrap_or_else(|| panic!("no message in {answer:?}"));
    T::decode(content.clone()).unwrap()
}

fn login(password: &str) -> LoginRequest {
    LoginRequest { identifier: "ada@example.org".to_owned(), password: password.to_owned(), ..Default::default() }
}

#[test]
fn a_browser_registers_logs_in_and_reads_its_account() {
    on_sqlite(async |app| {
        for (at, content_type) in BINARY.into_iter().chain(TEXT).enumerate() {
            let form = RegisterRequest {
                email: format!("person{at}@example.org"),
                password: PASSWORD.to_owned(),
                ..Default::default()
            };
            let answer = ask(app, content_type, "/countersign.v1.AccountService/Register", &form, None).await;
            let _: RegisterResponse = message(&answer);
            assert_eq!(app.mails_to(&form.email).await.len(), 1, "{content_type}");
        }
        Person::register(app, "ada@example.org").await;
        for content_type in BINARY.into_iter().chain(TEXT) {
            let answer = ask(app, content_type, "/countersign.v1.AuthService/Login", &login(PASSWORD), None).await;
            assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/grpc-web"), "{answer:?}");
            let browser = Jar::default();
            browser.keep(&answer);
            let cookies = browser.cookies();
            let path = "/countersign.v1.AccountService/GetMe";
            let answer = ask(app, content_type, path, &GetMeRequest {}, Some(&cookies)).await;
            let account = message::<GetMeResponse>(&answer).account.unwrap();
            assert_eq!(account.email, "ada@example.org", "{content_type}");
        }
    });
}

#[test]
fn a_browser_is_told_the_reason_and_the_fields_of_an_error() {
    on_sqlite(async |app| {
        for content_type in BINARY.into_iter().chain(TEXT) {
            let form = RegisterRequest { email: "ada".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
            let answer = ask(app, content_type, "/countersign.v1.AccountService/Register", &form, None).await;
            let status = answer.rpc_status();
            assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELD"));
            let details = details(&status);
            assert_eq!(details.bad_request().unwrap().field_violations[0].field, "email", "{content_type}");
            assert!(details.request_info().is_some(), "{content_type}");

            let wrong = ask(app, content_type, "/countersign.v1.AuthService/Login", &login("wrong"), None).await;
            assert_eq!(reason(&wrong.rpc_status()), "CREDENTIALS_INVALID", "{content_type}");
            let nobody = ask(app, content_type, "/countersign.v1.AccountService/GetMe", &GetMeRequest {}, None).await;
            assert_eq!(reason(&nobody.rpc_status()), "TOKEN_MISSING", "{content_type}");
            let nothing =
                ask(app, content_type, "/countersign.v1.AccountService/Nothing", &GetMeRequest {}, None).await;
            assert_eq!(reason(&nothing.rpc_status()), "METHOD_UNKNOWN", "{content_type}");
        }
    });
}

#[test]
fn what_a_browser_garbles_is_malformed() {
    on_sqlite(async |app| {
        let path = "/countersign.v1.AuthService/Login";
        let garbled: [(&str, Vec<u8>); 5] = [
            (BINARY[0], Vec::new()),
            (BINARY[0], vec![0, 0, 0, 0, 9, 1]),
            (BINARY[1], frame(&[0xff])),
            (TEXT[0], b"!!!!".to_vec()),
            (TEXT[1], STANDARD.encode(frame(&[0xff])).into_bytes()),
        ];
        for (content_type, body) in garbled {
            let answer = send(app.address, Version::HTTP_11, call_with(path, content_type, body.clone())).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let decoded = Answer {
                body: if content_type.contains("text") { decode(&answer.body) } else { answer.body.clone() },
                ..answer
            };
            let status = decoded.rpc_status();
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::InvalidArgument, "MALFORMED_REQUEST"),
                "{content_type} {body:?}"
            );
        }
    });
}
