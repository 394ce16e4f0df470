use super::{Outcome, Screen, arguments::AuditCommand, block_on, screen::written};
use crate::{config::Config, wiring};

pub(super) fn run(config: &Config, command: &AuditCommand, screen: &Screen) -> Outcome {
    let AuditCommand::List(count) = command;
    block_on(async {
        let trail = wiring::read_audit(config).await.map_err(|fault| fault.to_string())?;
        let lines = trail.newest(u64::from(count.count)).await.map_err(|failure| failure.to_string())?;
        if lines.is_empty() {
            screen.say("nothing has happened yet");
        }
        for line in lines {
            screen.say(&format!(
                "{}  {:<24} {:<8} {:<22} account={} session={} service={} object={} address={}",
                written(line.happened_at),
                line.kind,
                line.outcome,
                line.reason.unwrap_or_default(),
                line.account_id.as_deref().unwrap_or("-"),
                line.session_id.as_deref().unwrap_or("-"),
                line.service_id.as_deref().unwrap_or("-"),
                line.object.as_deref().unwrap_or("-"),
                if line.address.is_empty() { "-" } else { &line.address },
            ));
        }
        Ok(())
    })
}
