//! Why sending failed, and whether another attempt can succeed.

use mail_send::Error;
use std::fmt;

/// Most characters of a server's reply that are kept.
const MAX_REPLY_CHARACTERS: usize = 160;

/// A word with this many digits in a row may be a code, and a word of this length may be a token.
const CODE_LIKE_DIGITS: usize = 4;
const TOKEN_LIKE_CHARACTERS: usize = 30;

/// What a failure concerns. `countersign_domain::mail_server` and the caller decide what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFaultKind {
    /// The server cannot be reached, or refuses this client or its sender before a recipient is named: no mail is
    /// accepted until that is fixed, and no mail is the cause.
    Server,
    /// Refused temporarily (a 4xx reply). This mail waits; others may be accepted in the meantime.
    Transient,
    /// Refused permanently, by a reply that does not show whether this mail or every mail of this service is the cause.
    Doubtful,
    /// This recipient is refused permanently.
    Permanent,
}

/// A failed attempt to send a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFault {
    /// What the failure concerns.
    pub kind: SendFaultKind,
    /// For logs: a reply code and short words, never credentials, addresses or content of the mail.
    pub detail: String,
}

impl SendFault {
    pub(super) fn transient(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Transient, detail: detail.into() }
    }

    pub(super) fn permanent(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Permanent, detail: detail.into() }
    }

    pub(super) fn server(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Server, detail: detail.into() }
    }
}

impl fmt::Display for SendFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for SendFault {}

/// How far an SMTP session has come. A refusal before a recipient is named concerns every mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Hello,
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    Content,
}

impl Stage {
    /// The first word of a fault's detail, by which operators can requeue mails.
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "greeting",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Content => "content",
        }
    }

    /// Classifies an error of the library at this stage.
    pub(super) fn fault(self, error: Error) -> SendFault {
        let stage = self.name();
        let kind = self.silence();
        match error {
            Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => {
                self.refusal(reply.code, reply.esc, &reply.message)
            }
            // The text of an I/O error may contain anything; its kind is enough.
            Error::Io(error) => SendFault { kind, detail: format!("{stage}: {}", error.kind()) },
            Error::Timeout => SendFault { kind, detail: format!("{stage}: no answer in time") },
            Error::UnparseableReply => SendFault { kind, detail: format!("{stage}: no answer, or not an SMTP answer") },
            Error::Tls(error) => SendFault::server(format!("TLS: {}", spoken(&error.to_string()))),
            Error::InvalidTLSName => SendFault::server("TLS: the host name is not valid in a certificate"),
            Error::MissingStartTls => SendFault::server("TLS: the server offers no STARTTLS"),
            Error::UnsupportedAuthMechanism | Error::MissingCredentials => {
                SendFault::server("login: the server offers no supported authentication mechanism")
            }
            Error::Auth(_) | Error::Base64(_) => SendFault::server("login: the server's challenge is invalid"),
            Error::MissingMailFrom | Error::MissingRcptTo => SendFault::permanent("recipient: an address is missing"),
        }
    }

    /// Classifies a missing or unreadable reply at this stage.
    pub(super) fn silence(self) -> SendFaultKind {
        match self {
            Self::Hello | Self::Login | Self::Sender => SendFaultKind::Server,
            // The content may be the cause, so one mail must not stop the others.
            Self::Recipient | Self::Content => SendFaultKind::Transient,
        }
    }

    /// Classifies a negative reply (RFC 5321 section 4.2, RFC 3463).
    pub(super) fn refusal(self, code: u16, enhanced: [u8; 3], words: &str) -> SendFault {
        let kind = match (self, code) {
            (Self::Hello | Self::Login | Self::Sender, _) => SendFaultKind::Server,
            (_, 500..=599) if speaks_of_us(code, enhanced) => SendFaultKind::Transient,
            (Self::Recipient, 500..=599) if speaks_of_recipient(code, enhanced, words) => SendFaultKind::Permanent,
            (_, 500..=599) => SendFaultKind::Doubtful,
            _ => SendFaultKind::Transient,
        };
        let mut detail = format!("{}: {code}", self.name());
        if enhanced != [0; 3] {
            let [class, subject, detail_code] = enhanced;
            detail.push_str(&format!(" {class}.{subject}.{detail_code}"));
        }
        // A server may quote the line that it refuses, and the line of a login contains the password.
        if self != Self::Login {
            let words = spoken(words);
            if !words.is_empty() {
                detail.push(' ');
                detail.push_str(&words);
            }
        }
        SendFault { kind, detail }
    }
}

/// Whether a permanent refusal has a cause that concerns other mails too, or that passes: a missing login or encryption
/// (RFC 4954 section 6, RFC 3207 section 4), the sender's address (X.1.7, X.1.8), the state of a mail system (X.3) or a
/// quota (552, X.2.2, and X.4.5, which providers use for the daily quota of an account).
fn speaks_of_us(code: u16, enhanced: [u8; 3]) -> bool {
    matches!(code, 530 | 534 | 535 | 538 | 552) || matches!(enhanced, [5, 1, 7 | 8] | [5, 2, 2] | [5, 3, _] | [5, 4, 5])
}

/// Whether the reason for a refused `RCPT TO` is this mailbox or its domain. Servers that delay all refusals until this
/// command, as Postfix does by default, refuse the sender and the client here as well: with a policy status (X.7), or
/// in words.
fn speaks_of_recipient(code: u16, enhanced: [u8; 3], words: &str) -> bool {
    const OF_POLICY: [&str; 5] = ["relay", "rcpthosts", "authenticat", "5.7.", "blocked"];
    match enhanced {
        [5, 1 | 2, _] => true,
        [0, 0, 0] => {
            let words = words.to_ascii_lowercase();
            matches!(code, 501 | 550 | 551 | 553 | 555 | 556) && !OF_POLICY.iter().any(|word| words.contains(word))
        }
        _ => false,
    }
}

/// The words of a server's reply, made safe for a log: one line, short, ASCII, and without any word that may be an
/// address, a link, a code or a token of the quoted mail.
fn spoken(words: &str) -> String {
    let mut said = String::new();
    for word in words.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let quotes_the_mail = word.contains('@')
            || word.contains("://")
            || word.chars().count() > TOKEN_LIKE_CHARACTERS
            || word.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= CODE_LIKE_DIGITS);
        if !said.is_empty() {
            said.push(' ');
        }
        match quotes_the_mail {
            true => said.push_str("[...]"),
            false => said.extend(word.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' })),
        }
        if said.len() >= MAX_REPLY_CHARACTERS {
            said.truncate(MAX_REPLY_CHARACTERS);
            break;
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use SendFaultKind::{Doubtful, Permanent, Server, Transient};

    #[test]
    fn a_servers_words_become_one_short_line_without_the_mail() {
        assert_eq!(spoken("No such\r\nuser\u{1b}[31m here"), "No such user [31m here");
        assert_eq!(spoken("<ada@example.org>: unknown"), "[...] unknown");
        assert_eq!(spoken("blocked https://x.example/verify?t=1 or 1234 5678"), "blocked [...] or [...] [...]");
        assert_eq!(spoken("v4.local.abcdefghijklmnopqrstuvwxyz0"), "[...]");
        assert_eq!(spoken("große Grüße"), "gro?e Gr??e");
        assert!(spoken(&"word ".repeat(1000)).len() <= MAX_REPLY_CHARACTERS);
    }

    #[test]
    fn what_is_refused_before_a_recipient_was_named_is_never_the_mails_fault() {
        for stage in [Stage::Hello, Stage::Login, Stage::Sender] {
            for code in [250, 421, 450, 451, 454, 501, 503, 530, 535, 550, 552, 553, 554, 599] {
                for enhanced in [[0; 3], [5, 7, 1], [5, 1, 1], [5, 1, 8]] {
                    assert_eq!(stage.refusal(code, enhanced, "").kind, Server, "{stage:?} {code} {enhanced:?}");
                }
            }
            assert_eq!(stage.silence(), Server);
        }
    }

    #[test]
    fn a_recipient_is_refused_for_good_only_by_words_about_the_recipient() {
        for (code, enhanced, words, kind) in [
            (450, [4, 2, 1], "greylisted", Transient),
            (421, [0; 3], "closing", Transient),
            (550, [5, 1, 1], "No such user", Permanent),
            (550, [0; 3], "unknown", Permanent),
            (556, [5, 1, 10], "null MX", Permanent),
            (551, [0; 3], "moved", Permanent),
            (550, [5, 2, 1], "disabled", Permanent),
            (552, [5, 2, 2], "mailbox full", Transient),
            (550, [5, 2, 2], "mailbox full", Transient),
            (530, [5, 7, 0], "log in first", Transient),
            (553, [5, 1, 8], "bad sender", Transient),
            // Postfix and Exim, about the sender or the client.
            (553, [5, 7, 1], "Sender address rejected: not owned by user", Doubtful),
            (554, [5, 7, 1], "Relay access denied", Doubtful),
            (550, [0; 3], "relay not permitted", Doubtful),
            (550, [0; 3], "Authentication required", Doubtful),
            (553, [0; 3], "not in my list of allowed rcpthosts (#5.7.1)", Doubtful),
            (554, [0; 3], "no", Doubtful),
            (503, [0; 3], "bad sequence", Doubtful),
            (550, [5, 4, 5], "daily quota", Transient),
        ] {
            assert_eq!(Stage::Recipient.refusal(code, enhanced, words).kind, kind, "{code} {enhanced:?} {words}");
        }
    }

    #[test]
    fn a_content_is_refused_with_doubt_and_a_quota_passes() {
        for (code, enhanced, kind) in [
            (452, [4, 3, 1], Transient),
            (552, [0; 3], Transient),
            (552, [5, 2, 2], Transient),
            (554, [5, 3, 4], Transient),
            (550, [5, 4, 5], Transient),
            (554, [5, 7, 1], Doubtful),
            (554, [0; 3], Doubtful),
            (550, [5, 1, 1], Doubtful),
            (250, [0; 3], Transient),
        ] {
            assert_eq!(Stage::Content.refusal(code, enhanced, "").kind, kind, "{code} {enhanced:?}");
        }
    }

    #[test]
    fn a_fault_begins_with_its_stage_and_a_login_shows_no_words() {
        let said = |stage: Stage, code, enhanced, words| stage.refusal(code, enhanced, words).detail;
        assert_eq!(said(Stage::Recipient, 550, [5, 1, 1], "No such user"), "recipient: 550 5.1.1 No such user");
        assert_eq!(said(Stage::Sender, 553, [5, 7, 1], "not owned"), "sender: 553 5.7.1 not owned");
        assert_eq!(said(Stage::Login, 535, [0; 3], "bad AGFkYQBjYW5hcnk="), "login: 535");
    }
}
