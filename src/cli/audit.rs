use super::{
    Outcome, Screen,
    arguments::{AuditCommand, EventOutcome, EventQuery},
    block_on,
    screen::written,
};
use crate::{
    config::Config,
    runtime::sleep,
    store::audit::{AuditFilter, AuditRow},
    usecase::{
        Origin,
        audit::{ReadAudit, Restarted, Seen, Summary, line},
    },
    wiring,
};
use countersign_domain::{
    account::Identifier,
    audit::EventKind,
    id::{AccountId, TenantId},
    time::Timestamp,
};
use std::time::{Duration, UNIX_EPOCH};
use tokio::signal::ctrl_c;

/// How often a follower looks for what the service has sealed.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(config: &Config, command: &AuditCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            AuditCommand::List { query, limit, json } => list(config, query, *limit, *json, screen).await,
            AuditCommand::Follow { query, json } => follow(config, query, *json, screen).await,
            AuditCommand::Verify { tenant, seen } => verify(config, tenant.as_deref(), seen.as_deref(), screen).await,
            AuditCommand::Restart { tenant, anyway } => restart(config, tenant, *anyway, screen).await,
        }
    })
}

async fn list(config: &Config, query: &EventQuery, limit: u16, json: bool, screen: &Screen) -> Outcome {
    let trail = wiring::read_audit(config).await.map_err(|fault| fault.to_string())?;
    let (tenant, filter) = read_query(config, &trail, query).await?;
    let page = trail.newest(tenant, &filter, None, limit.into()).await.map_err(|failure| failure.to_string())?;
    if page.events.is_empty() && !json {
        let is_everything = filter == AuditFilter::default();
        screen.say(if is_everything { "nothing has happened yet" } else { "no such event" });
    }
    page.events.iter().for_each(|row| show(row, json, screen));
    Ok(())
}

async fn follow(config: &Config, query: &EventQuery, json: bool, screen: &Screen) -> Outcome {
    let trail = wiring::read_audit(config).await.map_err(|fault| fault.to_string())?;
    let (tenant, filter) = read_query(config, &trail, query).await?;
    let mut at = trail.end(tenant).await.map_err(|failure| failure.to_string())?;
    let following = async {
        loop {
            let page = trail.after(tenant, at).await.map_err(|failure| failure.to_string())?;
            for row in &page {
                at = row.position.unwrap_or(at);
                if filter.matches(row) {
                    show(row, json, screen);
                }
            }
            if page.is_empty() {
                sleep(LOOK).await;
            }
        }
    };
    tokio::select! {
        failed = following => failed,
        interrupted = ctrl_c() => interrupted.map_err(|error| error.to_string()),
    }
}

async fn verify(config: &Config, tenant: Option<&str>, seen: Option<&str>, screen: &Screen) -> Outcome {
    let seen = seen.map(read_seen).transpose()?;
    let verify = wiring::verify_audit(config).await.map_err(|fault| fault.to_string())?;
    let trail = ReadAudit { store: verify.store.clone() };
    // What was seen was seen of one tenant.
    let tenant = match (tenant, &seen) {
        (None, None) => None,
        (name, _) => Some(trail.tenant(name).await.map_err(|failure| failure.to_string())?),
    };
    let summaries = verify.run(tenant, seen.as_ref()).await.map_err(|failure| failure.to_string())?;
    if summaries.is_empty() {
        screen.say("nothing has happened yet");
    }
    for summary in &summaries {
        summarise(summary, screen);
    }
    if summaries.iter().all(Summary::is_sound) {
        Ok(())
    } else {
        Err("the audit trail is not as it was left".to_owned())
    }
}

fn summarise(summary: &Summary, screen: &Screen) {
    for found in &summary.found {
        screen.say(&found.to_string());
    }
    if summary.more > 0 {
        screen.say(&format!("tenant {}: and {} more", summary.tenant, summary.more));
    }
    let verdict = if summary.is_sound() { "sound" } else { "NOT SOUND" };
    screen.say(&format!(
        "tenant {}: {verdict}, {} events, positions {} to {}, end {}",
        summary.tenant,
        summary.events,
        summary.first,
        summary.last,
        summary.end(),
    ));
}

async fn restart(config: &Config, tenant: &str, anyway: bool, screen: &Screen) -> Outcome {
    let restart = wiring::restart_audit(config).await.map_err(|fault| fault.to_string())?;
    let trail = ReadAudit { store: restart.store.clone() };
    let tenant = trail.tenant(Some(tenant)).await.map_err(|failure| failure.to_string())?;
    match restart.run(&Origin::terminal(), tenant, anyway).await.map_err(|failure| failure.to_string())? {
        Restarted::Behind(position) => {
            screen.say(&format!("the chain goes on behind position {position}, and `audit verify` finds the restart there until it is forgotten"));
        }
        Restarted::NotNeeded => screen.say("the head of the chain is as it was left: there is nothing to do"),
    }
    Ok(())
}

fn show(row: &AuditRow, json: bool, screen: &Screen) {
    screen.say(&if json { line(row).trim_end().to_owned() } else { plain(row) });
}

fn plain(row: &AuditRow) -> String {
    let text = |text: &str| match text {
        "" => "-".to_owned(),
        text => text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect(),
    };
    let id = |id: Option<String>| id.unwrap_or_else(|| "-".to_owned());
    format!(
        "{}  {:>6}  {:<24} {:<8} {:<22} actor={} account={} session={} service={} object={} address={} request={} agent={}",
        written(row.happened_at),
        row.position.map_or_else(|| "-".to_owned(), |position| position.to_string()),
        text(&row.kind),
        text(&row.outcome),
        text(row.reason.as_deref().unwrap_or_default()),
        id(row.actor.map(|id| id.to_string())),
        id(row.account.map(|id| id.to_string())),
        id(row.session.map(|id| id.to_string())),
        id(row.service.map(|id| id.to_string())),
        text(row.object.as_deref().unwrap_or_default()),
        text(&row.address),
        text(&row.trace_id),
        text(&row.user_agent),
    )
}

async fn read_query(config: &Config, trail: &ReadAudit, query: &EventQuery) -> Result<(TenantId, AuditFilter), String> {
    let tenant = trail.tenant(query.tenant.as_deref()).await.map_err(|failure| failure.to_string())?;
    let kind = |name: &String| EventKind::from_name(name).ok_or_else(|| format!("{name} is not a kind of event"));
    let account = match &query.account {
        Some(whom) => Some(read_account(config, tenant, whom).await?),
        None => None,
    };
    let filter = AuditFilter {
        kind: query.kind.as_ref().map(kind).transpose()?,
        account,
        succeeded: query.outcome.map(|outcome| outcome == EventOutcome::Ok),
        since: query.since.as_deref().map(read_instant).transpose()?,
        until: query.until.as_deref().map(read_instant).transpose()?,
    };
    Ok((tenant, filter))
}

/// The events of an account that was deleted are found by its id alone.
async fn read_account(config: &Config, tenant: TenantId, whom: &str) -> Result<AccountId, String> {
    if let Ok(id) = whom.parse() {
        return Ok(id);
    }
    let accounts = wiring::operate_accounts(config).await.map_err(|fault| fault.to_string())?;
    let identifier = Identifier::parse(whom).map_err(|_| format!("{whom} can be nobody's address or user name"))?;
    let origin = Origin { named_tenant: Some(tenant), ..Origin::terminal() };
    let found = accounts.find(&origin, &identifier).await.map_err(|failure| failure.to_string())?;
    Ok(found.ok_or_else(|| format!("there is no account {whom}"))?.id)
}

fn read_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(wiring::World::real().clock.now().minus(ago));
    }
    let at = humantime::parse_rfc3339_weak(text)
        .map_err(|_| format!("{text} is neither an instant such as 2030-01-31T12:00:00Z nor a time such as 2h"))?;
    Ok(Timestamp::default().plus(at.duration_since(UNIX_EPOCH).unwrap_or_default()))
}

fn read_seen(text: &str) -> Result<Seen, String> {
    let parse = || {
        let (position, link) = text.split_once(':')?;
        let digits = (0..link.len()).step_by(2).map(|at| u8::from_str_radix(link.get(at..at + 2)?, 16).ok());
        Some(Seen { position: position.parse().ok()?, link: digits.collect::<Option<Vec<u8>>>()? })
    };
    let seen = parse().filter(|seen| seen.position >= 0 && seen.link.len() == 32);
    seen.ok_or_else(|| "--seen takes POSITION:LINK, as `audit verify` says it".to_owned())
}
