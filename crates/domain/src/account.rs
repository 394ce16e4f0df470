//! Accounts: people who can log in, and what they log in with.

use crate::{
    email::{EmailAddress, InvalidEmail},
    factor::LOCKED_AFTER,
    id::{AccountId, TenantId},
    locale::Locale,
    lockout::SPENT,
    secret::SecretText,
    time::Timestamp,
    username::{InvalidUsername, Username},
};

/// A person.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub tenant: TenantId,
    pub email: EmailAddress,
    pub email_verified_at: Timestamp,
    pub username: Option<Username>,
    pub display_name: String,
    pub locale: Locale,
    /// `None` when the account has no password to log in with.
    pub password_hash: Option<SecretText>,
    /// Identifies this password among all that the account ever had. Hashing the same password again does not change
    /// it.
    pub password_version: i32,
    /// Wrong passwords in a row, from unrecognized devices.
    pub password_failures: i32,
    pub password_changed_at: Timestamp,
    /// How many confirmed factors it has beside its password. Backup codes are none of them.
    pub factors: i32,
    /// How many of them are passkeys; the others are authenticator apps.
    pub passkeys: i32,
    /// Wrong codes of authenticator apps in a row, from devices on which no second factor was proven before.
    pub factor_failures: i32,
    /// When an operator disabled the account; `None` while it is enabled.
    pub disabled_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl Account {
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// Whether so many wrong passwords were tried that the right one is accepted from recognized devices only.
    pub fn password_is_spent(&self) -> bool {
        self.password_failures == SPENT
    }

    /// Whether a password alone is not enough to log in.
    pub fn has_factor(&self) -> bool {
        self.factors > 0
    }

    pub fn has_passkey(&self) -> bool {
        self.passkeys > 0
    }

    pub fn has_app(&self) -> bool {
        self.factors > self.passkeys
    }

    /// Whether so many wrong codes were tried that codes of authenticator apps are accepted only from devices on which
    /// a second factor was proven before.
    pub fn totp_is_locked(&self) -> bool {
        self.factor_failures >= LOCKED_AFTER
    }
}

/// The text in the first field of a login: an address or a user name. An address has an `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    Email(EmailAddress),
    Username(Username),
}

/// The text is neither an address nor a user name, so no account can have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidIdentifier {
    Email(InvalidEmail),
    Username(InvalidUsername),
}

/// Input methods of East Asia write this character for `@`.
const FULL_WIDTH_AT: char = '\u{FF20}';

impl Identifier {
    /// Also accepts names that an earlier release allowed and this one does not: their owners still log in with them.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        if text.contains(['@', FULL_WIDTH_AT]) {
            EmailAddress::parse_known(text).map(Self::Email).map_err(InvalidIdentifier::Email)
        } else {
            Username::find(text).map(Self::Username).map_err(InvalidIdentifier::Username)
        }
    }

    /// The key by which accounts are looked up.
    pub fn normalised(&self) -> &str {
        match self {
            Self::Email(email) => email.normalised(),
            Self::Username(username) => username.normalised(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An account with a password and no other factor.
    pub(crate) fn account() -> Account {
        let now = Timestamp::from_seconds(1);
        Account {
            id: AccountId::new(now, [1; 10]),
            tenant: TenantId::new(now, [2; 10]),
            email: EmailAddress::parse("ada@example.org").unwrap(),
            email_verified_at: now,
            username: None,
            display_name: String::new(),
            locale: Locale::default(),
            password_hash: None,
            password_version: 1,
            password_failures: 0,
            password_changed_at: now,
            factors: 0,
            passkeys: 0,
            factor_failures: 0,
            disabled_at: None,
            created_at: now,
        }
    }

    #[test]
    fn the_at_sign_tells_addresses_from_user_names() {
        assert!(matches!(Identifier::parse("Ada@example.org"), Ok(Identifier::Email(_))));
        assert!(matches!(Identifier::parse("Ada"), Ok(Identifier::Username(_))));
        assert!(matches!(Identifier::parse("ａｄａ＠example.org"), Ok(Identifier::Email(_))));
        assert!(matches!(Identifier::parse("a@b@c"), Err(InvalidIdentifier::Email(_))));
        assert!(matches!(Identifier::parse(""), Err(InvalidIdentifier::Username(_))));
    }

    #[test]
    fn what_an_earlier_release_took_is_still_found() {
        let found = |text: &str| Identifier::parse(text).map(|identifier| identifier.normalised().to_owned());
        assert_eq!(found("Jose\u{FB01}ne").as_deref(), Ok("josefine"));
        assert_eq!(found("admin\u{FE0F}").as_deref(), Ok("admin\u{FE0F}"));
        assert_eq!(found("ada\u{FE0F}@example.org").as_deref(), Ok("ada\u{FE0F}@example.org"));
    }
}
