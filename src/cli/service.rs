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
use countersign_domain::{audience::is_audience_name, service::is_service_name};
use serde_json::{Value, json};

pub(super) fn run(config: &Config, command: &ServiceCommand, screen: &Screen) -> Outcome {
    block_on(async {
        let terminal = open(config).await?;
        let looks = terminal.store_operations();
        let services = Services { terminal, looks, origin: Origin::terminal(), screen };
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

/// What the commands about service accounts work with.
struct Services<'a> {
    terminal: Terminal<'a>,
    looks: StoreOperations,
    origin: Origin,
    screen: &'a Screen,
}

const NO_NAME: &str = "a name is 1 to 64 lower-case letters, digits, `.`, `-` and `_`";

impl Services<'_> {
    async fn create(&self, name: &str, audiences: &[String], calls: &[String]) -> Outcome {
        if !is_service_name(name) || !audiences.iter().chain(calls).all(|audience| is_audience_name(audience)) {
            return Err(NO_NAME.to_owned());
        }
        let new = NewService { name: name.to_owned(), serves: distinct(audiences), calls: distinct(calls) };
        let keys = self.terminal.key_operations().await.map_err(|fault| fault.to_string())?;
        let created = keys.create_service.create(&self.origin, new).await.map_err(|failure| failure.to_string())?;
        let created = created.ok_or("there is a service of this name already")?;
        for audience in created.new_audiences {
            self.screen.say(&format!("made the audience {audience}"));
        }
        self.screen.say(&format!("client id      {}", created.id));
        self.print_secret(&created.secret_id.to_string(), created.secret.reveal());
        Ok(())
    }

    async fn list(&self, format: Format) -> Outcome {
        let lines = self.looks.list_services.list(&self.origin).await.map_err(|failure| failure.to_string())?;
        if format.json {
            lines.iter().for_each(|line| self.screen.say_json(&as_json(line)));
            return Ok(());
        }
        if lines.is_empty() {
            self.screen.say("there is no service account yet");
        }
        lines.iter().for_each(|line| self.print(line));
        Ok(())
    }

    async fn add_secret(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let add = self.terminal.recorded_operations().await.add_service_secret;
        let added = add.add(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        let (id, secret) = added.ok_or("it has two secrets already: retire one first")?;
        self.print_secret(&id.to_string(), secret.reveal());
        Ok(())
    }

    async fn retire_secret(&self, name: &str, secret: &str) -> Outcome {
        let line = self.find(name).await?;
        let id = secret.parse().map_err(|_| "that is not the id of a secret")?;
        let retire = self.terminal.recorded_operations().await.retire_service_secret;
        if !retire.retire(&self.origin, line.id, id).await.map_err(|failure| failure.to_string())? {
            return Err("the service has no such secret".to_owned());
        }
        self.screen.say("retired, and every token that was drawn from it");
        Ok(())
    }

    async fn disable(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let disable = self.terminal.recorded_operations().await.disable_service;
        let done = disable.disable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.say(if done { "disabled; its tokens are revoked" } else { "it was disabled already" });
        Ok(())
    }

    async fn enable(&self, name: &str) -> Outcome {
        let line = self.find(name).await?;
        let enable = self.terminal.recorded_operations().await.enable_service;
        let done = enable.enable(&self.origin, line.id).await.map_err(|failure| failure.to_string())?;
        self.screen.say(if done {
            "enabled; it may have tokens again, from five seconds after it was disabled"
        } else {
            "it was not disabled"
        });
        Ok(())
    }

    async fn find(&self, name: &str) -> Result<ServiceLine, String> {
        let found = self.looks.find_service.find(&self.origin, name).await.map_err(|failure| failure.to_string())?;
        found.ok_or_else(|| "there is no such service".to_owned())
    }

    fn print(&self, line: &ServiceLine) {
        let state = line.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled {}", written(at)));
        let calls = if line.calls.is_empty() { "-".to_owned() } else { line.calls.join(",") };
        self.screen.say(&format!(
            "{}  {}  {}  {state}  audience={} calls={calls}",
            line.id,
            written(line.created_at),
            line.name,
            line.serves.join(","),
        ));
        for secret in &line.secrets {
            let used = secret.used_at.map_or_else(|| "never".to_owned(), written);
            self.screen.say(&format!("    secret {}  made {}  used {used}", secret.id, written(secret.created_at)));
        }
    }

    fn print_secret(&self, id: &str, secret: &str) {
        self.screen.say(&format!("secret id      {id}"));
        self.screen.say(&format!("client secret  {secret}"));
        self.screen.say("Keep the secret now: it is not shown again.");
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

/// Named twice is meant once.
fn distinct(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names
}
