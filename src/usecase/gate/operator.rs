use crate::keys::OperatorToken;
use countersign_domain::{refusal::Reason, secret::SecretText};

/// Authenticates operators by their token.
#[derive(Clone, Debug)]
pub struct OperatorGate {
    /// `None` when no token is configured: then nobody is an operator.
    pub token: Option<OperatorToken>,
}

/// A proven operator. Only the gate makes one.
#[derive(Clone, Copy, Debug)]
pub struct OperatorProven(());

impl OperatorGate {
    /// # Errors
    /// CALLER_NOT_ALLOWED where there is no operators' token, TOKEN_MISSING, TOKEN_INVALID.
    pub fn prove(&self, presented: Option<&SecretText>) -> Result<OperatorProven, Reason> {
        let token = self.token.as_ref().ok_or(Reason::CallerNotAllowed)?;
        let presented = presented.ok_or(Reason::TokenMissing)?;
        token.is(presented).then_some(OperatorProven(())).ok_or(Reason::TokenInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn an_operator_is_who_brings_the_token_and_nobody_is_where_there_is_none() {
        let gate = OperatorGate { token: Some(OperatorToken::new(&secret("the one"))) };
        assert!(gate.prove(Some(&secret("the one"))).is_ok());
        assert_eq!(gate.prove(Some(&secret("another"))).err(), Some(Reason::TokenInvalid));
        assert_eq!(gate.prove(None).err(), Some(Reason::TokenMissing));
        let closed = OperatorGate { token: None };
        for presented in [None, Some(secret("the one")), Some(secret(""))] {
            assert_eq!(closed.prove(presented.as_ref()).err(), Some(Reason::CallerNotAllowed));
        }
    }
}
