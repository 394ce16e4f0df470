//! How a person was authenticated, how much that assures, and what a fresh proof is.

use crate::{account::Account, closed_list::closed_list, factor::FactorMethod, time::Timestamp};
use AuthenticationMethod::{MultiFactor, OneTimePassword, Password, ProofOfPossession, UserPresent};
use std::time::Duration;

closed_list! {
    /// How a person was authenticated. The name is a value of `amr` (RFC 8176).
    pub enum AuthenticationMethod {
        Password = "pwd",
        /// A code of an authenticator app, or a backup code.
        OneTimePassword = "otp",
        /// A passkey signed: whoever uses it has its key.
        ProofOfPossession = "pop",
        /// The authenticator tested that a person is present. RFC 8176 has no value for a user who is verified by a PIN
        /// or a biometric: `mfa` says that.
        UserPresent = "user",
        /// Several factors were proven. Their methods are beside it.
        MultiFactor = "mfa",
    }
}

closed_list! {
    /// How much a proof assures. The name is the value of `acr`.
    pub enum Level {
        /// One factor.
        One = "1",
        /// Two different factors.
        Two = "2",
        /// A passkey whose authenticator verified its user. No other site can ask for it (phishing). It is not AAL3 of
        /// NIST SP 800-63B-4: the key may be synced.
        Three = "3",
    }
}

/// The methods of a password and then a code.
pub const PASSWORD_AND_CODE: &[AuthenticationMethod] = &[Password, OneTimePassword, MultiFactor];
/// The methods of a passkey alone: its authenticator verifies its user, so it is two factors.
pub const PASSKEY: &[AuthenticationMethod] = &[ProofOfPossession, UserPresent, MultiFactor];
/// The methods of a password and then a passkey.
pub const PASSWORD_AND_PASSKEY: &[AuthenticationMethod] = &[Password, ProofOfPossession, UserPresent, MultiFactor];
/// The methods of a code in a session that no password opened.
pub const SESSION_AND_CODE: &[AuthenticationMethod] = &[OneTimePassword, MultiFactor];

/// The methods of a session after another proof of a factor. `present` are those that it stores now. A password counts
/// on; a passkey does not, or a code would give the level of the passkey.
pub fn after_factor(present: &str, method: FactorMethod) -> &'static [AuthenticationMethod] {
    let has_password = present.split(' ').any(|name| name == Password.name());
    match (method, has_password) {
        (FactorMethod::Totp | FactorMethod::BackupCode, true) => PASSWORD_AND_CODE,
        (FactorMethod::Totp | FactorMethod::BackupCode, false) => SESSION_AND_CODE,
        (FactorMethod::Passkey, true) => PASSWORD_AND_PASSKEY,
        (FactorMethod::Passkey, false) => PASSKEY,
    }
}

/// The methods as a session stores them: separated by spaces.
pub fn joined(methods: &[AuthenticationMethod]) -> String {
    methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(" ")
}

impl Level {
    /// The level of methods, by their names. Names of other releases add nothing.
    pub fn of<'a>(methods: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut is_multi_factor, mut is_passkey) = (false, false);
        for name in methods {
            is_multi_factor |= name == MultiFactor.name();
            is_passkey |= name == ProofOfPossession.name();
        }
        match (is_multi_factor, is_passkey) {
            (false, _) => Self::One,
            (true, false) => Self::Two,
            (true, true) => Self::Three,
        }
    }

    /// The level that protects the account: that of a factor where it has one.
    pub fn required_by(account: &Account) -> Self {
        if account.has_factor() { Self::Two } else { Self::One }
    }
}

/// How old a proof of the person may be for what protects the account.
pub const FRESH_PROOF: Duration = Duration::from_secs(10 * 60);

/// A proof of the person, as an access token says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub level: Level,
    pub at: Timestamp,
}

impl Proof {
    /// Whether the proof has the level that protects the account, and is fresh. A proof from the future is: tokens have
    /// whole seconds, and the clock of another replica may be ahead.
    pub fn is_fresh_for(self, account: &Account, now: Timestamp) -> bool {
        self.level >= Level::required_by(account) && now <= self.at.plus(FRESH_PROOF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::account;

    #[test]
    fn a_proof_is_fresh_for_ten_minutes() {
        let proof = Proof { level: Level::One, at: Timestamp::from_seconds(1_000) };
        for (seconds, fresh) in
            [(999, true), (1_000, true), (1_600, true), (1_601, false), (i64::MAX / 2_000_000, false)]
        {
            assert_eq!(proof.is_fresh_for(&account(), Timestamp::from_seconds(seconds)), fresh, "{seconds}");
        }
    }

    #[test]
    fn an_account_with_a_factor_needs_it_for_a_fresh_proof() {
        let now = Timestamp::from_seconds(1_000);
        for (factors, level, fresh) in
            [(0, Level::One, true), (0, Level::Two, true), (1, Level::One, false), (1, Level::Two, true)]
        {
            let account = crate::account::Account { factors, ..account() };
            assert_eq!(Proof { level, at: now }.is_fresh_for(&account, now), fresh, "{factors} {level:?}");
        }
    }

    #[test]
    fn the_level_is_that_of_the_methods() {
        for (methods, level) in [
            ("", Level::One),
            ("pwd", Level::One),
            ("pwd otp mfa", Level::Two),
            ("pwd unknown", Level::One),
            ("user", Level::One),
        ] {
            assert_eq!(Level::of(methods.split(' ')), level, "{methods}");
        }
        for (methods, level) in [
            (PASSWORD_AND_CODE, Level::Two),
            (SESSION_AND_CODE, Level::Two),
            (PASSKEY, Level::Three),
            (PASSWORD_AND_PASSKEY, Level::Three),
        ] {
            assert_eq!(Level::of(joined(methods).split(' ')), level, "{methods:?}");
        }
    }

    #[test]
    fn a_code_does_not_have_the_level_of_the_passkey_that_opened_the_session() {
        let (by_password, by_passkey) = (joined(PASSWORD_AND_CODE), joined(PASSKEY));
        for (opened_by, method, methods) in [
            (&by_password, FactorMethod::Totp, PASSWORD_AND_CODE),
            (&by_password, FactorMethod::Passkey, PASSWORD_AND_PASSKEY),
            (&by_passkey, FactorMethod::BackupCode, SESSION_AND_CODE),
            (&by_passkey, FactorMethod::Passkey, PASSKEY),
        ] {
            assert_eq!(after_factor(opened_by, method), methods, "{opened_by} {method:?}");
        }
    }
}
