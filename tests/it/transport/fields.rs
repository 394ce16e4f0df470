use crate::support::{
    App, Callers, PASSWORD, Person, Rpc, call, details, on_sqlite, own_rpcs, reason, rpc, with_header,
};
use countersign::grpc::wire::proto::*;
use prost_types::FieldMask;
use std::collections::BTreeSet;
use tonic::{Code, Status};

/// Text that no answer may repeat.
const CANARY: &str = "canary7361";

/// The answer to a field with an impossible value.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// This reason, with the name of the field.
    Named(&'static str),
    /// This reason without a field: the form of an error must not reveal whether somebody exists.
    Silent(&'static str),
    /// Any value is accepted or ignored.
    Taken,
}
use Outcome::{Named, Silent, Taken};

const INVALID: Outcome = Named("INVALID_FIELD");

/// A text field: its name, the answer to 3 000 characters, and the answer to a control character.
type Field = (&'static str, Outcome, Outcome);

struct Case {
    path: &'static str,
    /// A call that is valid except for the field under test.
    valid: &'static [(&'static str, &'static str)],
    fields: &'static [Field],
}

const EMAIL: (&str, &str) = ("email", "ada@example.org");
const CODE: (&str, &str) = ("code", "12345678");
const FACTOR: &str = "0198c0de-0000-7000-8000-00000badcafe";
/// The form of a registration, and nothing else of one.
const REGISTRATION: &str =
    r#"{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA"}}"#;
const NEW: &str = "nine purple otters at dawn";
const REQUEST_ID: Field = ("request_id", INVALID, INVALID);
const CAPTCHA: Field = ("captcha_token", Taken, INVALID);
const CHALLENGE: Field = ("challenge_token", INVALID, Silent("CHALLENGE_INVALID"));
/// It is read beside a challenge.
const DEVICE: &[Field] = &[("device_token", INVALID, Silent("CHALLENGE_INVALID"))];
const CURRENT: Field = ("current_password", Named("CURRENT_PASSWORD_WRONG"), Named("CURRENT_PASSWORD_WRONG"));

const CASES: &[Case] = &[
    Case {
        path: "/countersign.v1.AccountService/Register",
        valid: &[EMAIL, ("password", NEW)],
        fields: &[
            ("email", INVALID, INVALID),
            ("password", Named("PASSWORD_REJECTED"), Named("PASSWORD_REJECTED")),
            ("username", INVALID, INVALID),
            ("display_name", INVALID, INVALID),
            ("locale", INVALID, INVALID),
            CAPTCHA,
            REQUEST_ID,
        ],
    },
    Case {
        path: "/countersign.v1.AccountService/Verify",
        valid: &[EMAIL, CODE],
        fields: &[
            ("email", INVALID, INVALID),
            ("code", Silent("CODE_INVALID"), Silent("CODE_INVALID")),
            ("token", INVALID, Silent("LINK_INVALID")),
            REQUEST_ID,
        ],
    },
    Case {
        path: "/countersign.v1.AccountService/ResendVerification",
        valid: &[EMAIL],
        fields: &[("email", INVALID, INVALID), CAPTCHA, REQUEST_ID],
    },
    Case {
        path: "/countersign.v1.AccountService/RequestReset",
        valid: &[EMAIL],
        fields: &[("email", INVALID, INVALID), CAPTCHA, REQUEST_ID],
    },
    Case {
        path: "/countersign.v1.AccountService/Reset",
        valid: &[EMAIL, CODE, ("new_password", NEW)],
        fields: &[
            ("email", INVALID, INVALID),
            ("code", Silent("CODE_INVALID"), Silent("CODE_INVALID")),
            ("token", INVALID, Silent("LINK_INVALID")),
            // Checked before the code, which is then not spent.
            ("new_password", Named("PASSWORD_REJECTED"), Named("PASSWORD_REJECTED")),
            // A token that was never issued counts as a new device, and the code is checked.
            ("device_token", INVALID, Silent("CODE_INVALID")),
            REQUEST_ID,
        ],
    },
    Case {
        path: "/countersign.v1.AccountService/ChangePassword",
        valid: &[("current_password", PASSWORD), ("new_password", NEW)],
        fields: &[CURRENT, ("new_password", Named("PASSWORD_REJECTED"), Named("PASSWORD_REJECTED")), REQUEST_ID],
    },
    Case {
        path: "/countersign.v1.AccountService/RequestEmailChange",
        valid: &[("new_email", "eve@example.org"), ("current_password", PASSWORD)],
        fields: &[("new_email", INVALID, INVALID), CURRENT, REQUEST_ID],
    },
    Case {
        path: "/countersign.v1.AccountService/ConfirmEmailChange",
        valid: &[EMAIL, CODE],
        fields: &[
            ("email", INVALID, INVALID),
            ("code", Silent("CODE_INVALID"), Silent("CODE_INVALID")),
            ("token", INVALID, Silent("LINK_INVALID")),
            REQUEST_ID,
        ],
    },
    Case { path: "/countersign.v1.AccountService/DeleteMe", valid: &[], fields: &[CURRENT] },
    Case {
        path: "/countersign.v1.AuthService/Login",
        valid: &[("identifier", "ada@example.org"), ("password", PASSWORD)],
        fields: &[
            ("identifier", Silent("CREDENTIALS_INVALID"), Silent("CREDENTIALS_INVALID")),
            ("password", Silent("CREDENTIALS_INVALID"), Silent("CREDENTIALS_INVALID")),
            ("audience", INVALID, INVALID),
            CAPTCHA,
            ("device_name", INVALID, INVALID),
            ("device_token", INVALID, Taken),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/Refresh",
        valid: &[],
        fields: &[
            ("refresh_token", Silent("TOKEN_INVALID"), Silent("TOKEN_INVALID")),
            ("device_token", INVALID, Silent("TOKEN_MISSING")),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/Reauthenticate",
        valid: &[("password", PASSWORD)],
        fields: &[
            ("password", Named("CURRENT_PASSWORD_WRONG"), Named("CURRENT_PASSWORD_WRONG")),
            ("totp_code", INVALID, INVALID),
            ("backup_code", INVALID, INVALID),
            ("passkey_credential_json", INVALID, INVALID),
            // It belongs to a passkey, and is read with one.
            ("challenge_token", INVALID, Taken),
            ("device_token", INVALID, Taken),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/CompleteLogin",
        valid: &[("challenge_token", "x"), ("totp_code", "123456")],
        fields: &[
            ("challenge_token", INVALID, Silent("CHALLENGE_INVALID")),
            ("totp_code", INVALID, INVALID),
            ("backup_code", INVALID, INVALID),
            ("passkey_credential_json", INVALID, INVALID),
            ("email_code", INVALID, INVALID),
            ("device_token", INVALID, Silent("CHALLENGE_INVALID")),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/StartPasskeyLogin",
        valid: &[],
        fields: &[("audience", INVALID, INVALID), ("device_name", INVALID, INVALID)],
    },
    Case {
        path: "/countersign.v1.FactorService/StartPasskey",
        valid: &[],
        fields: &[("name", INVALID, INVALID), CHALLENGE],
    },
    Case {
        path: "/countersign.v1.FactorService/FinishPasskey",
        valid: &[("factor_id", FACTOR), ("passkey_credential_json", REGISTRATION)],
        fields: &[("factor_id", INVALID, INVALID), ("passkey_credential_json", INVALID, INVALID), CHALLENGE],
    },
    Case {
        path: "/countersign.v1.FactorService/StartTotp",
        valid: &[("name", "Phone")],
        fields: &[("name", INVALID, INVALID), CHALLENGE],
    },
    Case {
        path: "/countersign.v1.FactorService/ConfirmTotp",
        valid: &[("factor_id", FACTOR), ("code", "123456")],
        fields: &[("factor_id", INVALID, INVALID), ("code", INVALID, INVALID), CHALLENGE],
    },
    Case { path: "/countersign.v1.FactorService/StartTotp", valid: &[("challenge_token", "x")], fields: DEVICE },
    Case { path: "/countersign.v1.FactorService/ConfirmTotp", valid: &[("challenge_token", "x")], fields: DEVICE },
    Case { path: "/countersign.v1.FactorService/StartPasskey", valid: &[("challenge_token", "x")], fields: DEVICE },
    Case { path: "/countersign.v1.FactorService/FinishPasskey", valid: &[("challenge_token", "x")], fields: DEVICE },
    Case {
        path: "/countersign.v1.FactorService/RenameFactor",
        valid: &[("factor_id", FACTOR), ("name", "Phone")],
        fields: &[("factor_id", INVALID, INVALID), ("name", INVALID, INVALID)],
    },
    Case { path: "/countersign.v1.FactorService/ForgetDevice", valid: &[], fields: &[("device_id", INVALID, INVALID)] },
    Case {
        path: "/countersign.v1.FactorService/RemoveFactor",
        valid: &[("factor_id", FACTOR)],
        fields: &[
            ("factor_id", INVALID, INVALID),
            ("new_password", Named("PASSWORD_REJECTED"), Named("PASSWORD_REJECTED")),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/Logout",
        valid: &[],
        fields: &[
            ("refresh_token", Silent("TOKEN_INVALID"), Silent("TOKEN_INVALID")),
            ("cancel_token", Silent("TOKEN_INVALID"), Silent("TOKEN_INVALID")),
        ],
    },
    Case {
        path: "/countersign.v1.AuthService/IssueServiceToken",
        valid: &[],
        fields: &[
            ("client_id", Silent("CREDENTIALS_INVALID"), Silent("CREDENTIALS_INVALID")),
            ("client_secret", Silent("CREDENTIALS_INVALID"), Silent("CREDENTIALS_INVALID")),
            ("audience", INVALID, INVALID),
        ],
    },
    Case {
        path: "/countersign.v1.VerificationService/GetVerificationKeys",
        valid: &[],
        fields: &[("audience", INVALID, INVALID)],
    },
    Case {
        path: "/countersign.v1.VerificationService/WatchRevocations",
        valid: &[],
        fields: &[("cursor", INVALID, INVALID)],
    },
    Case {
        path: "/countersign.v1.VerificationService/Introspect",
        valid: &[],
        // Reported as not active, without a reason.
        fields: &[("token", Taken, Taken)],
    },
    Case {
        path: "/countersign.v1.SessionService/ListSessions",
        valid: &[],
        fields: &[("page_token", INVALID, INVALID)],
    },
    Case {
        path: "/countersign.v1.SessionService/RevokeSession",
        valid: &[],
        fields: &[("session_id", INVALID, INVALID)],
    },
    Case { path: "/countersign.v1.DevMailboxService/List", valid: &[], fields: &[("recipient", INVALID, INVALID)] },
    Case {
        path: "/countersign.v1.DevMailboxService/WaitFor",
        // With a timeout of zero, see `encode`.
        valid: &[("recipient", "bob@example.org")],
        fields: &[
            ("recipient", INVALID, INVALID),
            ("subject_contains", Silent("MAIL_NOT_FOUND"), Silent("MAIL_NOT_FOUND")),
            ("after_mail_id", Silent("MAIL_NOT_FOUND"), Silent("MAIL_NOT_FOUND")),
        ],
    },
];

/// A message with these texts.
pub(super) fn encode(known: &Rpc, texts: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in texts {
        let number = u32::try_from(known.field(name)).unwrap();
        prost::encoding::string::encode(number, &(*value).to_owned(), &mut bytes);
    }
    if known.path.ends_with("WaitFor") {
        bytes.extend([4 << 3 | 2, 0]);
    }
    bytes
}

/// The valid call with one field replaced; a token replaces the address and the code.
fn with<'a>(case: &'a Case, field: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let excluded = |name: &str| name == field || (field == "token" && matches!(name, "email" | "code"));
    let kept = case.valid.iter().copied().filter(|(name, _)| !excluded(name));
    kept.chain([(field, value)]).collect()
}

fn compare(status: &Status, outcome: Outcome, what: &str, field: &str) {
    let violations = details(status).bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let named: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    match outcome {
        Named(expected) => {
            assert_eq!((reason(status).as_str(), named), (expected, vec![field]), "{what}");
            assert!(violations.iter().all(|violation| !violation.description.is_empty()), "{what}: {violations:?}");
        }
        Silent(expected) => assert_eq!((reason(status).as_str(), named.len()), (expected, 0), "{what}"),
        Taken => assert_eq!(status.code(), Code::Ok, "{what}: {status:?}"),
    }
    let told = format!("{} {}", status.message(), String::from_utf8_lossy(status.details()));
    assert!(!told.contains(CANARY), "{what}: what was sent is told back: {told}");
}

/// Logs in again for each try: some tries spend those of the session.
pub(super) async fn try_signed_in(app: &App, callers: &mut Callers, message: &[u8], path: &str) -> Status {
    let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
    callers.person = session.access_token;
    let authorization = callers.authorization(path);
    rpc(app.address, with_header(call(path, message), "authorization", authorization.as_bytes())).await
}

#[test]
fn a_text_that_a_field_cannot_hold_is_refused_by_the_name_of_the_field_and_never_repeated() {
    on_sqlite(async |app| {
        Person::register(app, "ada@example.org").await;
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let mut callers = Callers::with(app, &session).await;
        let (long, control) = (CANARY.repeat(300), format!("{CANARY}\u{1}\r\n\u{202e}{CANARY}"));
        let rpcs = own_rpcs(app).await;
        for case in CASES {
            let known = rpcs.iter().find(|rpc| rpc.path == case.path).unwrap();
            for (field, when_long, with_control) in case.fields {
                for (value, outcome) in [(&long, *when_long), (&control, *with_control)] {
                    let message = encode(known, &with(case, field, value));
                    let status = try_signed_in(app, &mut callers, &message, case.path).await;
                    compare(&status, outcome, &format!("{} {field}: {}…", case.path, &value[..12]), field);
                }
            }
        }
        assert!(!app.log.text().contains(CANARY), "what was refused is in the log");
    });
}

#[test]
fn no_text_field_of_any_rpc_is_left_out_of_the_table_above() {
    on_sqlite(async |app| {
        let mut served = BTreeSet::new();
        for rpc in &own_rpcs(app).await {
            served.extend(rpc.texts().map(|(_, name)| format!("{} {name}", rpc.path)));
        }
        // The field counts only with a mask, which is not a text: the test of the profile covers it.
        let beside_a_mask = "/countersign.v1.AccountService/UpdateMe current_password".to_owned();
        let listed: BTreeSet<_> = CASES
            .iter()
            .flat_map(|case| case.fields.iter().map(|(name, ..)| format!("{} {name}", case.path)))
            .chain([beside_a_mask])
            .collect();
        assert_eq!(served, listed);
    });
}

#[test]
fn everything_that_is_wrong_with_a_call_is_said_at_once() {
    on_sqlite(async |app| {
        let form = RegisterRequest {
            email: CANARY.to_owned(),
            username: "a b".to_owned(),
            display_name: "line\nbreak".to_owned(),
            locale: "de_DE".to_owned(),
            request_id: "short".to_owned(),
            ..Default::default()
        };
        let status = app.account().register(form).await.unwrap_err();
        let violations = details(&status).bad_request().unwrap().field_violations.clone();
        let named: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(named, ["email", "password", "username", "display_name", "locale", "request_id"]);
        assert_eq!(reason(&status), "INVALID_FIELD");
        assert_eq!((app.rows("registrations").await, app.rows("outbox").await), (0, 0));
    });
}

fn update(account: Account, paths: &[&str]) -> UpdateMeRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let current_password = crate::support::PASSWORD.to_owned();
    UpdateMeRequest { account: Some(account), update_mask: Some(FieldMask { paths }), current_password }
}

#[test]
fn a_profile_is_read_as_strictly_and_its_fields_are_named_by_their_path() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        for bad in [CANARY.repeat(300), format!("{CANARY}\u{0}")] {
            let account =
                Account { display_name: bad.clone(), locale: bad.clone(), username: bad, ..Default::default() };
            let request = update(account, &["display_name", "locale", "username"]);
            let status = app.account().update_me(person.asks(request)).await.unwrap_err();
            let violations = details(&status).bad_request().unwrap().field_violations.clone();
            let named: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(named, ["account.display_name", "account.locale", "account.username"]);
            assert!(!String::from_utf8_lossy(status.details()).contains(CANARY), "{violations:?}");
        }
        for paths in
            [&[][..], &[CANARY], &["email"], &["account_id"], &["roles"], &["*", "locale"], &["display_name"; 17]]
        {
            let status = app.account().update_me(person.asks(update(Account::default(), paths))).await.unwrap_err();
            let violations = details(&status).bad_request().unwrap().field_violations.clone();
            assert_eq!((reason(&status).as_str(), violations[0].field.as_str()), ("INVALID_FIELD", "update_mask"));
            assert!(!String::from_utf8_lossy(status.details()).contains(CANARY), "{violations:?}");
        }
        for current_password in [CANARY.repeat(300), format!("{CANARY}\u{0}")] {
            let named = update(Account { username: "ada".to_owned(), ..Default::default() }, &["username"]);
            let request = UpdateMeRequest { current_password, ..named };
            let status = app.account().update_me(person.asks(request)).await.unwrap_err();
            compare(&status, Named("CURRENT_PASSWORD_WRONG"), "UpdateMe", "current_password");
        }
        let nothing = app.account().update_me(person.asks(UpdateMeRequest::default())).await.unwrap_err();
        assert_eq!(reason(&nothing), "INVALID_FIELD");
    });
}

#[test]
fn a_page_that_is_too_large_is_the_largest_there_is_and_a_negative_one_is_refused() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        for page_size in [-1, i32::MIN] {
            let request = ListSessionsRequest { page_size, ..Default::default() };
            let status = app.sessions().list_sessions(person.asks(request)).await.unwrap_err();
            compare(&status, INVALID, &format!("{page_size}"), "page_size");
            let request = ListRequest { page_size, ..Default::default() };
            compare(&app.dev_mailbox().list(request).await.unwrap_err(), INVALID, &format!("{page_size}"), "page_size");
        }
        for page_size in [0, 1, 100, 101, 1_000, i32::MAX] {
            let request = ListSessionsRequest { page_size, ..Default::default() };
            app.sessions().list_sessions(person.asks(request)).await.unwrap();
            app.dev_mailbox().list(ListRequest { page_size, ..Default::default() }).await.unwrap();
        }
    });
}
