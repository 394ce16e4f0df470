use super::{
    Outcome, Screen,
    arguments::{AccountCommand, FactorsCommand, Format, RoleCommand},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    usecase::{
        Failure, Origin,
        account::{AccountLine, NewAccount},
        factor::FactorsRemoved,
        role::Granted,
    },
    wiring::{StoreOperations, Terminal},
};
use countersign_domain::{
    account::Identifier,
    display_name::DisplayName,
    email::EmailAddress,
    factor::LOCKED_AFTER,
    id::AccountId,
    locale::Locale,
    lockout::SPENT,
    refusal::Reason,
    username::{MAX_USERNAME_CHARS, Username},
};
use serde_json::json;

pub(super) fn dispatch(config: &Config, command: &AccountCommand, screen: &Screen) -> Outcome {
    block_on(async {
        let terminal = open(config).await?;
        let operations = terminal.store_operations();
        let accounts = Accounts { terminal, operations, origin: Origin::terminal(), screen };
        match command {
            AccountCommand::List { count, format } => accounts.list(u64::from(count.count), *format).await,
            AccountCommand::Show { whom, format } => accounts.show(&whom.identifier, *format).await,
            AccountCommand::Create { email, username, name, locale } => {
                accounts.create(new_account(email, username.as_deref(), name, locale)?).await
            }
            AccountCommand::Factors { command: FactorsCommand::List { whom, format } } => {
                accounts.list_factors(&whom.identifier, *format).await
            }
            AccountCommand::Factors { command: FactorsCommand::Reset(whom) } => {
                accounts.reset_factors(&whom.identifier).await
            }
            AccountCommand::Role { command: RoleCommand::Grant { whom, role } } => {
                accounts.grant_role(&whom.identifier, role).await
            }
            AccountCommand::Role { command: RoleCommand::Revoke { whom, role } } => {
                accounts.revoke_role(&whom.identifier, role).await
            }
            AccountCommand::Role { command: RoleCommand::List { identifier } } => {
                accounts.list_roles(identifier.as_deref()).await
            }
            AccountCommand::Disable(whom) => accounts.disable(&whom.identifier).await,
            AccountCommand::Enable(whom) => accounts.enable(&whom.identifier).await,
        }
    })
}

/// The id of an account as printed, with hyphens: longer than any user name.
pub(super) fn account_id(text: &str) -> Option<AccountId> {
    (text.len() > MAX_USERNAME_CHARS).then(|| text.parse().ok()).flatten()
}

/// The use cases of the commands about accounts and roles.
struct Accounts<'a> {
    terminal: Terminal<'a>,
    operations: StoreOperations,
    origin: Origin,
    screen: &'a Screen,
}

impl Accounts<'_> {
    async fn list(&self, limit: u64, format: Format) -> Outcome {
        let lines =
            self.operations.list_accounts.list(&self.origin, limit).await.map_err(|failure| failure.to_string())?;
        if lines.is_empty() && !format.json {
            self.screen.print("there are no accounts");
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
            SPENT => self.screen.print(
                "its password was disabled after too many wrong passwords: until it is reset, it works on recognized \
                 devices alone",
            ),
            count => self.screen.print(&format!("wrong passwords in a row from unrecognized devices: {count}")),
        }
        Ok(())
    }

    async fn list_factors(&self, identifier: &str, format: Format) -> Outcome {
        let (line, tenant) = (self.find(identifier).await?, self.origin.tenant());
        let list = self.operations.list_factors.list(tenant, line.id).await.map_err(|failure| failure.to_string())?;
        for factor in &list.factors {
            let used = factor.used_at.map_or_else(|| "never".to_owned(), written);
            self.screen.print(&if format.json {
                json!({
                    "factor_id": factor.id.to_string(),
                    "kind": factor.kind.name(),
                    "name": factor.name,
                    "created_at": written(factor.created_at),
                    "used_at": factor.used_at.map(written),
                    "is_backup_eligible": factor.passkey.map(|facts| facts.is_backup_eligible),
                    "authenticator": factor.passkey.and_then(|facts| facts.authenticator()),
                })
                .to_string()
            } else {
                let (kind, created) = (factor.kind.name(), written(factor.created_at));
                format!("{}  {kind}  {created}  used {used}  {}", factor.id, factor.name)
            });
        }
        if format.json {
            return Ok(());
        }
        if list.factors.is_empty() {
            self.screen.print("the account has no factor beside its password");
            return Ok(());
        }
        self.screen.print(&format!("backup codes left: {}", list.backup_codes_left));
        let remembered = self.operations.list_remembered_devices.list(tenant, line.id).await;
        let remembered = remembered.map_err(|failure| failure.to_string())?.len();
        self.screen.print(&format!("devices on which the password alone logs in: {remembered}"));
        if line.factor_failures > 0 {
            let failures = line.factor_failures;
            let lock =
                if failures >= LOCKED_AFTER { "; codes of apps work only where one was used before" } else { "" };
            self.screen.print(&format!("wrong codes in a row from unrecognized devices: {failures}{lock}"));
        }
        Ok(())
    }

    async fn reset_factors(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let reset = self.terminal.recorded_operations().await.reset_factors;
        let removed = reset.reset(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.print(&match removed {
            Some(FactorsRemoved { factors, password: false }) => {
                format!("factors removed: {factors}; the next login takes the password, and adds a factor where policy requires one, and its owner is mailed")
            }
            Some(FactorsRemoved { factors, password: true }) => format!(
                "factors removed: {factors}; the password was too short to be used alone and is removed as well: its \
                 owner is mailed, and sets another by the link in that mail"
            ),
            None => "the account has no factor beside its password".to_owned(),
        });
        Ok(())
    }

    async fn disable(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let disable = self.terminal.recorded_operations().await.disable_account;
        let done = disable.disable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.print(if done {
            "account disabled; its sessions have ended"
        } else {
            "the account is disabled already"
        });
        Ok(())
    }

    async fn enable(&self, identifier: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let enable = self.terminal.recorded_operations().await.enable_account;
        let done = enable.enable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.print(if done {
            "account enabled; its owner can log in again"
        } else {
            "the account was not disabled"
        });
        Ok(())
    }

    async fn create(&self, new: NewAccount) -> Outcome {
        let create = self.terminal.recorded_operations().await.create_account;
        let email = new.email.as_str().to_owned();
        let id = create.create(&self.origin, new).await.map_err(|failure| match failure.reason() {
            Reason::EmailTaken => format!("{email} has an account already"),
            Reason::UsernameTaken => "the user name is taken".to_owned(),
            _ => failure.to_string(),
        })?;
        self.screen
            .print(&format!("{id}\na link to set the password will be mailed to {email}; it works once, for 24 hours"));
        Ok(())
    }

    async fn grant_role(&self, identifier: &str, role: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let grant = self.terminal.recorded_operations().await.grant_role;
        let granted = grant.grant(&self.origin, line.id, role).await.map_err(|failure| match &failure {
            Failure::Refused(refusal) if refusal.violations.iter().any(|violation| violation.field == "account") => {
                "there is no such account".to_owned()
            }
            Failure::Refused(_) => {
                "the name of a role has 1 to 64 lower-case letters, digits, `.`, `:`, `-` and `_`, and begins with a \
                 letter"
                    .to_owned()
            }
            _ => failure.to_string(),
        })?;
        self.screen.print(match granted {
            Granted { had_it: true, .. } => "the account has this role already",
            Granted { is_new_role: true, .. } => {
                "role created and granted; access tokens carry it from the next refresh on"
            }
            Granted { .. } => "role granted; access tokens carry it from the next refresh on",
        });
        Ok(())
    }

    async fn revoke_role(&self, identifier: &str, role: &str) -> Outcome {
        let line = self.find(identifier).await?;
        let revoke = self.terminal.recorded_operations().await.revoke_role;
        let had_it = revoke.revoke(&self.origin, line.id, role).await.map_err(|failure| failure.to_string())?;
        if !had_it {
            return Err("the account does not have this role".to_owned());
        }
        self.screen.print("role revoked; access tokens issued before carry it until they expire");
        Ok(())
    }

    /// The roles of one account, or all roles.
    async fn list_roles(&self, identifier: Option<&str>) -> Outcome {
        let list = &self.operations.list_roles;
        if let Some(identifier) = identifier {
            let line = self.find(identifier).await?;
            let roles = list.list_of(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
            roles.iter().for_each(|role| self.screen.print(role));
        } else {
            let roles = list.list_all(&self.origin).await.map_err(|failure| failure.to_string())?;
            roles.iter().for_each(|(role, accounts)| self.screen.print(&format!("{accounts:>6}  {role}")));
        }
        Ok(())
    }

    async fn find(&self, whom: &str) -> Result<AccountLine, String> {
        let find = &self.operations.find_account;
        let found = match account_id(whom) {
            Some(id) => find.find_by_id(&self.origin, id).await,
            None => {
                let identifier = Identifier::parse(whom)
                    .map_err(|_| "this is neither an e-mail address nor a user name nor an account id")?;
                find.find(&self.origin, &identifier).await
            }
        };
        found.map_err(|failure| failure.to_string())?.ok_or_else(|| "there is no such account".to_owned())
    }

    fn print(&self, line: &AccountLine, format: Format) {
        if format.json {
            return self.screen.print_json(&json!({
                "account_id": line.id.to_string(),
                "email": line.email,
                "username": line.username,
                "created_at": written(line.created_at),
                "disabled_at": line.disabled_at.map(written),
                "password_failures": line.password_failures,
                "factors": line.factors,
                "factor_failures": line.factor_failures,
                "password_spent": line.password_failures == SPENT,
            }));
        }
        let state = line.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {}", written(at)));
        let name = if line.username.is_empty() { "-" } else { &line.username };
        self.screen.print(&format!("{}  {}  {}  {name}  {state}", line.id, written(line.created_at), line.email));
    }
}

/// Reads what an operator typed; an error names the part that is invalid.
fn new_account(email: &str, username: Option<&str>, name: &str, locale: &str) -> Result<NewAccount, String> {
    let email = EmailAddress::parse(email).map_err(|invalid| format!("the address {}", invalid.describe()))?;
    let username = username.map(Username::parse).transpose();
    let username = username.map_err(|invalid| format!("the user name {}", invalid.describe()))?;
    let display_name =
        DisplayName::parse(name).map_err(|invalid| format!("the display name {}", invalid.describe()))?;
    let locale = Locale::lookup(locale).ok_or("the locale is not a language tag such as de-AT")?;
    Ok(NewAccount { email, username, display_name, locale })
}
