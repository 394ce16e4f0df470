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

/// Asks whether a new password is known from a breach. Only where one is set: a login tells nobody anything about a
/// password.
#[derive(Clone, Debug)]
pub struct BreachGate {
    /// `None` where the operator named nobody: nothing is asked.
    pub list: Option<BreachList>,
    /// Whether a password is accepted while nothing can be learnt about it.
    pub lenient: bool,
    /// How often the log says that nothing could be learnt. The metric counts all of it.
    pub lines: Arc<LineBudget>,
}

/// As long as somebody needs to press a button again.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(10);

impl BreachGate {
    /// # Errors
    /// PASSWORD_REJECTED, naming `field`, when it is; BREACH_CHECK_UNAVAILABLE when nothing was learnt and the operator
    /// wants to know.
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
            // Whether the password is set is decided after this.
            let accepted = self.lenient;
            tracing::warn!(fault, accepted, left_out, "a new password could not be checked against known breaches");
        }
        if self.lenient {
            return Ok(());
        }
        Err(Refusal::from(Reason::BreachCheckUnavailable).retry_after(UNAVAILABLE_WAIT).into())
    }
}
