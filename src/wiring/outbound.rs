use super::{StartFault, captcha};
use crate::{
    breached::{BreachFile, BreachList, RangeService},
    captcha::Captcha,
    config::{Breached, BreachedList, Config, WhenListUnavailable},
    outbound::Outbound,
    telemetry::LineBudget,
    usecase::gate::BreachGate,
};
use std::{sync::Arc, time::Duration};

/// The clients of other services. When none is configured, the machine needs no root certificates.
pub(super) fn adapters(config: &Config) -> Result<(Option<Captcha>, BreachGate), StartFault> {
    let list = config.passwords.breached.as_ref().map(|breached| &breached.list);
    let asks = config.captcha.is_some() || matches!(list, Some(BreachedList::Range { .. }));
    let outbound = asks.then(Outbound::new).transpose();
    let outbound = outbound.map_err(|fault| StartFault::because("outbound HTTP", fault))?;
    let captcha = outbound.as_ref().and_then(|outbound| captcha::adapters(config, outbound));
    let list = match (list, &outbound) {
        (Some(BreachedList::File(path)), _) => {
            let named = |fault| StartFault::because("passwords.breached_list", format!("{}: {fault}", path.display()));
            Some(BreachList::File(BreachFile::open(path).map_err(named)?))
        }
        (Some(BreachedList::Range { endpoint, timeout }), Some(outbound)) => {
            Some(BreachList::Range(RangeService::new(outbound, endpoint.clone(), *timeout)))
        }
        _ => None,
    };
    if let Some(BreachList::File(file)) = &list {
        let (entries, wrongly) = (file.entries(), file.false_positive_rate());
        tracing::info!(entries, wrongly, "new passwords are checked against a list of breached passwords");
    }
    Ok((captcha, breach_gate(config, list)))
}

fn breach_gate(config: &Config, list: Option<BreachList>) -> BreachGate {
    let policy = config.passwords.breached.as_ref().map(|Breached { when_unavailable, .. }| *when_unavailable);
    let lenient = policy != Some(WhenListUnavailable::Refuse);
    BreachGate { list, lenient, lines: Arc::new(LineBudget::new(1, Duration::from_mins(1))) }
}
