use super::{
    Outcome, Screen,
    arguments::{Format, MailCommand},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    mail::{Mailbox, StoredMail},
    store::outbox_report::Dead,
    usecase::mail::{ListOutbox, MailState, MailStatus, RequeueMail},
    wiring,
};
use serde_json::json;

/// More than anybody reads.
const ALL: usize = 10_000;

pub(super) fn dispatch(config: &Config, command: &MailCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            MailCommand::List { count, format } => {
                list(&wiring::mailbox(config), usize::from(count.count), *format, screen).await
            }
            MailCommand::Show { id } => show(&wiring::mailbox(config), id.as_deref(), screen).await,
            MailCommand::Outbox { dead, count, format } => {
                let outbox = open(config).await?.store_operations().list_outbox;
                list_outbox(&outbox, *dead, u64::from(count.count), (*format, screen)).await
            }
            MailCommand::Status => {
                let status = open(config).await?.mail_status().map_err(|fault| fault.to_string())?;
                show_status(&status, screen).await
            }
            MailCommand::Requeue { id, reason, all: _ } => {
                let outbox = open(config).await?.store_operations().requeue_mail;
                requeue(&outbox, id.as_deref(), reason.as_deref(), screen).await
            }
        }
    })
}

async fn read(mailbox: &Mailbox, limit: usize) -> Result<Vec<StoredMail>, String> {
    mailbox.list(None, limit).await.map_err(|error| format!("the mail folder cannot be read: {error}"))
}

async fn list(mailbox: &Mailbox, limit: usize, format: Format, screen: &Screen) -> Outcome {
    let mails = read(mailbox, limit).await?;
    if mails.is_empty() && !format.json {
        screen.print("the mail folder is empty");
    }
    for mail in mails {
        if format.json {
            screen.print_json(&json!({
                "mail_id": mail.id,
                "sent_at": written(mail.date),
                "from": mail.from,
                "to": mail.to,
                "subject": mail.subject,
            }));
            continue;
        }
        screen.print(&format!("{}  {}  {}  {}", mail.id, written(mail.date), mail.to, mail.subject));
    }
    Ok(())
}

async fn show(mailbox: &Mailbox, id: Option<&str>, screen: &Screen) -> Outcome {
    let mails = read(mailbox, if id.is_some() { ALL } else { 1 }).await?;
    let mail = mails.into_iter().find(|mail| id.is_none_or(|id| mail.id == id)).ok_or("there is no such mail")?;
    screen.print(&format!(
        "From: {}\nTo: {}\nSubject: {}\n\n{}",
        mail.from,
        mail.to,
        mail.subject,
        mail.text.trim_end()
    ));
    Ok(())
}

async fn list_outbox(outbox: &ListOutbox, dead: bool, limit: u64, (format, screen): (Format, &Screen)) -> Outcome {
    let lines = outbox.list(dead, limit).await.map_err(|failure| failure.to_string())?;
    if lines.is_empty() && !format.json {
        screen.print(if dead { "no mail in the outbox is dead" } else { "the outbox is empty" });
    }
    for line in lines {
        if format.json {
            screen.print_json(&json!({
                "mail_id": line.id.to_string(),
                "created_at": written(line.created_at),
                "state": line.state.to_string(),
                "template": line.template.to_string(),
                "recipient": line.recipient.to_string(),
                "attempts": line.attempts,
                "last_error": line.last_error,
            }));
            continue;
        }
        screen.print(&format!(
            "{}  {}  {:<8} {:<20} {}  attempts: {}{}",
            line.id,
            written(line.created_at),
            line.state,
            line.template,
            line.recipient,
            line.attempts,
            line.last_error.map_or_else(String::new, |error| format!("  {error}")),
        ));
    }
    Ok(())
}

/// The most reasons shown for one state.
const REASONS: usize = 8;

async fn show_status(status: &MailStatus, screen: &Screen) -> Outcome {
    let report = status.report().await.map_err(|failure| failure.to_string())?;
    if report.states.is_empty() {
        screen.print("the outbox is empty");
    }
    for state in &report.states {
        show_state(state, screen);
    }
    report.answer.map_err(|fault| format!("{} takes no mail: {fault}", report.place))?;
    screen.print(&format!("{} takes mail", report.place));
    Ok(())
}

fn show_state(state: &MailState, screen: &Screen) {
    let when = match state.last_finished {
        Some(last) => format!("the last at {}", written(last)),
        None => format!("the oldest since {}", written(state.oldest)),
    };
    screen.print(&format!("{:<8} {:>6}  {when}", state.name, state.mails));
    for (reason, mails) in state.reasons.iter().take(REASONS) {
        screen.print(&format!("         {mails:>6}  {reason}"));
    }
}

async fn requeue(outbox: &RequeueMail, id: Option<&str>, reason: Option<&str>, screen: &Screen) -> Outcome {
    let which =
        match (id, reason) {
            (Some(id), _) => Dead::One(id.parse().map_err(|_| {
                "this is not the id of a mail; `countersign mail outbox --dead` shows the ids".to_owned()
            })?),
            (None, Some(reason)) => Dead::BecauseOf(reason),
            (None, None) => Dead::All,
        };
    let requeued = outbox.requeue(which).await.map_err(|failure| failure.to_string())?;
    let over = match requeued.over {
        0 => String::new(),
        over => format!("{over} cannot be sent any more: what they were for has expired"),
    };
    match (requeued.mails, over.is_empty()) {
        (0, true) if id.is_some() => Err("no dead mail has this id".to_owned()),
        (0, true) => Err("no dead mail matches".to_owned()),
        (0, false) => Err(over),
        (1, true) => done(screen, "1 mail requeued; a running service sends it within seconds"),
        (mails, true) => done(screen, &format!("{mails} mails requeued; a running service sends them within seconds")),
        (mails, false) => {
            done(screen, &format!("{mails} mails requeued; a running service sends them within seconds; {over}"))
        }
    }
}

fn done(screen: &Screen, line: &str) -> Outcome {
    screen.print(line);
    Ok(())
}
