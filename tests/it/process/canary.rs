//! No secret may be in the log, not even at its finest level, nor in the database, nor in errors.

use crate::support::{Client, ProcessOptions, ServiceProcess, bearer};
use countersign::grpc::wire::proto::*;
use std::{fs, path::Path};
use tonic::Status;

const EMAIL: &str = "ada@example.org";
// Not the password that the greeting of `serve` suggests.
const PASSWORD: &str = "nine brass kettles in the rain";
const WRONG: &str = "a wrong password of ada's";
const RESET: &str = "four grey herons watch the tide";
const CHANGED: &str = "a lantern made of old rhubarb";

/// The secrets that were sent over the network, and may be nowhere else.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of_session(&mut self, session: &Session) {
        self.0.push(("an access token", session.access_token.clone()));
        self.0.push(("a refresh token", session.refresh_token.clone()));
    }

    fn of_mail(&mut self, mail: &DevMail) {
        assert!(!mail.token.is_empty() && !mail.code.is_empty());
        self.0.push(("a mailed token", mail.token.clone()));
        let digits: String = mail.code.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 8);
        self.0.push(("a code", format!("{} {}", &digits[..4], &digits[4..])));
        self.0.push(("a code", digits));
    }

    fn are_not_in(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            // Half of a token is as bad as all of it, if an attacker reads the log.
            let shown: &[u8] =
                if secret.len() > 60 { &secret.as_bytes()[secret.len() - 40..] } else { secret.as_bytes() };
            assert!(!holds(bytes, shown), "{what} is in {place}");
        }
    }
}

/// Whether `bytes` contain `wanted`; digits only if they are not part of a longer number.
fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let is_number = wanted.iter().all(u8::is_ascii_digit);
    bytes.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted).any(|(at, _)| {
        let beside = |index: Option<usize>| index.and_then(|index| bytes.get(index)).is_some_and(u8::is_ascii_digit);
        !is_number || (!beside(at.checked_sub(1)) && !beside(Some(at + wanted.len())))
    })
}

fn files_below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("mail") {
            files_below(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// Sends secrets in every way in which the service takes them, wrong ways included.
async fn send_secrets(client: &Client) -> (Secrets, Vec<Status>) {
    let mut secrets = Secrets([PASSWORD, WRONG, RESET, CHANGED].map(|text| ("a password", text.to_owned())).into());
    let mut refusals = Vec::new();
    let form = RegisterRequest { email: EMAIL.into(), password: PASSWORD.into(), ..Default::default() };
    client.account().register(form).await.unwrap();
    let mail = client.mail(EMAIL, "Confirm").await;
    secrets.of_mail(&mail);
    let verify = VerifyRequest { token: mail.token, ..Default::default() };
    client.account().verify(verify.clone()).await.unwrap();
    refusals.push(client.account().verify(verify).await.unwrap_err());
    refusals.push(client.log_in(EMAIL, WRONG).await.unwrap_err());

    let first = client.log_in(EMAIL, PASSWORD).await.unwrap();
    secrets.of_session(&first);
    let second = client.refresh(&first.refresh_token).await.unwrap();
    secrets.of_session(&second);
    refusals.push(client.refresh(&first.access_token).await.unwrap_err());
    let confused = Session { access_token: second.refresh_token.clone(), ..Session::default() };
    refusals.push(client.me(&confused).await.unwrap_err());
    client.log_out(&second.refresh_token).await.unwrap();
    refusals.push(client.me(&second).await.unwrap_err());
    refusals.push(client.refresh(&second.refresh_token).await.unwrap_err());

    client.account().request_reset(RequestResetRequest { email: EMAIL.into(), ..Default::default() }).await.unwrap();
    let mail = client.mail(EMAIL, "Set a new password").await;
    secrets.of_mail(&mail);
    let reset = ResetRequest { email: EMAIL.into(), code: mail.code, new_password: RESET.into(), ..Default::default() };
    client.account().reset(reset.clone()).await.unwrap();
    refusals.push(client.account().reset(reset).await.unwrap_err());

    let third = client.log_in(EMAIL, RESET).await.unwrap();
    secrets.of_session(&third);
    let change = |current: &str, new: &str| {
        let form =
            ChangePasswordRequest { current_password: current.into(), new_password: new.into(), ..Default::default() };
        bearer(&third.access_token, form)
    };
    refusals.push(client.account().change_password(change(WRONG, CHANGED)).await.unwrap_err());
    refusals.push(client.account().change_password(change(RESET, PASSWORD)).await.unwrap_err());
    client.account().change_password(change(RESET, CHANGED)).await.unwrap();
    (secrets, refusals)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_token_or_code_is_in_the_finest_log_in_the_database_or_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_LOG__FILTER", "trace");
    let service = ServiceProcess::start(&options);
    let (secrets, refusals) = send_secrets(&Client::to(&service.address).await).await;
    for refusal in &refusals {
        secrets.are_not_in("an error", format!("{refusal:?}").as_bytes());
        secrets.are_not_in("the details of an error", refusal.details());
    }

    let mut files = vec![service.log.clone()];
    files_below(&options.data_dir, &mut files);
    for name in ["countersign.db", "countersign.db-wal", "kek"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name} is not looked at: {files:?}");
    }
    assert!(service.log_text().contains("TRACE"), "the log is as talkative as it can be");
    for file in files {
        secrets.are_not_in(&file.display().to_string(), &fs::read(&file).unwrap());
    }
    secrets.are_not_in("what it said", service.said().as_bytes());
    service.stop();
}
