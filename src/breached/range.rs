use super::BreachFault;
use crate::outbound::{Answer, Line, LineTerms, Outbound, OutboundFault};
use countersign_domain::password::BreachDigest;
use std::time::Duration;
use url::Url;

/// Most concurrent queries: far more than the people who set a password at the same moment.
const AT_ONCE: usize = 64;
/// A padded answer has a thousand lines of some forty bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;
/// Requests padding with invented lines, so that an eavesdropper cannot recognize a range by the length of its answer.
const PADDING: (&str, &str) = ("add-padding", "true");

/// Queries a service that lists breached passwords by the first digits of their hashes, as Have I Been Pwned does.
#[derive(Clone, Debug)]
pub struct RangeService {
    line: Line,
    /// Ends in a slash.
    endpoint: Url,
}

impl RangeService {
    pub fn new(outbound: &Outbound, endpoint: Url, timeout: Duration) -> Self {
        let terms = LineTerms { timeout, max_answer_bytes: MAX_RESPONSE_BYTES, at_once: AT_ONCE };
        Self { line: outbound.line(terms), endpoint }
    }

    pub(super) async fn holds(&self, hash: &BreachDigest) -> Result<bool, BreachFault> {
        let question = self.endpoint.join(&hash.range()).map_err(|_| BreachFault::Unreachable)?;
        let Answer { status, body } = self.line.get(question, PADDING).await.map_err(fault)?;
        if status != 200 {
            return Err(BreachFault::Refused);
        }
        let body = body.map_err(fault)?;
        let text = str::from_utf8(&body).map_err(|_| BreachFault::Unreadable)?;
        hash.is_in(text).map_err(|_| BreachFault::Unreadable)
    }
}

fn fault(fault: OutboundFault) -> BreachFault {
    match fault {
        OutboundFault::Busy => BreachFault::Busy,
        OutboundFault::TimedOut => BreachFault::TimedOut,
        OutboundFault::Unreachable => BreachFault::Unreachable,
        OutboundFault::TooLong => BreachFault::Unreadable,
    }
}
