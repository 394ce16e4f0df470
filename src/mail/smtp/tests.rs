#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;
use crate::mail::SendFaultKind;
use countersign_domain::{id::MailId, time::Timestamp};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use zeroize::Zeroizing;

const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(200);
const EHLO_REPLY: &str = "250-mail.example.org\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n";

/// The reply of a server to a command: `""` stands for the connection, `"."` for the end of the content. An empty reply
/// sends nothing.
type Script = fn(&str) -> &'static str;

fn willing(command: &str) -> &'static str {
    match command.split(' ').next().unwrap_or_default() {
        "" => "220 mail.example.org\r\n",
        "EHLO" => EHLO_REPLY,
        "AUTH" => "235 welcome\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 2.0.0 ok\r\n",
    }
}

/// Serves one connection on a free port, and returns every line that was received.
async fn server(script: Script) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = runtime::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        let mut heard = Vec::new();
        let mut in_content = false;
        let _ = writer.write_all(script("").as_bytes()).await;
        while let Ok(Some(line)) = lines.next_line().await {
            if !in_content || line == "." {
                let reply = script(&line);
                in_content = reply.starts_with("354");
                let _ = writer.write_all(reply.as_bytes()).await;
            }
            heard.push(line);
        }
        heard
    });
    (port, served)
}

fn transport(url: &str, timeout: Duration) -> SmtpTransport {
    SmtpTransport::new(&SecretText::new(url.into()), "id.example.org", timeout).unwrap()
}

fn mail(to: &str) -> ComposedMail {
    ComposedMail {
        id: MailId::new(Timestamp::from_seconds(1), [7; 10]),
        envelope_from: "no-reply@example.org".into(),
        envelope_to: to.into(),
        needs_smtputf8: !to.is_ascii(),
        bytes: Zeroizing::new(b"Subject: x\r\n\r\nfirst\r\n.dot\r\ncanary\r\n".to_vec()),
    }
}

async fn fault(script: Script, timeout: Duration) -> SendFault {
    let (port, _served) = server(script).await;
    let url = format!("smtp://ada:canary@127.0.0.1:{port}");
    transport(&url, timeout).send(&mail("ada@example.org")).await.unwrap_err()
}

#[tokio::test]
async fn a_mail_arrives_with_exactly_its_envelope() {
    let (port, served) = server(willing).await;
    transport(&format!("smtp://127.0.0.1:{port}"), PATIENT).send(&mail("ada@example.org")).await.unwrap();
    assert_eq!(
        served.await.unwrap(),
        [
            "EHLO id.example.org",
            "MAIL FROM:<no-reply@example.org>",
            "RCPT TO:<ada@example.org>",
            "DATA",
            "Subject: x",
            "",
            "first",
            "..dot",
            "canary",
            "",
            ".",
            "QUIT",
        ]
    );
}

#[tokio::test]
async fn credentials_are_decoded_and_sent_before_the_envelope() {
    let (port, served) = server(willing).await;
    let url = format!("smtp://ada%40example.org:p%3Ass@localhost:{port}");
    transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap();
    // base64 of NUL ada@example.org NUL p:ss (RFC 4616)
    assert_eq!(served.await.unwrap()[1], "AUTH PLAIN AGFkYUBleGFtcGxlLm9yZwBwOnNz");
}

#[tokio::test]
async fn an_address_beyond_ascii_is_announced_or_refused() {
    let (port, served) = server(willing).await;
    transport(&format!("smtp://127.0.0.1:{port}"), PATIENT).send(&mail("ольга@example.org")).await.unwrap();
    assert_eq!(served.await.unwrap()[1], "MAIL FROM:<no-reply@example.org> SMTPUTF8");

    let (port, served) = server(|command| match command.starts_with("EHLO") {
        true => "250 mail.example.org\r\n",
        false => willing(command),
    })
    .await;
    let transport = transport(&format!("smtp://127.0.0.1:{port}"), PATIENT);
    let fault = transport.send(&mail("ольга@example.org")).await.unwrap_err();
    assert_eq!(fault.kind, SendFaultKind::Permanent);
    assert!(!served.await.unwrap().iter().any(|line| line.starts_with("MAIL")));
}

/// What a refusal concerns, by reply and command.
#[tokio::test]
async fn a_refusal_is_charged_to_whom_it_speaks_of() {
    use SendFaultKind::{Doubtful, Permanent, Server, Transient};
    let cases: [(Script, SendFaultKind); 9] = [
        (|command| if command.is_empty() { "421 4.3.2 busy\r\n" } else { willing(command) }, Server),
        (|command| if command.starts_with("MAIL") { "451 later\r\n" } else { willing(command) }, Server),
        (|command| if command.starts_with("MAIL") { "553 5.7.1 not owned\r\n" } else { willing(command) }, Server),
        (|command| if command.starts_with("MAIL") { "550 no\r\n" } else { willing(command) }, Server),
        (|command| if command.starts_with("RCPT") { "450 4.2.1 greylisted\r\n" } else { willing(command) }, Transient),
        (
            |command| if command.starts_with("RCPT") { "550 5.1.1 No such user\r\n" } else { willing(command) },
            Permanent,
        ),
        (|command| if command.starts_with("RCPT") { "554 5.7.1 Relay denied\r\n" } else { willing(command) }, Doubtful),
        (|command| if command == "." { "552 over quota\r\n" } else { willing(command) }, Transient),
        (|command| if command == "." { "554 5.7.1 Looks like spam\r\n" } else { willing(command) }, Doubtful),
    ];
    for (script, kind) in cases {
        let fault = fault(script, PATIENT).await;
        assert_eq!(fault.kind, kind, "{fault}");
    }
    let sender = |command: &str| if command.starts_with("MAIL") { "553 5.7.1 not owned\r\n" } else { willing(command) };
    assert_eq!(fault(sender, PATIENT).await.detail, "sender: 553 5.7.1 not owned");
}

#[tokio::test]
async fn a_sender_that_is_refused_to_a_recipient_beyond_ascii_may_be_taken_with_others() {
    let (port, _served) = server(|command| match command.contains("SMTPUTF8") {
        true => "555 5.5.4 what?\r\n",
        false => willing(command),
    })
    .await;
    let transport = transport(&format!("smtp://127.0.0.1:{port}"), PATIENT);
    let fault = transport.send(&mail("ольга@example.org")).await.unwrap_err();
    assert_eq!(fault.kind, SendFaultKind::Doubtful, "{fault}");
}

#[tokio::test]
async fn a_silent_server_is_a_fault_within_the_limit_and_only_the_content_may_be_why() {
    use SendFaultKind::{Server, Transient};
    let silent: [(Script, SendFaultKind); 5] = [
        (|_| "", Server),
        (|command| if command.starts_with("EHLO") { "" } else { willing(command) }, Server),
        (|command| if command.starts_with("MAIL") { "" } else { willing(command) }, Server),
        (|command| if command.starts_with("RCPT") { "" } else { willing(command) }, Transient),
        (|command| if command == "." { "250-half an ans" } else { willing(command) }, Transient),
    ];
    for (script, kind) in silent {
        let fault = fault(script, IMPATIENT).await;
        assert_eq!(fault.kind, kind, "{fault}");
    }
}

#[tokio::test]
async fn a_probe_goes_as_far_as_the_sender_and_hands_nothing_over() {
    let (port, served) = server(willing).await;
    let probed = transport(&format!("smtp://127.0.0.1:{port}"), PATIENT).probe("no-reply@example.org").await;
    assert_eq!(probed, Ok(()));
    assert_eq!(served.await.unwrap(), ["EHLO id.example.org", "MAIL FROM:<no-reply@example.org>", "QUIT"]);

    let (port, _served) = server(|command| match command.starts_with("MAIL") {
        true => "553 5.7.1 not owned\r\n",
        false => willing(command),
    })
    .await;
    let refused = transport(&format!("smtp://127.0.0.1:{port}"), PATIENT).probe("no-reply@example.org").await;
    assert_eq!(refused, Err(SendFault::server("sender: 553 5.7.1 not owned")));
}

/// The prompts of AUTH LOGIN are not standardized.
#[tokio::test]
async fn a_login_by_prompts_works_whatever_the_prompts_say() {
    let prompts: [Script; 4] = [
        |command| {
            if command == "AUTH LOGIN" { "334 VXNlcm5hbWU6\r\n" } else { prompted(command, "334 UGFzc3dvcmQ6\r\n") }
        },
        |command| if command == "AUTH LOGIN" { "334 \r\n" } else { prompted(command, "334 \r\n") },
        |command| if command == "AUTH LOGIN" { "334 TG9naW4=\r\n" } else { prompted(command, "334 Enter secret!\r\n") },
        |command| if command == "AUTH LOGIN" { "334\r\n" } else { prompted(command, "334\r\n") },
    ];
    for script in prompts {
        let (port, served) = server(script).await;
        let url = format!("smtp://ada:canary@127.0.0.1:{port}");
        transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap();
        assert_eq!(served.await.unwrap()[1..4], ["AUTH LOGIN", "YWRh", "Y2FuYXJ5"]);
    }
}

/// A server that offers only LOGIN, and prompts for the password with `second`.
fn prompted(command: &str, second: &'static str) -> &'static str {
    match command {
        "YWRh" => second,
        "Y2FuYXJ5" => "235 welcome\r\n",
        command if command.starts_with("EHLO") => "250-mail.example.org\r\n250 AUTH LOGIN\r\n",
        command => willing(command),
    }
}

#[tokio::test]
async fn a_mechanism_that_is_not_known_here_is_passed_over_or_named() {
    let (port, served) = server(|command| match command {
        "AUTH CRAM-MD5" => "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n",
        command if command.starts_with("EHLO") => "250-mail.example.org\r\n250 AUTH DIGEST-MD5 CRAM-MD5\r\n",
        command if command.starts_with("dGlt") => "235 welcome\r\n",
        command => willing(command),
    })
    .await;
    let url = format!("smtp://tim:tanstaaftanstaaf@127.0.0.1:{port}");
    transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap();
    // RFC 2195 section 2.
    assert_eq!(served.await.unwrap()[2], "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");

    let digest = |command: &str| match command.starts_with("EHLO") {
        true => "250-mail.example.org\r\n250 AUTH DIGEST-MD5 NTLM\r\n",
        false => willing(command),
    };
    let fault = fault(digest, PATIENT).await;
    assert_eq!(
        fault,
        SendFault::server("login: the server offers NTLM, DIGEST-MD5, and none of PLAIN, CRAM-MD5 and LOGIN")
    );
}

#[tokio::test]
async fn a_mechanism_that_is_refused_gives_way_to_the_next_and_a_refused_password_does_not() {
    let (port, served) = server(|command| match command {
        command if command.starts_with("EHLO") => "250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n",
        command if command.starts_with("AUTH PLAIN") => "504 5.5.4 not that one\r\n",
        "AUTH LOGIN" | "YWRh" => "334 \r\n",
        "Y2FuYXJ5" => "235 welcome\r\n",
        command => willing(command),
    })
    .await;
    let url = format!("smtp://ada:canary@127.0.0.1:{port}");
    transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap();
    assert!(served.await.unwrap().contains(&"AUTH LOGIN".to_owned()));

    let (port, served) = server(|command| match command {
        command if command.starts_with("EHLO") => "250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n",
        command if command.starts_with("AUTH PLAIN") => "535 5.7.8 wrong\r\n",
        command => willing(command),
    })
    .await;
    let url = format!("smtp://ada:canary@127.0.0.1:{port}");
    let fault = transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap_err();
    assert_eq!(fault, SendFault::server("login: 535 5.7.8"));
    assert!(!served.await.unwrap().contains(&"AUTH LOGIN".to_owned()), "a password is guessed once");
}

#[tokio::test]
async fn a_server_that_does_not_say_goodbye_has_accepted_the_mail_all_the_same() {
    let (port, _served) = server(|command| if command == "QUIT" { "" } else { willing(command) }).await;
    let transport = transport(&format!("smtp://127.0.0.1:{port}"), Duration::from_secs(1));
    assert_eq!(transport.send(&mail("ada@example.org")).await, Ok(()));
}

#[tokio::test]
async fn garbage_and_a_closed_port_are_the_servers_trouble() {
    let garbage: [Script; 4] = [
        |_| "HTTP/1.1 400 Bad Request\r\n\r\n",
        |_| "\u{0}\u{1}\u{2}\r\n",
        |command| if command.starts_with("EHLO") { "250-x\r\n999\r\n" } else { willing(command) },
        |command| if command.starts_with("RCPT") { "ok!\r\n" } else { willing(command) },
    ];
    for (at, script) in garbage.into_iter().enumerate() {
        // An unreadable reply to `RCPT TO` may be caused by the recipient.
        let kind = if at < 3 { SendFaultKind::Server } else { SendFaultKind::Transient };
        assert_eq!(fault(script, IMPATIENT).await.kind, kind);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let fault = transport(&format!("smtp://127.0.0.1:{port}"), PATIENT).send(&mail("ada@example.org")).await;
    assert_eq!(fault, Err(SendFault::server("connection: connection refused")));
}

#[tokio::test]
async fn a_refused_login_is_for_the_operator_and_never_shows_the_password() {
    let refused: [Script; 3] = [
        |command| if command.starts_with("AUTH") { "535 5.7.8 AGFkYQBjYW5hcnk= canary\r\n" } else { willing(command) },
        |command| if command.starts_with("EHLO") { "250 no login here\r\n" } else { willing(command) },
        |command| if command.starts_with("MAIL") { "530 5.7.0 Log in first\r\n" } else { willing(command) },
    ];
    for script in refused {
        let fault = fault(script, PATIENT).await;
        assert_eq!(fault.kind, SendFaultKind::Server, "{fault}");
        assert!(!fault.detail.contains("canary") && !fault.detail.contains("AGFk"), "{fault}");
    }
}

#[tokio::test]
async fn a_reply_that_quotes_the_mail_does_not_reach_the_log() {
    let fault = fault(
        |command| match command {
            "." => "554 spam\u{1b}[2J: https://id.example.org/verify#canary for <ada@example.org>, code 1234 5678\r\n",
            other => willing(other),
        },
        PATIENT,
    )
    .await;
    assert_eq!(fault.detail, "content: 554 spam [2J: [...] for [...] code [...] [...]");
}

/// `0.0.0.0` is not loopback by its name, but still reaches the server of this test.
#[tokio::test]
async fn beyond_this_machine_nothing_is_said_before_tls() {
    let (port, served) = server(willing).await;
    let url = format!("smtp://ada:canary@0.0.0.0:{port}");
    let fault = transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap_err();
    assert_eq!(fault, SendFault::server("TLS: the server offers no STARTTLS"));
    assert_eq!(served.await.unwrap(), ["EHLO id.example.org"]);

    // A server that offers TLS but continues unencrypted.
    let (port, served) = server(|command| match command.split(' ').next().unwrap_or_default() {
        "EHLO" => "250-mail.example.org\r\n250 STARTTLS\r\n",
        "STARTTLS" => "220 go on\r\n250 injected\r\n",
        other => willing(other),
    })
    .await;
    let url = format!("smtp://ada:canary@0.0.0.0:{port}");
    let fault = transport(&url, IMPATIENT).send(&mail("ada@example.org")).await.unwrap_err();
    assert_eq!(fault.kind, SendFaultKind::Server, "{fault}");
    let heard = served.await.unwrap();
    assert_eq!(heard[..2], ["EHLO id.example.org", "STARTTLS"]);
    assert!(!heard.iter().any(|line| line.contains("AUTH") || line.contains("MAIL")));
}

#[tokio::test]
async fn implicit_tls_does_not_fall_back_to_plain() {
    let (port, served) = server(willing).await;
    let url = format!("smtps://ada:canary@127.0.0.1:{port}");
    let fault = transport(&url, PATIENT).send(&mail("ada@example.org")).await.unwrap_err();
    assert_eq!(fault.kind, SendFaultKind::Server, "{fault}");
    assert!(!served.await.unwrap_or_default().iter().any(|line| line.contains("AUTH") || line.contains("MAIL")));
}

#[test]
fn the_url_decides_port_and_protection() {
    for (url, host, port, security) in [
        ("smtp://mail.example.org", "mail.example.org", 587, Security::StartTls),
        ("smtp://mail.example.org:2525/", "mail.example.org", 2525, Security::StartTls),
        ("smtps://mail.example.org", "mail.example.org", 465, Security::Implicit),
        ("smtps://localhost", "localhost", 465, Security::Implicit),
        ("smtp://LOCALHOST:1025", "localhost", 1025, Security::LoopbackOnly),
        ("smtp://127.1.2.3:1025", "127.1.2.3", 1025, Security::LoopbackOnly),
        ("smtp://[::1]:1025", "::1", 1025, Security::LoopbackOnly),
        ("smtp://localhost.example.org", "localhost.example.org", 587, Security::StartTls),
        ("smtp://10.0.0.1", "10.0.0.1", 587, Security::StartTls),
        ("smtp://bücher.example", "xn--bcher-kva.example", 587, Security::StartTls),
    ] {
        let transport = transport(url, PATIENT);
        assert_eq!((transport.host.as_str(), transport.port, transport.security), (host, port, security), "{url}");
    }
}

#[test]
fn urls_and_names_that_cannot_be_used_are_refused_without_being_shown() {
    for (url, helo, fault) in [
        ("canary", "x", InvalidSmtp::Malformed),
        ("https://canary", "x", InvalidSmtp::Scheme),
        ("smtp://", "x", InvalidSmtp::Malformed),
        ("smtp://host/canary", "x", InvalidSmtp::Malformed),
        ("smtp://host?tls=off", "x", InvalidSmtp::Malformed),
        ("smtp://canary@host", "x", InvalidSmtp::Credentials),
        ("smtp://:canary@host", "x", InvalidSmtp::Credentials),
        ("smtp://user:can%ary@host", "x", InvalidSmtp::Credentials),
        ("smtp://user:canary%0d%0aRCPT@host", "x", InvalidSmtp::Credentials),
        ("smtp://user:%ff@host", "x", InvalidSmtp::Credentials),
        ("smtp://host", "x\r\nRCPT TO:<eve@example.org>", InvalidSmtp::Helo),
        ("smtp://host", "", InvalidSmtp::Helo),
    ] {
        let refused = SmtpTransport::new(&SecretText::new(url.into()), helo, PATIENT).unwrap_err();
        assert_eq!(refused, fault, "{url}");
        assert!(!refused.to_string().contains("canary"));
    }
}

#[test]
fn debug_shows_neither_user_nor_password() {
    let shown = format!("{:?}", transport("smtp://ada:canary@localhost", PATIENT));
    assert!(shown.contains("localhost") && !shown.contains("ada") && !shown.contains("canary"), "{shown}");
}
