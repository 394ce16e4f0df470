//! Reading: every field of a request is parsed before it is used.

use super::proto;
use crate::{
    store::account::ProfileChange,
    usecase::{action::ClaimProof, authentication::NamedAccount},
};
use countersign_domain::{
    account::Identifier,
    action::{self, ActionCode},
    audience::is_audience_name,
    captcha::is_captcha_token,
    display_name::{DisplayName, InvalidDisplayName},
    email::{EmailAddress, InvalidEmail},
    id::SessionId,
    locale::Locale,
    refusal::{Refusal, Violations},
    request_id::RequestId,
    revocation::FeedCursor,
    secret::SecretText,
    username::{InvalidUsername, Username},
};

/// Reads the fields of a message and collects their violations.
#[derive(Debug, Default)]
pub(in crate::grpc) struct Fields(pub(super) Violations);

/// The most bytes in a device token; more than any of ours has.
const MAX_TOKEN_BYTES: usize = 1_024;
/// The most bytes in a challenge token; more than any of ours has.
const MAX_CHALLENGE_TOKEN_BYTES: usize = 2_048;
/// The most bytes in a login identifier. A longer one belongs to no account and is not read.
const MAX_IDENTIFIER_BYTES: usize = 512;
const MAX_PAGE: i32 = 100;

impl Fields {
    pub(in crate::grpc) fn note(&mut self, field: &'static str, description: &'static str) {
        self.0.note(field, description);
    }

    /// The values, if there is no violation.
    pub(in crate::grpc) fn done<T>(self, values: Option<T>) -> Result<T, Refusal> {
        self.0.unless_any(values)
    }

    pub(in crate::grpc) fn username(&mut self, field: &'static str, text: &str) -> Option<Username> {
        self.0.check(field, Username::parse(text), InvalidUsername::describe)
    }
}

/// An address for a new account or a change, checked by the strict rules.
pub(in crate::grpc) fn email(fields: &mut Fields, field: &'static str, text: &str) -> Option<EmailAddress> {
    fields.0.check(field, EmailAddress::parse(text), InvalidEmail::describe)
}

/// An address by which an account is looked up.
pub(in crate::grpc) fn known_email(fields: &mut Fields, field: &'static str, text: &str) -> Option<EmailAddress> {
    fields.0.check(field, EmailAddress::parse_known(text), InvalidEmail::describe)
}

pub(in crate::grpc) fn display_name(fields: &mut Fields, field: &'static str, text: &str) -> Option<DisplayName> {
    fields.0.check(field, DisplayName::parse(text), InvalidDisplayName::describe)
}

pub(in crate::grpc) fn locale(fields: &mut Fields, field: &'static str, tag: &str) -> Option<Locale> {
    let locale = Locale::lookup(tag);
    if locale.is_none() {
        fields.note(field, "is not a language tag such as `de-AT`");
    }
    locale
}

/// A password, which must not be empty. The password policy checks it later.
pub(in crate::grpc) fn password(fields: &mut Fields, field: &'static str, text: String) -> Option<SecretText> {
    let secret = SecretText::new(text);
    if secret.is_empty() {
        fields.note(field, "is missing");
        return None;
    }
    Some(secret)
}

/// Empty when the caller sent none. A gate decides whether a captcha is required.
pub(in crate::grpc) fn captcha_token(fields: &mut Fields, text: String) -> Option<SecretText> {
    let token = SecretText::new(text);
    if !is_captcha_token(token.reveal()) {
        fields.note("captcha_token", "is too long, or has characters that no captcha token has");
        return None;
    }
    Some(token)
}

/// `Some(None)` when the caller sent none.
pub(in crate::grpc) fn request_id(fields: &mut Fields, text: &str) -> Option<Option<RequestId>> {
    if text.is_empty() {
        return Some(None);
    }
    let id = RequestId::parse(text).ok();
    if id.is_none() {
        fields.note("request_id", "must have 8 to 64 visible ASCII characters");
    }
    id.map(Some)
}

/// An identifier that no account can have is no violation: the form of an error must not reveal whether an account
/// exists.
pub(in crate::grpc) fn identifier(mut text: String) -> NamedAccount {
    if text.len() > MAX_IDENTIFIER_BYTES {
        text.truncate(text.floor_char_boundary(MAX_IDENTIFIER_BYTES));
        return NamedAccount::Nobody(text);
    }
    match Identifier::parse(&text) {
        Ok(identifier) => NamedAccount::Identifier(identifier),
        Err(_) => NamedAccount::Nobody(text),
    }
}

/// `Some(None)` when the caller sent none. A token that the service never issued is no violation: the device is a new
/// one.
pub(in crate::grpc) fn device_token(fields: &mut Fields, text: String) -> Option<Option<SecretText>> {
    if text.len() > MAX_TOKEN_BYTES {
        fields.note("device_token", "is too long");
        return None;
    }
    Some((!text.is_empty()).then(|| SecretText::new(text)))
}

/// `Some(None)` when the caller sent none.
pub(in crate::grpc) fn challenge_token(fields: &mut Fields, text: String) -> Option<Option<SecretText>> {
    if text.len() > MAX_CHALLENGE_TOKEN_BYTES {
        fields.note("challenge_token", "is too long");
        return None;
    }
    Some((!text.is_empty()).then(|| SecretText::new(text)))
}

pub(in crate::grpc) fn session_id(fields: &mut Fields, field: &'static str, text: &str) -> Option<SessionId> {
    let id = text.parse().ok();
    if id.is_none() {
        fields.note(field, "is not a session id");
    }
    id
}

/// The name of an audience; empty for the default one.
pub(in crate::grpc) fn audience(fields: &mut Fields, name: &str) {
    if !name.is_empty() && !is_audience_name(name) {
        fields.note("audience", "is not the name of an audience");
    }
}

/// `Some(None)` when the caller has no cursor yet.
pub(in crate::grpc) fn cursor(fields: &mut Fields, text: &str) -> Option<Option<FeedCursor>> {
    if text.is_empty() {
        return Some(None);
    }
    let cursor = FeedCursor::parse(text);
    if cursor.is_none() {
        fields.note("cursor", "is not a cursor of this service");
    }
    cursor.map(Some)
}

/// Zero means the default, which is also the maximum; a larger size means the maximum as well (AIP-158).
pub(in crate::grpc) fn page_size(fields: &mut Fields, size: i32) -> Option<usize> {
    if size < 0 {
        fields.note("page_size", "must not be negative");
        return None;
    }
    usize::try_from(if size == 0 { MAX_PAGE } else { size.min(MAX_PAGE) }).ok()
}

/// The token of a link, or an address and the code that was mailed to it.
pub(in crate::grpc) fn claim_proof(
    fields: &mut Fields,
    token: String,
    address: &str,
    code: String,
) -> Option<ClaimProof> {
    let (token, code) = (SecretText::new(token), SecretText::new(code));
    match (token.is_empty(), address.is_empty() && code.is_empty()) {
        (false, true) => {
            let token = action::link_token(token.reveal());
            if token.is_none() {
                fields.note("token", "is too long");
            }
            token.map(ClaimProof::Link)
        }
        (true, false) => {
            if code.is_empty() {
                fields.note("code", "is missing");
            }
            let email = known_email(fields, "email", address)?;
            Some(ClaimProof::Code(email, ActionCode::parse(code.reveal())))
        }
        (false, false) => {
            fields.note("token", "cannot be combined with `email` and `code`");
            None
        }
        (true, true) => {
            fields.note("token", "is missing, and so are `email` and `code`");
            None
        }
    }
}

/// The fields that an update mask names, and nothing else: a field outside the mask is never read, and a field that the
/// owner may not change is refused by name.
pub(in crate::grpc) fn profile_change(
    fields: &mut Fields,
    account: &proto::Account,
    mask: &prost_types::FieldMask,
) -> Option<ProfileChange> {
    const MAX_PATHS: usize = 16;
    if mask.paths.is_empty() || mask.paths.len() > MAX_PATHS {
        fields.note("update_mask", "must name the fields to change: `display_name`, `locale`, `username`");
        return None;
    }
    let mut change = ProfileChange::default();
    // A single star means every field that can be changed (AIP-134).
    let named: Vec<_> = mask.paths.iter().map(String::as_str).collect();
    let paths = if named == ["*"] { vec!["display_name", "locale", "username"] } else { named };
    for path in paths {
        match path {
            "display_name" => {
                let name = display_name(fields, "account.display_name", &account.display_name);
                change.display_name = name.map(|name| name.as_str().to_owned());
            }
            "locale" => change.locale = locale(fields, "account.locale", &account.locale),
            "username" if account.username.is_empty() => change.username = Some(None),
            "username" => change.username = fields.username("account.username", &account.username).map(Some),
            _ => fields.note("update_mask", "names a field that cannot be changed here"),
        }
    }
    Some(change)
}
