//! How a person was authenticated, how much that assures, and what a fresh proof is.

use crate::{account::Account, closed_list::closed_list, time::Timestamp};
use std::time::Duration;

closed_list! {
    /// How a person was authenticated. The name is a value of `amr` (RFC 8176).
    pub enum AuthenticationMethod {
        Password = "pwd",
        /// A code of an authenticator app, or a backup code.
        OneTimePassword = "otp",
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
    }
}

/// The methods of a password and then a code.
pub const PASSWORD_AND_CODE: [AuthenticationMethod; 3] =
    [AuthenticationMethod::Password, AuthenticationMethod::OneTimePassword, AuthenticationMethod::MultiFactor];

/// The methods as a session stores them: separated by spaces.
pub fn joined(methods: &[AuthenticationMethod]) -> String {
    methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(" ")
}

impl Level {
    /// The level of methods, by their names. Names of other releases add nothing.
    pub fn of<'a>(methods: impl IntoIterator<Item = &'a str>) -> Self {
        let is_multi_factor = |name| name == AuthenticationMethod::MultiFactor.name();
        if methods.into_iter().any(is_multi_factor) { Self::Two } else { Self::One }
    }

    /// The strongest proof that an account has.
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
    /// Whether the proof is the strongest that its account has, and fresh. A proof from the future is: tokens have
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
        for (methods, level) in
            [("", Level::One), ("pwd", Level::One), ("pwd otp mfa", Level::Two), ("pwd unknown", Level::One)]
        {
            assert_eq!(Level::of(methods.split(' ')), level, "{methods}");
        }
        assert_eq!(Level::of(joined(&PASSWORD_AND_CODE).split(' ')), Level::Two);
    }
}
