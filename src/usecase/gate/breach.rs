use crate::{
    breached::{BreachFault, BreachList},
    telemetry::{self, LineBudget},
    usecase::Failure,
};
use countersign_domain::{
    password::NewPassword,
    refusal::{Reason, Refusal},
};
use std::{sync::Arc, time::Duration};

/// Checks whether a new password is known from a breach. A login has no such check: its answer would reveal something
/// about the password.
#[derive(Clone, Debug)]
pub struct BreachGate {
    /// `None` when the operator configured no list: nothing is checked.
    pub list: Option<BreachList>,
    /// Whether a password is accepted when the check fails.
    pub lenient: bool,
    /// Limits the log lines about failed checks. The metric counts all of them.
    pub lines: Arc<LineBudget>,
}

/// About the time in which a person tries again.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(10);

impl BreachGate {
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`, when it is; BREACH_CHECK_UNAVAILABLE when the check failed and the operator
    /// requires it.
    pub async fn ask(&self, field: &'static str, password: &NewPassword) -> Result<(), Failure> {
        let Some(list) = &self.list else { return Ok(()) };
        match list.holds(password).await {
            Ok(false) => {
                telemetry::count_breach_check("not_listed");
                Ok(())
            }
            Ok(true) => {
                telemetry::count_breach_check("listed");
                let refusal = Refusal::from(Reason::PasswordRejected);
                Err(refusal.with_violation(field, "PASSWORD_BREACHED", "is known from a data breach").into())
            }
            Err(fault) => self.bear(fault),
        }
    }

    fn bear(&self, fault: BreachFault) -> Result<(), Failure> {
        telemetry::count_breach_check(fault.name());
        let fault = fault.name();
        if let Some(left_out) = self.lines.take() {
            // Whether the password is set is decided later.
            let accepted = self.lenient;
            tracing::warn!(fault, accepted, left_out, "a new password could not be checked against known breaches");
        }
        if self.lenient {
            return Ok(());
        }
        Err(Refusal::from(Reason::BreachCheckUnavailable).retry_after(UNAVAILABLE_WAIT).into())
    }
}
