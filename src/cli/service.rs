use super::{
    Outcome, Screen,
    arguments::{Format, ServiceCommand},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    usecase::{
        Origin,
        service::{NewService, ServiceLine},
    },
    wiring::{StoreOperations, Terminal},
};
use countersign_domain::{audience::is_audience_name, refusal::Reason, service::is_service_name};
use serde_json::{Value, json};

pub(super) fn dispatch(config: &Config, command: &ServiceCommand, screen: &Screen) -> Outcome {
    block_on(async {
        let terminal = open(config).await?;
        let operations = terminal.store_operations();
        let services = Services { terminal, operations, origin: Origin::terminal(), screen };
        match command {
            ServiceCommand::Create { name, audiences, calls } => services.create(name, audiences, calls).await,
            ServiceCommand::List(format) => services.list(*format).await,
            ServiceCommand::AddSecret { name } => services.add_secret(name).await,
            ServiceCommand::RetireSecret { name, secret_id } => services.retire_secret(name, secret_id).await,
            ServiceCommand::Disable { name } => services.disable(name).await,
            ServiceCommand::Enable { name } => services.enable(name).await,
        }
    })
}

/// The use cases of the commands about service accounts.
struct Services<'a> {
    terminal: Terminal<'a>,
    operations: StoreOperations,
    origin: Origin,
    screen: &'a Screen,
}

const NO_NAME: &str =
    "the name of a service account or an audience has 1 to 64 lower-case letters, digits, `.`, `-` and `_`";

impl Services<'_> {
    async fn create(&self, name: &str, audiences: &[String], calls: &[String]) -> Outcome {
        if !is_service_name(name) || !audiences.iter().chain(calls).all(|audience| is_audience_name(audience)) {
            return Err(NO_NAME.to_owned());
        }
        let new = NewService { name: name.to_owned(), serves: distinct(audiences), calls: distinct(calls) };
        let keys = self.terminal.key_operations().await.map_err(|fault| fault.to_string())?;
        let created =
            keys.create_service.create(&self.origin, new).await.map_err(|failure| match failure.reason() {
                Reason::AudienceUnknown => "an audience named with `--calls` does not exist".to_owned(),
                _ => failure.to_string(),
            })?;
        let created = created.ok_or("there is a service account of this name already")?;
        for audience in created.new_audiences {
            self.screen.print(&format!("created the audience {audience}"));
        }
        self.screen.print(&format!("client id      {}", created.id));
        self.print_secret(&created.secret_id.to_string(), created.secret.reveal());
        Ok(())
    }

    async fn list(&self, format: Format) -> Outcome {
        let lines = self.operations.list_services.list(&self.origin).await.map_err(|failure| failure.to_string())?;
        if format.json {
            lines.iter().for_each(|line| self.screen.print_json(&as_json(line)));
            return Ok(());
        }
        if lines.is_empty() {
            self.screen.print("there are no service accounts");
        }
        lines.iter().for_each(|line| self.print(line));
        Ok(())
    }

    async fn add_secret(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let add = self.terminal.recorded_operations().await.add_service_secret;
        let added = add.add(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        let (id, secret) = added.ok_or("the service account has two secrets already: retire one first")?;
        self.print_secret(&id.to_string(), secret.reveal());
        Ok(())
    }

    async fn retire_secret(&self, name: &str, secret: &str) -> Outcome {
        let line = self.find(name).await?;
        let id =
            secret.parse().map_err(|_| "this is not the id of a secret; `countersign service list` shows the ids")?;
        let retire = self.terminal.recorded_operations().await.retire_service_secret;
        if !retire.retire(&self.origin, line.id, id).await.map_err(|failure| failure.to_string())? {
            return Err("the service account has no live secret of this id".to_owned());
        }
        self.screen.print("secret retired; the tokens issued with it are revoked");
        Ok(())
    }

    async fn disable(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let disable = self.terminal.recorded_operations().await.disable_service;
        let done = disable.disable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.print(if done {
            "service account disabled; its tokens are revoked"
        } else {
            "the service account is disabled already"
        });
        Ok(())
    }

    async fn enable(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let enable = self.terminal.recorded_operations().await.enable_service;
        let done = enable.enable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.print(if done {
            "service account enabled; tokens issued within five seconds of the disabling are refused"
        } else {
            "the service account was not disabled"
        });
        Ok(())
    }

    async fn find(&self, name: &str) -> Result<ServiceLine, String> {
        let found =
            self.operations.find_service.find(&self.origin, name).await.map_err(|failure| failure.to_string())?;
        found.ok_or_else(|| "there is no such service account".to_owned())
    }

    fn print(&self, line: &ServiceLine) {
        let state = line.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {}", written(at)));
        let calls = if line.calls.is_empty() { "-".to_owned() } else { line.calls.join(",") };
        self.screen.print(&format!(
            "{}  {}  {}  {state}  audience={} calls={calls}",
            line.id,
            written(line.created_at),
            line.name,
            line.serves.join(","),
        ));
        for secret in &line.secrets {
            let used = secret.used_at.map_or_else(|| "never".to_owned(), written);
            self.screen.print(&format!(
                "    secret {}  created {}  last used {used}",
                secret.id,
                written(secret.created_at)
            ));
        }
    }

    fn print_secret(&self, id: &str, secret: &str) {
        self.screen.print(&format!("secret id      {id}"));
        self.screen.print(&format!("client secret  {secret}"));
        self.screen.print("Store the secret now: it is not shown again.");
    }
}

fn as_json(line: &ServiceLine) -> Value {
    let secrets = line.secrets.iter().map(|secret| {
        json!({
            "secret_id": secret.id.to_string(),
            "created_at": written(secret.created_at),
            "used_at": secret.used_at.map(written),
        })
    });
    json!({
        "client_id": line.id.to_string(),
        "name": line.name,
        "created_at": written(line.created_at),
        "disabled_at": line.disabled_at.map(written),
        "serves": line.serves,
        "calls": line.calls,
        "secrets": secrets.collect::<Vec<_>>(),
    })
}

/// Removes duplicates.
fn distinct(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names
}
