use super::{Outcome, Screen};
use crate::{
    config::{Config, Loaded},
    wiring::try_files,
};

/// Invalid settings were reported when the configuration was read. This checks the files that the settings name.
pub(super) fn check(config: &Config, screen: &Screen) -> Outcome {
    let faults: Vec<String> = try_files(config).iter().map(ToString::to_string).collect();
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    screen.print("the configuration is valid");
    Ok(())
}

pub(super) fn print(loaded: &Loaded, screen: &Screen) -> Outcome {
    screen.print(loaded.print().trim_end());
    Ok(())
}
