use crate::support::{App, MailText as _, Person, Proof, Purpose, on_each_database, reset_mail};
use countersign::{grpc::wire::proto::*, mail::StoredMail};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::Status;

const FIRST_PASSWORD: &str = "canary-first-Zx81 flies low";
const SECOND_PASSWORD: &str = "canary-second-Qy42 flies high";
const THIRD_PASSWORD: &str = "canary-third-Wv63 flies home";
const WRONG_PASSWORD: &str = "canary-wrong-Kp27 never flew";
const TYPED_TOKEN: &str = "v4.local.canary-token-Ht55";
const TYPED_CODE: &str = "73519246";

/// The secrets, none of which may be found anywhere, and the errors that the calls returned.
struct Walk {
    canaries: Vec<String>,
    errors: Vec<Status>,
}

impl Walk {
    fn mailed(&mut self, mail: &StoredMail) {
        let code = mail.typed_code();
        self.canaries.extend([mail.link_token(), code.replace(' ', ""), code]);
    }

    fn session(&mut self, session: &Session) {
        self.canaries.extend([session.access_token.clone(), session.refresh_token.clone()]);
    }

    fn failed<T: std::fmt::Debug>(&mut self, refused: Result<T, Status>) {
        self.errors.push(refused.expect_err("the call should have been refused"));
    }
}

async fn sign_up(app: &App, walk: &mut Walk) -> Person {
    let form = RegisterRequest {
        email: "ada@example.org".to_owned(),
        password: FIRST_PASSWORD.to_owned(),
        request_id: "request-1".to_owned(),
        ..Default::default()
    };
    app.account().register(form).await.unwrap();
    let mail = app.mail_to("ada@example.org").await;
    walk.mailed(&mail);
    Purpose::Verify.claim(app, &Proof::Link(mail.link_token()), "", "request-2").await.unwrap();
    walk.failed(Purpose::Verify.claim(app, &Proof::Link(mail.link_token()), "", "").await);
    let session = app.log_in("ada@example.org", FIRST_PASSWORD).await.unwrap();
    walk.session(&session);
    Person { email: "ada@example.org".to_owned(), session }
}

/// Makes every call that takes a secret, once so that it succeeds and once so that it fails.
async fn walk(app: &App) -> Walk {
    let typed = [FIRST_PASSWORD, SECOND_PASSWORD, THIRD_PASSWORD, WRONG_PASSWORD, TYPED_TOKEN, TYPED_CODE];
    let mut walk = Walk { canaries: typed.map(str::to_owned).into(), errors: Vec::new() };
    let ada = sign_up(app, &mut walk).await;
    let refreshed = app.refresh(&ada.session.refresh_token).await.unwrap();
    walk.session(&refreshed);

    let change = |current: &str, new: &str| ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        request_id: "request-3".to_owned(),
    };
    walk.failed(app.account().change_password(ada.asks(change(WRONG_PASSWORD, SECOND_PASSWORD))).await);
    walk.failed(app.account().change_password(ada.asks(change(FIRST_PASSWORD, FIRST_PASSWORD))).await);
    app.account().change_password(ada.asks(change(FIRST_PASSWORD, SECOND_PASSWORD))).await.unwrap();

    let mail = reset_mail(app, "ada@example.org").await;
    walk.mailed(&mail);
    let wrong_code = Proof::Code { email: "ada@example.org".to_owned(), code: TYPED_CODE.to_owned() };
    let wrong_link = Proof::Link(TYPED_TOKEN.to_owned());
    for purpose in Purpose::ALL {
        walk.failed(purpose.claim(app, &wrong_code, THIRD_PASSWORD, "request-4").await);
        walk.failed(purpose.claim(app, &wrong_link, THIRD_PASSWORD, "request-5").await);
    }
    let code = Proof::Code { email: "ada@example.org".to_owned(), code: mail.typed_code() };
    Purpose::Reset.claim(app, &code, THIRD_PASSWORD, "request-6").await.unwrap();

    walk.failed(app.me(&refreshed).await);
    walk.failed(app.refresh(&refreshed.refresh_token).await);
    walk.failed(app.refresh(TYPED_TOKEN).await);
    walk.failed(app.log_in("ada@example.org", WRONG_PASSWORD).await);
    walk.failed(app.log_in(WRONG_PASSWORD, WRONG_PASSWORD).await);
    walk.failed(
        app.account().delete_me(ada.asks(DeleteMeRequest { current_password: WRONG_PASSWORD.to_owned() })).await,
    );

    let session = app.log_in("ada@example.org", THIRD_PASSWORD).await.unwrap();
    walk.session(&session);
    let weak = RegisterRequest {
        email: "canary-first-Zx81 flies low".to_owned(),
        password: TYPED_CODE.to_owned(),
        username: TYPED_TOKEN.repeat(9),
        ..Default::default()
    };
    walk.failed(app.account().register(weak).await);
    app.send_mail().await;
    walk
}

/// Every value of every table; bytes in hexadecimal.
async fn dump(app: &App) -> String {
    let sqlite = app.database_url.starts_with("sqlite");
    let tables = if sqlite {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    } else {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
    };
    let mut text = String::new();
    for table in column(app, tables).await {
        let columns = if sqlite {
            format!("SELECT name FROM pragma_table_info('{table}')")
        } else {
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'"
            )
        };
        for name in column(app, &columns).await {
            let value = if sqlite { format!("quote(\"{name}\")") } else { format!("\"{name}\"::text") };
            let values = column(app, &format!("SELECT coalesce({value}, '') FROM \"{table}\"")).await;
            text.push_str(&values.join("\n"));
            text.push('\n');
        }
    }
    text
}

async fn column(app: &App, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(app.database.get_database_backend(), sql);
    let rows = app.database.query_all_raw(statement).await.unwrap();
    rows.into_iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

fn hexadecimal(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn no_canary_lies_in_the_database() {
    on_each_database(async |app| {
        let walk = walk(app).await;
        let dump = dump(app).await;
        assert!(dump.contains("ada@example.org") && dump.contains("$argon2id$"), "the dump shows nothing");
        let lower = dump.to_lowercase();
        for canary in &walk.canaries {
            assert!(!dump.contains(canary.as_str()), "{canary} lies in the database");
            assert!(!lower.contains(&hexadecimal(canary)), "{canary} lies in the database as bytes");
        }
        let kek = std::fs::read_to_string(app.data_dir.join("kek")).unwrap();
        assert!(!dump.contains(kek.trim()));
    });
}

#[test]
fn no_canary_reaches_the_log() {
    on_each_database(async |app| {
        let walk = walk(app).await;
        app.seal.seal().await.unwrap();
        let (log, events) = (app.log.text(), app.audit_lines());
        assert!(log.contains("TRACE"), "the log shows nothing");
        let written = app.rows("audit_events").await;
        assert_eq!(events.lines().count(), usize::try_from(written).unwrap(), "each event is one line");
        assert!(events.contains("countersign::audit") && events.contains("login_refused"), "{events}");
        let log = log + &events;
        for canary in &walk.canaries {
            assert!(!log.contains(canary.as_str()), "{canary} stands in the log");
        }
        assert!(!log.contains("$argon2id$"), "a hash stands in the log");
    });
}

#[test]
fn no_canary_reaches_an_error() {
    on_each_database(async |app| {
        let walk = walk(app).await;
        assert!(walk.errors.len() >= 15);
        for status in &walk.errors {
            let shown = format!("{status:?} {status} {}", String::from_utf8_lossy(status.details()));
            for canary in &walk.canaries {
                assert!(!shown.contains(canary.as_str()), "{canary} stands in {shown}");
            }
        }
    });
}

#[test]
fn no_mail_holds_a_password_or_a_token_of_a_session() {
    on_each_database(async |app| {
        let walk = walk(app).await;
        let ada = Person {
            email: "ada@example.org".to_owned(),
            session: app.log_in("ada@example.org", THIRD_PASSWORD).await.unwrap(),
        };
        let sent: String = app
            .mailbox
            .list(None, 1_000)
            .await
            .unwrap()
            .iter()
            .map(|mail| format!("{} {} {}", mail.subject, mail.text, mail.html))
            .collect();
        let passwords = [FIRST_PASSWORD, SECOND_PASSWORD, THIRD_PASSWORD, WRONG_PASSWORD];
        assert!(walk.canaries.iter().any(|canary| sent.contains(canary.as_str())), "the links are there");
        for password in passwords {
            assert!(!sent.contains(password));
        }
        assert!(!sent.contains(&ada.session.refresh_token));
    });
}
