use super::{LineBudget, count_refused};
use countersign_domain::refusal::Reason;
use std::{sync::Arc, time::Duration};

/// Logs refused calls, with the request id that their errors contain.
///
/// At level DEBUG it logs all of them. At INFO each reason has a budget of lines, one for known callers and one for
/// others, so that refused calls cannot fill a disk. The metric counts all of them.
#[derive(Clone, Debug)]
pub struct RefusalLog(Arc<Budgets>);

#[derive(Debug)]
struct Budgets {
    known: Vec<LineBudget>,
    unknown: Vec<LineBudget>,
}

/// A refused call.
#[derive(Clone, Copy, Debug)]
pub struct RefusedCall<'a> {
    /// The path of the RPC; `unknown` for a path that does not exist.
    pub rpc: &'static str,
    /// `None` for an error of a standard service, which has no reasons.
    pub reason: Option<Reason>,
    /// The name of the gRPC code.
    pub code: &'static str,
    pub request_id: &'a str,
    pub address: &'a str,
    /// `account`, `service` or `operator` if the caller is authenticated, otherwise `anyone`.
    pub caller: &'static str,
    /// The id of the account or the service, otherwise empty.
    pub caller_id: &'a str,
}

/// A known caller makes few mistakes, and each of them is worth a line.
const KNOWN: (u32, Duration) = (100, Duration::from_millis(200));
const UNKNOWN: (u32, Duration) = (30, Duration::from_secs(1));

impl Default for RefusalLog {
    fn default() -> Self {
        // One more than there are reasons, for errors without one.
        let each = |(at_once, every)| (0..=Reason::ALL.len()).map(|_| LineBudget::new(at_once, every)).collect();
        Self(Arc::new(Budgets { known: each(KNOWN), unknown: each(UNKNOWN) }))
    }
}

impl RefusalLog {
    pub fn say(&self, call: RefusedCall<'_>) {
        let RefusedCall { rpc, code, request_id, address, caller, caller_id, .. } = call;
        let reason = call.reason.map_or(code, Reason::name);
        count_refused(rpc, reason, caller);
        let of_each = if caller == ANYONE { &self.0.unknown } else { &self.0.known };
        let at = call.reason.and_then(|reason| Reason::ALL.iter().position(|other| *other == reason));
        let budget = at.map_or_else(|| of_each.last(), |at| of_each.get(at));
        match budget.and_then(LineBudget::take) {
            Some(left_out) => {
                tracing::info!(
                    rpc,
                    reason,
                    code,
                    request_id,
                    address,
                    caller,
                    caller_id,
                    left_out,
                    "a call was refused"
                );
            }
            None => tracing::debug!(rpc, reason, code, request_id, address, caller, caller_id, "a call was refused"),
        }
    }
}

/// An unauthenticated caller.
pub const ANYONE: &str = "anyone";
