//! A value whose setting is not known yet.

use super::super::fault::Reason;
use countersign_domain::secret::SecretText;

/// The longest text of a setting, in bytes. The longest useful one is a private key in PEM (3.2 KiB for RSA 4096).
pub(in super::super) const MAX_TEXT_BYTES: usize = 16 * 1024;

/// A value as it was given. Every text is stored as a secret, because only the setting knows whether it is one.
pub(in super::super) enum Given {
    /// A text in the TOML file.
    Text(SecretText),
    /// A text without a type: an environment variable or the content of a file.
    Untyped(SecretText),
    /// An integer in the TOML file.
    Integer(i64),
    /// `true` or `false` in the TOML file.
    Boolean(bool),
    /// A list of texts in the TOML file.
    List(Vec<SecretText>),
    /// A value that is valid for no setting; the text says why, as in "is a list".
    Unusable(&'static str),
    /// A table without content: `[sessions]` and nothing below.
    EmptyTable,
    /// An environment variable that is not Unicode.
    NotUnicode,
}

impl Given {
    /// One line of text: not empty, no control characters.
    pub(in super::super) fn line(&self) -> Result<&str, Reason> {
        let text = self.text()?;
        one_line(text)
    }

    /// Several lines of text, as in a PEM file: not empty, no control characters but tabs and line breaks.
    pub(in super::super) fn lines(&self) -> Result<&str, Reason> {
        let text = self.text()?;
        match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            None => Ok(text),
            Some(c) => Err(Reason::new(format!("holds the control character U+{:04X}", u32::from(c)))),
        }
    }

    /// The items of a list: a list in the TOML file, otherwise a text with commas.
    pub(in super::super) fn items(&self) -> Result<Vec<&str>, Reason> {
        match self {
            Self::List(items) => items.iter().map(|item| not_endless(item.reveal()).and_then(one_line)).collect(),
            Self::Text(_) => Err(Reason::new("must be a list, as in [\"first\", \"second\"], but is text")),
            _ => Ok(self.line()?.split(',').map(str::trim).collect()),
        }
    }

    fn text(&self) -> Result<&str, Reason> {
        let text = match self {
            Self::Text(text) | Self::Untyped(text) => text.reveal(),
            Self::NotUnicode => return Err(Reason::new("is not Unicode text")),
            other => return Err(Reason::new(format!("must be text in quotes, but {}", other.kind()))),
        };
        if text.is_empty() {
            return Err(Reason::new("is empty; leave the setting out if it should not be set"));
        }
        not_endless(text)
    }

    /// The kind of the value, as the second half of "must be …, but …".
    pub(in super::super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Untyped(_) => "is text",
            Self::Integer(_) => "is a whole number",
            Self::Boolean(_) => "is true or false",
            Self::List(_) => "is a list",
            Self::Unusable(kind) => kind,
            Self::EmptyTable => "is a section",
            Self::NotUnicode => "is not Unicode",
        }
    }
}

fn one_line(text: &str) -> Result<&str, Reason> {
    match text.chars().find(|c| c.is_control()) {
        None => Ok(text),
        Some('\n' | '\r') => Err(Reason::new("must be one line of text, but holds a line break")),
        // NUL would end a path or a host name early in C code; the others are invisible in a terminal.
        Some(c) => Err(Reason::new(format!("holds the control character U+{:04X}", u32::from(c)))),
    }
}

fn not_endless(text: &str) -> Result<&str, Reason> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Reason::new(format!("is {} bytes long, more than {MAX_TEXT_BYTES}", text.len())));
    }
    Ok(text)
}
