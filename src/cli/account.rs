use super::{
    Outcome, Screen,
    arguments::{AccountCommand, Format, RoleCommand},
    block_on,
    screen::written,
};
use crate::{
    config::Config,
    usecase::{
        Failure, Origin,
        account::{AccountLine, CreateAccount, NewAccount, OperateAccounts},
        role::{Granted, OperateRoles},
    },
    wiring,
};
use countersign_domain::{
    account::Identifier,
    display_name::DisplayName,
    email::EmailAddress,
    id::AccountId,
    locale::Locale,
    lockout::SPENT,
    refusal::Reason,
    username::{MAX_USERNAME_CHARS, Username},
};
use serde_json::json;

pub(super) fn run(config: &Config, command: &AccountCommand, screen: &Screen) -> Outcome {
    block_on(async {
        let accounts = wiring::operate_accounts(config).await.map_err(|fault| fault.to_string())?;
        let operator = Desk { accounts, origin: Origin::terminal(), screen };
        match command {
            AccountCommand::List { count, format } => operator.list(u64::from(count.count), *format).await,
            AccountCommand::Show { whom, format } => operator.show(&whom.identifier, *format).await,
            AccountCommand::Create { email, username, name, locale } => {
                let create = wiring::create_account(config).await.map_err(|fault| fault.to_string())?;
                let new = new_account(email, username.as_deref(), name, locale)?;
                operator.create(&create, new).await
            }
            AccountCommand::Role { command } => {
                let roles = wiring::operate_roles(config).await.map_err(|fault| fault.to_string())?;
                operator.role(&roles, command).await
            }
            AccountCommand::Disable(whom) => operator.disable(&whom.identifier).await,
            AccountCommand::Enable(whom) => operator.enable(&whom.identifier).await,
        }
    })
}

/// An id as it is printed, with its hyphens: longer than any user name.
pub(super) fn account_id(text: &str) -> Option<AccountId> {
    (text.len() > MAX_USERNAME_CHARS).then(|| text.parse().ok()).flatten()
}

struct Desk<'a> {
    accounts: OperateAccounts,
    origin: Origin,
    screen: &'a Screen,
}

impl Desk<'_> {
    async fn list(&self, limit: u64, format: Format) -> Outcome {
        let lines = self.accounts.list(&self.origin, limit).await.map_err(|failure| failure.to_string())?;
        if lines.is_empty() && !format.json {
            self.screen.say("there is no account yet");
        }
        lines.iter().for_each(|line| self.print(line, format));
        Ok(())
    }

    async fn show(&self, identifier: &str, format: Format) -> Outcome {
        let line = self.find(identifier).await?;
        self.print(&line, format);
        if format.json {
            return Ok(());
        }
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

    async fn create(&self, create: &CreateAccount, new: NewAccount) -> Outcome {
        let email = new.email.as_str().to_owned();
        let id = create.run(&self.origin, new).await.map_err(|failure| match failure.reason() {
            Reason::EmailTaken => format!("{email} has an account already"),
            Reason::UsernameTaken => "the user name is taken".to_owned(),
            _ => failure.to_string(),
        })?;
        self.screen
            .say(&format!("{id}\na link that sets its password, once and for 24 hours, will be mailed to {email}"));
        Ok(())
    }

    async fn role(&self, roles: &OperateRoles, command: &RoleCommand) -> Outcome {
        let said = |failure: Failure| match &failure {
            Failure::Refused(refusal) if refusal.violations.iter().any(|violation| violation.field == "account") => {
                "there is no such account".to_owned()
            }
            Failure::Refused(_) => {
                "a role has lower-case letters, digits, `.`, `:`, `-` and `_`, a letter first".to_owned()
            }
            _ => failure.to_string(),
        };
        match command {
            RoleCommand::Grant { whom, role } => {
                let line = self.find(&whom.identifier).await?;
                let granted = roles.grant(&self.origin, line.id, role).await.map_err(said)?;
                self.screen.say(match granted {
                    Granted { had_it: true, .. } => "it had the role already",
                    Granted { is_new_role: true, .. } => {
                        "the role was made and granted; tokens have it from their next refresh on"
                    }
                    Granted { .. } => "granted; tokens have it from their next refresh on",
                });
            }
            RoleCommand::Revoke { whom, role } => {
                let line = self.find(&whom.identifier).await?;
                if !roles.revoke(&self.origin, line.id, role).await.map_err(said)? {
                    return Err("it does not have this role".to_owned());
                }
                self.screen.say("revoked; access tokens that were made before have it until they expire");
            }
            RoleCommand::List { identifier: Some(whom) } => {
                let line = self.find(whom).await?;
                roles.of(&self.origin, line.id).await.map_err(said)?.iter().for_each(|role| self.screen.say(role));
            }
            RoleCommand::List { identifier: None } => {
                let all = roles.all(&self.origin).await.map_err(said)?;
                all.iter().for_each(|(role, accounts)| self.screen.say(&format!("{accounts:>6}  {role}")));
            }
        }
        Ok(())
    }

    async fn find(&self, whom: &str) -> Result<AccountLine, String> {
        let found = match account_id(whom) {
            Some(id) => self.accounts.find_by_id(&self.origin, id).await,
            None => {
                let identifier =
                    Identifier::parse(whom).map_err(|_| "that is neither an address, a user name nor an account id")?;
                self.accounts.find(&self.origin, &identifier).await
            }
        };
        found.map_err(|failure| failure.to_string())?.ok_or_else(|| "there is no such account".to_owned())
    }

    fn print(&self, line: &AccountLine, format: Format) {
        if format.json {
            return self.screen.say_json(&json!({
                "account_id": line.id.to_string(),
                "email": line.email,
                "username": line.username,
                "created_at": written(line.created_at),
                "disabled_at": line.disabled_at.map(written),
                "password_failures": line.password_failures,
                "password_spent": line.password_failures == SPENT,
            }));
        }
        let state = line.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {}", written(at)));
        let name = if line.username.is_empty() { "-" } else { &line.username };
        self.screen.say(&format!("{}  {}  {}  {name}  {state}", line.id, written(line.created_at), line.email));
    }
}

/// Reads what an operator typed; the reason says which part of it cannot be used.
fn new_account(email: &str, username: Option<&str>, name: &str, locale: &str) -> Result<NewAccount, String> {
    let email = EmailAddress::parse(email).map_err(|invalid| format!("the address {}", invalid.describe()))?;
    let username = username.map(Username::parse).transpose();
    let username = username.map_err(|invalid| format!("the user name {}", invalid.describe()))?;
    let display_name = DisplayName::parse(name).map_err(|invalid| format!("the name {}", invalid.describe()))?;
    let locale = Locale::lookup(locale).ok_or("the locale is not a language tag such as de-AT")?;
    Ok(NewAccount { email, username, display_name, locale })
}
