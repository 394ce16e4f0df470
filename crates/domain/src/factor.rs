//! Factors of an account beside its password, and the proofs that they give.

use crate::{
    authenticator,
    closed_list::closed_list,
    display_name::{DisplayName, InvalidDisplayName},
    id::{AccountId, FactorId},
    time::Timestamp,
    totp::TotpStep,
};
use std::time::Duration;

/// The most factors of an account.
pub const MAX_FACTORS: i32 = 10;
/// How long a factor waits for its first proof.
pub const PENDING_LIFE: Duration = Duration::from_secs(10 * 60);
/// After so many wrong codes in a row from devices on which no second factor was proven before, codes of authenticator
/// apps are accepted only from devices on which one was.
pub const LOCKED_AFTER: i32 = 20;

/// A wrong code makes such a device one like any other when it is at least the tenth wrong password or code in a row
/// there.
pub const DEVICE_LOCKED_AFTER: i32 = 10;

const MAX_NAME_CHARS: usize = 64;

closed_list! {
    /// A kind of factor. The name is stored in its row.
    pub enum FactorKind {
        /// An authenticator app.
        Totp = "totp",
        /// A passkey (WebAuthn).
        Passkey = "passkey",
        /// The key of the backup codes of an account. It opens nothing by itself, and is not among the factors that a
        /// person sees.
        BackupCodes = "backup_codes",
    }
}

closed_list! {
    /// How a second factor can be proven. The name is that of the contract.
    pub enum FactorMethod {
        Totp = "TOTP",
        BackupCode = "BACKUP_CODE",
        Passkey = "PASSKEY",
    }
}

/// A factor, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    pub id: FactorId,
    pub kind: FactorKind,
    pub name: String,
    pub created_at: Timestamp,
    /// `None` while it waits for its first proof.
    pub confirmed_at: Option<Timestamp>,
    /// When it was last proven.
    pub used_at: Option<Timestamp>,
    /// The last step of which a code was used.
    pub last_step: Option<TotpStep>,
    /// What is known of a passkey; `None` for other kinds, and while it waits.
    pub passkey: Option<PasskeyFacts>,
}

/// What is known of a passkey besides its public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyFacts {
    /// Whether its authenticator may copy it to other devices.
    pub is_backup_eligible: bool,
    /// The model of its authenticator, as the authenticator says.
    pub aaguid: [u8; 16],
    /// The signature counter of its last use; 0 for an authenticator that does not count.
    pub sign_count: u32,
    /// Whether it logs in after the password only: the password was reset, and somebody who had the former one may have
    /// added the passkey.
    pub needs_password: bool,
}

impl PasskeyFacts {
    /// What its authenticator is called, if that is known.
    pub fn authenticator(&self) -> Option<&'static str> {
        authenticator::name_of(self.aaguid)
    }
}

impl Factor {
    /// A factor that waits for its first proof, without a name.
    pub const fn pending(id: FactorId, kind: FactorKind, now: Timestamp) -> Self {
        let name = String::new();
        Self { id, kind, name, created_at: now, confirmed_at: None, used_at: None, last_step: None, passkey: None }
    }

    /// Whether it is enabled, and one that a person sees.
    pub fn is_enabled(&self) -> bool {
        self.kind != FactorKind::BackupCodes && self.confirmed_at.is_some()
    }

    /// Whether it waits for its first proof and may still get it.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        self.confirmed_at.is_none() && now < self.expires_at()
    }

    /// When it is too late for its first proof.
    pub fn expires_at(&self) -> Timestamp {
        self.created_at.plus(PENDING_LIFE)
    }
}

/// The name of a factor: 1 to 64 characters, as a display name otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorName(String);

/// Why a text is not the name of a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidFactorName {
    WrongLength,
    Unreadable(InvalidDisplayName),
}

impl InvalidFactorName {
    pub fn describe(self) -> &'static str {
        match self {
            Self::WrongLength => "must have 1 to 64 characters",
            Self::Unreadable(invalid) => invalid.describe(),
        }
    }
}

impl FactorName {
    pub fn parse(text: &str) -> Result<Self, InvalidFactorName> {
        let name = DisplayName::parse(text).map_err(|invalid| match invalid {
            InvalidDisplayName::TooLong => InvalidFactorName::WrongLength,
            other => InvalidFactorName::Unreadable(other),
        })?;
        if !(1..=MAX_NAME_CHARS).contains(&name.as_str().chars().count()) {
            return Err(InvalidFactorName::WrongLength);
        }
        Ok(Self(name.as_str().to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A right proof of a factor that is not used up yet. One conditional statement uses it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightFactor {
    /// Used up by moving the last used step of the factor to this one.
    Totp { factor: FactorId, step: TotpStep },
    /// Used up by marking the code of this digest.
    BackupCode { digest: [u8; 32] },
    /// Used up by moving the signature counter of the passkey to this one, and with what it answered: a challenge or a
    /// ceremony.
    Passkey { factor: FactorId, sign_count: u32 },
}

impl RightFactor {
    pub const fn method(&self) -> FactorMethod {
        match self {
            Self::Totp { .. } => FactorMethod::Totp,
            Self::BackupCode { .. } => FactorMethod::BackupCode,
            Self::Passkey { .. } => FactorMethod::Passkey,
        }
    }
}

/// A factor of an account was checked and is right. Only `src/usecase/gate/factor.rs` makes one: `tests/architecture`
/// checks that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorProof {
    account: AccountId,
    factor: RightFactor,
}

impl FactorProof {
    pub const fn of(account: AccountId, factor: RightFactor) -> Self {
        Self { account, factor }
    }

    pub const fn account(&self) -> AccountId {
        self.account
    }

    pub const fn factor(&self) -> &RightFactor {
        &self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_64_visible_characters() {
        for (text, name) in [("Phone", "Phone"), (" Phone \n", "Phone"), ("📱", "📱")] {
            assert_eq!(FactorName::parse(text).map(|name| name.0).as_deref(), Ok(name), "{text:?}");
        }
        assert!(FactorName::parse(&"ä".repeat(64)).is_ok());
        for text in ["", "  ", &"ä".repeat(65), &"x".repeat(1_000_000)] {
            assert_eq!(FactorName::parse(text), Err(InvalidFactorName::WrongLength), "{} bytes", text.len());
        }
        for text in ["a\0b", "a\u{202E}b", "\u{2800}"] {
            assert!(matches!(FactorName::parse(text), Err(InvalidFactorName::Unreadable(_))), "{text:?}");
        }
    }

    #[test]
    fn a_factor_waits_for_ten_minutes() {
        let created_at = Timestamp::from_seconds(1_000);
        let pending = Factor::pending(FactorId::new(created_at, [1; 10]), FactorKind::Totp, created_at);
        let at = |seconds| created_at.plus(Duration::from_secs(seconds));
        assert!(pending.is_pending(created_at) && pending.is_pending(at(599)) && !pending.is_pending(at(600)));
        let confirmed = Factor { confirmed_at: Some(at(5)), ..pending };
        assert!(!confirmed.is_pending(at(5)));
    }
}
