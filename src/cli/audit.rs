use super::{
    Outcome, Screen,
    account::account_id,
    arguments::{AuditCommand, EventOutcome, EventQuery, EventSpan},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    runtime::sleep,
    store::audit::AuditFilter,
    usecase::{
        Origin,
        account::FindAccount,
        audit::{FindingText, ReadAudit, Restarted, Seen, Summary, end_of, line},
    },
    wiring::{StoreOperations, World},
};
use countersign_domain::{
    account::Identifier,
    audit::{EventKind, RecordedEvent},
    id::{AccountId, TenantId},
    refusal::Reason,
    time::Timestamp,
};
use std::time::{Duration, UNIX_EPOCH};

/// How often `audit follow` polls for new events.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(super) fn dispatch(config: &Config, command: &AuditCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            AuditCommand::List { query, span, limit, format } => {
                list(config, (query, span), *limit, format.json, screen).await
            }
            AuditCommand::Follow { query, format } => follow(config, query, format.json, screen).await,
            AuditCommand::Verify { tenant, seen } => verify(config, tenant.as_deref(), seen.as_deref(), screen).await,
            AuditCommand::Restart { tenant, anyway } => restart(config, tenant, *anyway, screen).await,
        }
    })
}

async fn list(
    config: &Config,
    (query, span): (&EventQuery, &EventSpan),
    limit: u16,
    json: bool,
    screen: &Screen,
) -> Outcome {
    let operations = open(config).await?.store_operations();
    let (tenant, filter) = read_query(&operations, query).await?;
    let audit = operations.read_audit;
    let filter = AuditFilter {
        since: span.since.as_deref().map(read_instant).transpose()?,
        until: span.until.as_deref().map(read_instant).transpose()?,
        ..filter
    };
    let page = audit.newest(tenant, &filter, None, limit.into()).await.map_err(|failure| failure.to_string())?;
    if page.events.is_empty() && !json {
        let is_everything = filter == AuditFilter::default();
        screen.print(if is_everything { "the audit log is empty" } else { "no event matches" });
    }
    page.events.iter().for_each(|row| show(row, json, screen));
    Ok(())
}

async fn follow(config: &Config, query: &EventQuery, json: bool, screen: &Screen) -> Outcome {
    let operations = open(config).await?.store_operations();
    let (tenant, filter) = read_query(&operations, query).await?;
    let audit = operations.read_audit;
    let mut at = audit.end(tenant).await.map_err(|failure| failure.to_string())?;
    // Runs until a signal ends it.
    loop {
        let page = audit.after(tenant, at).await.map_err(|failure| failure.to_string())?;
        for row in &page {
            at = row.position.unwrap_or(at);
            if filter.matches(row) {
                show(row, json, screen);
            }
        }
        if page.is_empty() {
            sleep(POLL_INTERVAL).await;
        }
    }
}

async fn verify(config: &Config, tenant: Option<&str>, seen: Option<&str>, screen: &Screen) -> Outcome {
    let seen = seen.map(read_seen).transpose()?;
    let terminal = open(config).await?;
    let verify = terminal.verify_audit().await.map_err(|fault| fault.to_string())?;
    let audit = terminal.store_operations().read_audit;
    // `seen` is a position of one tenant.
    let tenant = match (tenant, &seen) {
        (None, None) => None,
        (name, _) => Some(find_tenant(&audit, name).await?),
    };
    let summaries = verify.verify(tenant, seen.as_ref()).await.map_err(|failure| failure.to_string())?;
    if summaries.is_empty() {
        screen.print("the audit log is empty");
    }
    for summary in &summaries {
        let name = audit.name(summary.tenant).await.map_err(|failure| failure.to_string())?;
        summarise(summary, name.as_deref(), screen);
    }
    if summaries.iter().all(Summary::is_sound) {
        Ok(())
    } else {
        Err("the audit log did not pass verification".to_owned())
    }
}

fn summarise(summary: &Summary, name: Option<&str>, screen: &Screen) {
    let tenant = match name {
        Some(name) => format!("tenant {name} ({})", summary.tenant),
        None => format!("tenant {}", summary.tenant),
    };
    for found in &summary.found {
        screen.print(&one_line(&format!("{tenant}: {}", FindingText(found))));
    }
    if summary.more > 0 {
        screen.print(&format!("{tenant}: {} more findings are not listed", summary.more));
    }
    let verdict = if summary.is_sound() { "ok" } else { "FAILED" };
    screen.print(&format!(
        "{tenant}: {verdict}, {} events, positions {} to {}, end {}",
        summary.events,
        summary.first,
        summary.last,
        end_of(summary),
    ));
}

async fn restart(config: &Config, tenant: &str, anyway: bool, screen: &Screen) -> Outcome {
    let terminal = open(config).await?;
    let restart = terminal.restart_audit().await.map_err(|fault| fault.to_string())?;
    let tenant = find_tenant(&terminal.store_operations().read_audit, Some(tenant)).await?;
    match restart.restart(&Origin::terminal(), tenant, anyway).await.map_err(|failure| failure.to_string())? {
        Restarted::Behind(position) => {
            screen.print(&format!(
                "the chain continues after position {position}; `audit verify` reports the restart for as long as its \
                 event is kept"
            ));
        }
        Restarted::NotNeeded => screen.print("the head of the chain is intact: there is nothing to do"),
    }
    Ok(())
}

fn show(row: &RecordedEvent, json: bool, screen: &Screen) {
    screen.print(&if json { line(row).trim_end().to_owned() } else { plain(row) });
}

/// Empty values are left out.
fn plain(row: &RecordedEvent) -> String {
    let named = [
        ("actor", row.actor.map(|id| id.to_string())),
        ("account", row.account.map(|id| id.to_string())),
        ("session", row.session.map(|id| id.to_string())),
        ("service", row.service.map(|id| id.to_string())),
        ("object", row.object.clone()),
        ("address", Some(row.address.clone())),
        ("request", Some(row.trace_id.clone())),
        ("agent", Some(row.user_agent.clone())),
    ];
    let position = row.position.map_or_else(|| "-".to_owned(), |position| position.to_string());
    let mut text = format!("{}  {position:>6}  {:<24} {:<8}", written(row.happened_at), row.kind, row.outcome);
    let named = named.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    text.extend(row.reason.iter().map(|reason| format!(" {reason}")));
    text.extend(named.map(|(name, value)| format!(" {name}={value}")));
    one_line(text.trim_end())
}

/// An attacker who can write to the database may write a line break, and after it text that looks like another line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

async fn read_query(operations: &StoreOperations, query: &EventQuery) -> Result<(TenantId, AuditFilter), String> {
    let tenant = find_tenant(&operations.read_audit, query.tenant.as_deref()).await?;
    let account = match &query.account {
        Some(whom) => Some(read_account(&operations.find_account, tenant, whom).await?),
        None => None,
    };
    let filter = AuditFilter {
        kind: query.kind.as_deref().and_then(EventKind::from_name),
        account,
        succeeded: query.outcome.map(|outcome| outcome == EventOutcome::Ok),
        ..AuditFilter::default()
    };
    Ok((tenant, filter))
}

async fn find_tenant(audit: &ReadAudit, name: Option<&str>) -> Result<TenantId, String> {
    audit.tenant(name).await.map_err(|failure| match (failure.reason(), name) {
        (Reason::TenantUnknown, Some(name)) => format!("there is no tenant {name}"),
        _ => failure.to_string(),
    })
}

/// The events of a deleted account are found by its id alone.
async fn read_account(accounts: &FindAccount, tenant: TenantId, whom: &str) -> Result<AccountId, String> {
    if let Some(id) = account_id(whom) {
        return Ok(id);
    }
    let identifier =
        Identifier::parse(whom).map_err(|_| format!("{whom} is neither an e-mail address nor a user name"))?;
    let origin = Origin { named_tenant: Some(tenant), ..Origin::terminal() };
    let found = accounts.find(&origin, &identifier).await.map_err(|failure| failure.to_string())?;
    Ok(found.ok_or_else(|| format!("there is no account {whom}"))?.id)
}

fn read_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(World::real().clock.now().minus(ago));
    }
    let at = humantime::parse_rfc3339_weak(text)
        .map_err(|_| format!("{text} is neither a time such as 2030-01-31T12:00:00Z nor a duration such as 2h"))?;
    Ok(Timestamp::default().plus(at.duration_since(UNIX_EPOCH).unwrap_or_default()))
}

fn read_seen(text: &str) -> Result<Seen, String> {
    let parse = || {
        let (position, link) = text.split_once(':')?;
        let is_plain =
            position.bytes().all(|byte| byte.is_ascii_digit()) && link.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits = (0..link.len()).step_by(2).map(|at| u8::from_str_radix(link.get(at..at + 2)?, 16).ok());
        is_plain.then_some(())?;
        Some(Seen { position: position.parse().ok()?, link: digits.collect::<Option<Vec<u8>>>()? })
    };
    let seen = parse().filter(|seen| seen.link.len() == 32);
    seen.ok_or_else(|| "--seen takes POSITION:LINK: a number, a colon and 64 hexadecimal digits".to_owned())
}
