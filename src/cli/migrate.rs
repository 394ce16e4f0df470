use super::{Outcome, Screen, block_on};
use crate::{config::Config, telemetry, wiring::Adapters};

pub(super) fn run(config: &Config, screen: &Screen) -> Outcome {
    // Says whom the schema waits for.
    telemetry::start_log(telemetry::LogFormat::Text, "warn")?;
    block_on(async {
        let store = Adapters::store(config).await.map_err(|fault| fault.to_string())?;
        let made = store.migrate().await.map_err(|fault| fault.to_string())?;
        store.close().await;
        screen.say(&match made {
            0 => "the database was up to date".to_owned(),
            1 => "one change was made to the database".to_owned(),
            made => format!("{made} changes were made to the database"),
        });
        Ok(())
    })
}
