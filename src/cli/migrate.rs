use super::{Outcome, Screen, block_on};
use crate::{config::Config, telemetry, wiring::Adapters};

pub(super) fn migrate(config: &Config, screen: &Screen) -> Outcome {
    // Warnings show what the migration waits for.
    telemetry::start_log(telemetry::LogFormat::Text, "warn")?;
    block_on(async {
        let store = Adapters::store(config).await.map_err(|fault| fault.to_string())?;
        let applied = store.migrate().await.map_err(|fault| fault.to_string())?;
        store.close().await;
        screen.print(&match applied {
            0 => "the database schema is up to date".to_owned(),
            1 => "1 migration was applied".to_owned(),
            applied => format!("{applied} migrations were applied"),
        });
        Ok(())
    })
}
