//! Every RPC reads the texts that people type and paste in the same way.

use super::fields::{encode, try_signed_in};
use crate::support::{App, Callers, MailText as _, PASSWORD, Person, Proof, Purpose, Rpc, on_sqlite, own_rpcs, reason};
use countersign::grpc::wire::proto::*;
use std::collections::BTreeSet;
use tonic::Code;

/// A kind of text; one function in `crates/domain` reads each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Address,
    Code,
    Token,
    Username,
    Name,
}
use Kind::{Address, Name, Username};

/// A method, a text field, the kind of the text, and the other texts of a call.
type Typed = (&'static str, &'static str, Kind, &'static [(&'static str, &'static str)]);

/// Every text of these kinds in a request, and the other texts of a call whose answer depends on it.
const TYPED: &[Typed] = &[
    ("AccountService/Register", "email", Address, &[("password", NEW)]),
    ("AccountService/Register", "username", Username, &[("email", "eve@example.org"), ("password", NEW)]),
    ("AccountService/Register", "display_name", Name, &[("email", "eve@example.org"), ("password", NEW)]),
    ("AccountService/Verify", "email", Address, &[("code", "12345678")]),
    ("AccountService/Verify", "code", Kind::Code, &[]),
    ("AccountService/Verify", "token", Kind::Token, &[]),
    ("AccountService/ResendVerification", "email", Address, &[]),
    ("AccountService/RequestReset", "email", Address, &[]),
    ("AccountService/Reset", "email", Address, &[("code", "12345678"), ("new_password", NEW)]),
    ("AccountService/Reset", "code", Kind::Code, &[]),
    ("AccountService/Reset", "token", Kind::Token, &[]),
    ("AccountService/RequestEmailChange", "new_email", Address, &[("current_password", PASSWORD)]),
    ("AccountService/ConfirmEmailChange", "email", Address, &[("code", "12345678")]),
    ("AccountService/ConfirmEmailChange", "code", Kind::Code, &[]),
    ("AccountService/ConfirmEmailChange", "token", Kind::Token, &[]),
    ("AuthService/Login", "identifier", Address, &[("password", PASSWORD)]),
    ("AuthService/Login", "device_name", Name, &[("identifier", "ada@example.org"), ("password", PASSWORD)]),
    ("AuthService/StartPasskeyLogin", "device_name", Name, &[]),
    ("FactorService/ConfirmTotp", "code", Kind::Code, &[]),
    ("DevMailboxService/List", "recipient", Address, &[]),
    ("DevMailboxService/WaitFor", "recipient", Address, &[]),
];
const NEW: &str = "nine purple otters at dawn";

impl Kind {
    /// The canonical text, and the ways in which people write it.
    fn written(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Address => (
                "ada@example.org",
                &[
                    " ada@example.org ",
                    "ada@example.org\u{A0}",
                    "\tada@example.org\r\n",
                    "\u{FEFF}ada@example.org\u{200B}",
                    "ada@example.org\u{3000}",
                    "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
                ],
            ),
            Username => ("hopper", &[" hopper\t", "hopper\u{A0}", "\u{200B}hopper", "Ｈｏｐｐｅｒ"]),
            Name => ("Ada L.", &[" Ada L.\t", "Ada L.\u{A0}", "\u{FEFF}Ada L.\u{200B}"]),
            Kind::Code | Kind::Token => panic!("these are used up"),
        }
    }
}

async fn answer(app: &App, callers: &mut Callers, rpcs: &[Rpc], method: &str, texts: &[(&str, &str)]) -> String {
    let path = format!("/countersign.v1.{method}");
    let known = rpcs.iter().find(|rpc| rpc.path == path).unwrap();
    let status = try_signed_in(app, callers, &encode(known, texts), &path).await;
    if status.code() == Code::Ok { "OK".to_owned() } else { reason(&status) }
}

#[test]
fn a_text_is_answered_alike_however_it_is_written_and_whichever_rpc_takes_it() {
    on_sqlite(async |app| {
        Person::register(app, "ada@example.org").await;
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let mut callers = Callers::with(app, &session).await;
        let rpcs = own_rpcs(app).await;
        for (method, field, kind, others) in TYPED {
            if matches!(kind, Kind::Code | Kind::Token) {
                continue;
            }
            let (plain, ways) = kind.written();
            // An account cannot move to its own address.
            let other =
                |text: &str| if *field == "new_email" { text.replace(['d', 'ｄ'], "v") } else { text.to_owned() };
            let ask = async |callers: &mut Callers, text: &str| {
                let text = other(text);
                answer(app, callers, &rpcs, method, &[*others, &[(*field, text.as_str())]].concat()).await
            };
            let expected = ask(&mut callers, plain).await;
            assert_ne!(expected, "INVALID_FIELD", "{method} {field}");
            for way in ways {
                assert_eq!(ask(&mut callers, way).await, expected, "{method} {field} {way:?}");
            }
        }
    });
}

#[test]
fn every_code_is_read_however_it_is_typed() {
    on_sqlite(async |app| {
        let full_width =
            |c: char| c.to_digit(10).and_then(|digit| char::from_u32(0xFF10 + digit)).unwrap_or('\u{3000}');
        let arabic = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit)).unwrap_or(' ');
        let ways: [&dyn Fn(&str) -> String; 6] = [
            &|code| code.replace(' ', "\u{A0}"),
            &|code| code.replace(' ', "\t"),
            &|code| format!("\u{FEFF}{code}\r\n"),
            &|code| code.replace(' ', "–"),
            &|code| code.chars().map(full_width).collect(),
            &|code| code.chars().map(arabic).collect(),
        ];
        for purpose in Purpose::ALL {
            for (number, way) in ways.iter().enumerate() {
                let mail = purpose.mail(app, &format!("{purpose:?}{number}@example.org")).await;
                let proof = Proof::Code { email: mail.to.clone(), code: way(&mail.typed_code()) };
                purpose.claim(app, &proof, NEW, "").await.unwrap_or_else(|status| panic!("{proof:?}: {status:?}"));
            }
        }
    });
}

#[test]
fn every_link_is_read_whatever_a_gateway_or_a_paste_made_of_it() {
    on_sqlite(async |app| {
        let ways = [
            " {}\u{A0}",
            "https://id.example.org/verify#token={}",
            "<https://id.example.org/verify#token={}>.",
            "https://id.example.org/verify#token={}&utm_source=mail",
            "https://id.example.org/verify%23token%3D{}",
            "Please open https://id.example.org/verify/#token=3D{} now",
        ];
        for purpose in Purpose::ALL {
            for (number, way) in ways.iter().enumerate() {
                let mail = purpose.mail(app, &format!("{purpose:?}{number}@example.org")).await;
                let proof = Proof::Link(way.replace("{}", &mail.link_token()));
                purpose.claim(app, &proof, NEW, "").await.unwrap_or_else(|status| panic!("{proof:?}: {status:?}"));
            }
        }
    });
}

#[test]
fn the_user_name_of_a_profile_and_of_a_login_is_read_as_that_of_a_sign_up() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let (plain, ways) = Username.written();
        for way in ways {
            let account = Account { username: (*way).to_owned(), ..Default::default() };
            let update_mask = Some(prost_types::FieldMask { paths: vec!["username".to_owned()] });
            let form = UpdateMeRequest { account: Some(account), update_mask, current_password: PASSWORD.to_owned() };
            let changed = app.account().update_me(person.asks(form)).await.unwrap().into_inner().account.unwrap();
            assert_eq!(changed.username.to_lowercase(), plain, "{way:?}");
            app.log_in(way, PASSWORD).await.unwrap();
        }
    });
}

#[test]
fn no_text_that_people_type_is_left_out_of_the_table_above() {
    on_sqlite(async |app| {
        const NAMES: [&str; 9] = [
            "email",
            "new_email",
            "recipient",
            "identifier",
            "code",
            "token",
            "username",
            "display_name",
            "device_name",
        ];
        let mut served = BTreeSet::new();
        for rpc in own_rpcs(app).await {
            let texts: Vec<_> = rpc.texts().map(|(_, name)| name.to_owned()).collect();
            let method = rpc.path.trim_start_matches("/countersign.v1.");
            // A backend does not type the token that it introspects.
            let typed = texts
                .iter()
                .filter(|name| NAMES.contains(&name.as_str()) && method != "VerificationService/Introspect");
            served.extend(typed.map(|name| format!("{method} {name}")));
        }
        let listed: BTreeSet<_> = TYPED.iter().map(|(method, field, ..)| format!("{method} {field}")).collect();
        assert_eq!(served, listed);
    });
}
