//! What went wrong with a sending, and whether trying again can help.

use mail_send::Error;
use std::fmt;

/// Characters of a server's words that are kept, at most.
const MAX_REPLY_CHARACTERS: usize = 160;

/// A word with this many digits in a row may be a code, and a word this long may be a token.
const CODE_LIKE_DIGITS: usize = 4;
const TOKEN_LIKE_CHARACTERS: usize = 30;

/// What follows from a failed sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFaultKind {
    /// Trying again later can help.
    Transient,
    /// This mail will never be taken.
    Permanent,
    /// No mail will be taken until an operator changes something: keep the mail and raise an alarm.
    Configuration,
}

/// A sending that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendFault {
    /// What follows from it.
    pub kind: SendFaultKind,
    /// For logs: a reply code and short words, never credentials, addresses or anything out of the mail.
    pub detail: String,
}

impl SendFault {
    pub(super) fn transient(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Transient, detail: detail.into() }
    }

    pub(super) fn permanent(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Permanent, detail: detail.into() }
    }

    pub(super) fn configuration(detail: impl Into<String>) -> Self {
        Self { kind: SendFaultKind::Configuration, detail: detail.into() }
    }
}

impl fmt::Display for SendFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for SendFault {}

/// How far a conversation had come. A refusal before the envelope is about us, a later one about the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Hello,
    Login,
    Envelope,
    Content,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Hello => "greeting",
            Self::Login => "login",
            Self::Envelope => "envelope",
            Self::Content => "content",
        }
    }

    /// What an error of the library means at this stage.
    pub(super) fn fault(self, error: Error) -> SendFault {
        let stage = self.name();
        match error {
            Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) => {
                self.refusal(reply.code, reply.esc, &reply.message)
            }
            // An I/O error's own text may come from anywhere below; its kind says enough.
            Error::Io(error) => SendFault::transient(format!("{stage}: {}", error.kind())),
            Error::Timeout => SendFault::transient(format!("{stage}: no answer in time")),
            Error::UnparseableReply => SendFault::transient(format!("{stage}: the answer was not SMTP, or none came")),
            Error::Tls(error) => SendFault::configuration(format!("TLS: {}", spoken(&error.to_string()))),
            Error::InvalidTLSName => SendFault::configuration("TLS: the host is not a name a certificate can have"),
            Error::MissingStartTls => SendFault::configuration("TLS: the server offers no STARTTLS"),
            Error::UnsupportedAuthMechanism | Error::MissingCredentials | Error::Auth(_) | Error::Base64(_) => {
                SendFault::configuration("login: the server offers no way to log in that is known here")
            }
            Error::MissingMailFrom | Error::MissingRcptTo => SendFault::permanent("envelope: an address is missing"),
        }
    }

    fn refusal(self, code: u16, enhanced: [u8; 3], words: &str) -> SendFault {
        let kind = match code {
            400..=499 => SendFaultKind::Transient,
            // RFC 4954 section 6 and RFC 3207 section 4: the server wants a login or encryption first.
            530 | 534 | 535 | 538 => SendFaultKind::Configuration,
            500..=599 if matches!(self, Self::Hello | Self::Login) => SendFaultKind::Configuration,
            500..=599 => SendFaultKind::Permanent,
            _ => SendFaultKind::Transient,
        };
        let mut detail = format!("{}: {code}", self.name());
        if enhanced != [0; 3] {
            let [class, subject, detail_code] = enhanced;
            detail.push_str(&format!(" {class}.{subject}.{detail_code}"));
        }
        // A server may quote the line it did not like, and at this stage the line has the password in it.
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

/// A stranger's words, made fit for a log: one line, short, ASCII, and without any word that could be an address, a
/// link, a code or a token out of the mail it quotes.
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
    fn what_follows_from_a_code_depends_on_how_far_the_conversation_was() {
        for (stage, code, kind) in [
            (Stage::Hello, 421, SendFaultKind::Transient),
            (Stage::Hello, 554, SendFaultKind::Configuration),
            (Stage::Login, 454, SendFaultKind::Transient),
            (Stage::Login, 535, SendFaultKind::Configuration),
            (Stage::Envelope, 450, SendFaultKind::Transient),
            (Stage::Envelope, 530, SendFaultKind::Configuration),
            (Stage::Envelope, 550, SendFaultKind::Permanent),
            (Stage::Content, 452, SendFaultKind::Transient),
            (Stage::Content, 554, SendFaultKind::Permanent),
            (Stage::Content, 250, SendFaultKind::Transient),
        ] {
            assert_eq!(stage.refusal(code, [0; 3], "").kind, kind, "{stage:?} {code}");
        }
        assert_eq!(Stage::Envelope.refusal(550, [5, 1, 1], "No such user").detail, "envelope: 550 5.1.1 No such user");
        assert_eq!(Stage::Login.refusal(535, [0; 3], "bad AGFkYQBjYW5hcnk=").detail, "login: 535");
    }
}
