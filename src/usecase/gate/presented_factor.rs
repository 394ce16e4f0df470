use crate::passkeys::{AuthenticationResponse, PasskeyRejected};
use countersign_domain::{
    backup_code::BackupCode,
    factor::{FactorMethod, RightFactor},
    id::{DeviceId, FactorId, SessionId},
    refusal::{Reason, Refusal},
    totp::TotpCode,
};

/// The proof of a factor as its caller presents it.
#[derive(Clone, Debug)]
pub enum PresentedFactor {
    Totp(TotpCode),
    BackupCode(BackupCode),
    Passkey(AuthenticationResponse),
}

/// The client that presents a factor.
#[derive(Clone, Copy, Debug)]
pub struct FactorClient {
    /// The device, when a second factor of the account was proven on it before. Its wrong codes are counted separately,
    /// so that nobody else's delay it.
    pub recognized: Option<DeviceId>,
    /// The session, when there is one.
    pub session: Option<SessionId>,
    /// Whether the owner gets a mail about a wrong proof.
    pub mails_owner: bool,
}

/// Why the proof of a factor is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongFactor {
    Wrong,
    /// It was right, and was used before.
    Used,
    /// A code belongs to another time: the clock of the phone is wrong.
    ClockOff,
    /// A passkey signed for a page or app that is not of this service.
    OtherOrigin,
    /// The authenticator of a passkey did not verify its user.
    UserNotVerified,
    /// The counter of this passkey did not move on: somebody may have a copy.
    Copied(FactorId),
    /// A passkey logs in after the password only, because the password was reset.
    PasswordNeeded,
    /// A new passkey is registered already.
    Known,
}

/// The reason of a right proof that another call used up a moment ago.
pub const fn used_up(right: &RightFactor) -> Reason {
    match right.method() {
        FactorMethod::Totp | FactorMethod::BackupCode => Reason::CodeInvalid,
        FactorMethod::Passkey => Reason::PasskeyInvalid,
    }
}

impl PresentedFactor {
    pub const fn method(&self) -> FactorMethod {
        match self {
            Self::Totp(_) => FactorMethod::Totp,
            Self::BackupCode(_) => FactorMethod::BackupCode,
            Self::Passkey(_) => FactorMethod::Passkey,
        }
    }

    /// The refusal of a proof that is not right.
    pub fn refusal(&self, why: WrongFactor) -> Refusal {
        match self {
            Self::Totp(_) => why.refusal_of_code("totp_code"),
            Self::BackupCode(_) => why.refusal_of_code("backup_code"),
            Self::Passkey(_) => why.refusal_of_passkey(),
        }
    }
}

impl WrongFactor {
    /// `field` is the field of the request with the code.
    pub fn refusal_of_code(self, field: &'static str) -> Refusal {
        let (reason, description) = match self {
            Self::Used => ("USED", "was used before: wait for the next one"),
            Self::ClockOff => ("CLOCK_OFF", "is of another time: check the clock of your phone"),
            _ => ("", "is wrong"),
        };
        Refusal::from(Reason::CodeInvalid).with_violation(field, reason, description)
    }

    pub fn refusal_of_passkey(self) -> Refusal {
        let (reason, description) = match self {
            Self::OtherOrigin => ("ORIGIN", "was made for a page or app that may not use passkeys of this service"),
            Self::UserNotVerified => ("USER_NOT_VERIFIED", "was made without verifying its user"),
            Self::Copied(_) => ("COUNTER", "was made with a counter that did not move on"),
            Self::PasswordNeeded => ("PASSWORD_NEEDED", "logs in after the password only, until it did once"),
            Self::Used => ("OVERTAKEN", "was overtaken by another use of the passkey"),
            Self::Known => ("REGISTERED", "is registered already"),
            Self::Wrong | Self::ClockOff => ("", "is not valid"),
        };
        Refusal::from(Reason::PasskeyInvalid).with_violation("passkey_credential_json", reason, description)
    }
}

impl WrongFactor {
    /// `passkey` is the factor that was presented.
    pub fn of_passkey(rejected: PasskeyRejected, passkey: FactorId) -> Self {
        match rejected {
            PasskeyRejected::Wrong => Self::Wrong,
            PasskeyRejected::OtherOrigin => Self::OtherOrigin,
            PasskeyRejected::UserNotVerified => Self::UserNotVerified,
            PasskeyRejected::Copied => Self::Copied(passkey),
        }
    }
}
