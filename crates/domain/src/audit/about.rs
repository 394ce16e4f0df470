//! Which kinds of events are refusals.

use super::EventKind;

impl EventKind {
    /// Whether an event of this kind says that something was refused, and why. Every other kind says that something
    /// happened.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::LoginRefused
                | Self::RefreshRefused
                | Self::PasswordProofRefused
                | Self::ActionRefused
                | Self::FactorRefused
                | Self::ServiceTokenRefused
                | Self::CallRefused
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_says_by_its_name_that_it_is_a_refusal() {
        for kind in EventKind::ALL {
            assert_eq!(kind.is_refusal(), kind.name().ends_with("_refused"), "{}", kind.name());
        }
    }
}
