use super::{Outcome, Screen, arguments::MailCommand, block_on, screen::written};
use crate::{
    config::Config,
    mail::{Mailbox, StoredMail},
    usecase::mail::OperateOutbox,
    wiring,
};

/// More than anybody scrolls through.
const ALL: usize = 10_000;

pub(super) fn run(config: &Config, command: &MailCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            MailCommand::List(count) => list(&wiring::mailbox(config), usize::from(count.count), screen).await,
            MailCommand::Show { id } => show(&wiring::mailbox(config), id.as_deref(), screen).await,
            MailCommand::Outbox { dead, count } => {
                let outbox = wiring::operate_outbox(config).await.map_err(|fault| fault.to_string())?;
                list_outbox(&outbox, *dead, u64::from(count.count), screen).await
            }
            MailCommand::Requeue { id } => {
                let outbox = wiring::operate_outbox(config).await.map_err(|fault| fault.to_string())?;
                requeue(&outbox, id, screen).await
            }
        }
    })
}

async fn read(mailbox: &Mailbox, limit: usize) -> Result<Vec<StoredMail>, String> {
    mailbox.list(None, limit).await.map_err(|error| format!("the mail folder cannot be read: {error}"))
}

async fn list(mailbox: &Mailbox, limit: usize, screen: &Screen) -> Outcome {
    let mails = read(mailbox, limit).await?;
    if mails.is_empty() {
        screen.say("no mail has been written to files");
    }
    for mail in mails {
        screen.say(&format!("{}  {}  {}  {}", mail.id, written(mail.date), mail.to, mail.subject));
    }
    Ok(())
}

async fn show(mailbox: &Mailbox, id: Option<&str>, screen: &Screen) -> Outcome {
    let mails = read(mailbox, if id.is_some() { ALL } else { 1 }).await?;
    let mail = mails.into_iter().find(|mail| id.is_none_or(|id| mail.id == id)).ok_or("there is no such mail")?;
    screen.say(&format!("From: {}\nTo: {}\nSubject: {}\n\n{}", mail.from, mail.to, mail.subject, mail.text.trim_end()));
    Ok(())
}

async fn list_outbox(outbox: &OperateOutbox, dead: bool, limit: u64, screen: &Screen) -> Outcome {
    let lines = outbox.list(dead, limit).await.map_err(|failure| failure.to_string())?;
    if lines.is_empty() {
        screen.say("the outbox has no such mail");
    }
    for line in lines {
        screen.say(&format!(
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

async fn requeue(outbox: &OperateOutbox, id: &str, screen: &Screen) -> Outcome {
    let id = id.parse().map_err(|_| "that is not the id of a mail".to_owned())?;
    if !outbox.requeue(id).await.map_err(|failure| failure.to_string())? {
        return Err("no mail of this id was given up".to_owned());
    }
    screen.say("the mail will be sent as soon as a service looks");
    Ok(())
}
