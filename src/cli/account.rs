use super::{Outcome, Screen, arguments::AccountCommand, block_on, screen::written};
use crate::{
    config::Config,
    usecase::{
        Origin,
        account::{AccountLine, OperateAccounts},
    },
    wiring,
};
use countersign_domain::{account::Identifier, lockout::SPENT};

pub(super) fn run(config: &Config, command: &AccountCommand, screen: &Screen) -> Outcome {
    block_on(async {
        let accounts = wiring::operate_accounts(config).await.map_err(|fault| fault.to_string())?;
        let operator = Desk { accounts, origin: Origin::terminal(), screen };
        match command {
            AccountCommand::List(count) => operator.list(u64::from(count.count)).await,
            AccountCommand::Show(whom) => operator.show(&whom.identifier).await,
            AccountCommand::Disable(whom) => operator.disable(&whom.identifier).await,
            AccountCommand::Enable(whom) => operator.enable(&whom.identifier).await,
        }
    })
}

struct Desk<'a> {
    accounts: OperateAccounts,
    origin: Origin,
    screen: &'a Screen,
}

impl Desk<'_> {
    async fn list(&self, limit: u64) -> Outcome {
        let lines = self.accounts.list(&self.origin, limit).await.map_err(|failure| failure.to_string())?;
        if lines.is_empty() {
            self.screen.say("there is no account yet");
        }
        lines.iter().for_each(|line| self.print(line));
        Ok(())
    }

    async fn show(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        self.print(&line);
        match line.password_failures {
            0 => {}
            SPENT => self.screen.say(
                "its password was guessed at for too long: on devices not known it opens nothing until it is reset",
            ),
            count => self.screen.say(&format!("wrong passwords in a row, from devices not known: {count}")),
        }
        Ok(())
    }

    async fn disable(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let done = self.accounts.disable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.say(if done { "disabled; its sessions have ended" } else { "it was disabled already" });
        Ok(())
    }

    async fn enable(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let done = self.accounts.enable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.say(if done { "enabled; it may log in again" } else { "it was not disabled" });
        Ok(())
    }

    async fn find(&self, identifier: &str) -> Result<AccountLine, String> {
        let identifier = Identifier::parse(identifier).map_err(|_| "that is neither an address nor a user name")?;
        let found = self.accounts.find(&self.origin, &identifier).await.map_err(|failure| failure.to_string())?;
        found.ok_or_else(|| "there is no such account".to_owned())
    }

    fn print(&self, line: &AccountLine) {
        let state = line.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {}", written(at)));
        let name = if line.username.is_empty() { "-" } else { &line.username };
        self.screen.say(&format!("{}  {}  {}  {name}  {state}", line.id, written(line.created_at), line.email));
    }
}
