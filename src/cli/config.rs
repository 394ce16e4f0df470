use super::{Outcome, Screen};
use crate::config::Loaded;

/// Whatever is wrong was said when the configuration was read.
pub(super) fn check(screen: &Screen) -> Outcome {
    screen.say("the configuration is good");
    Ok(())
}

pub(super) fn print(loaded: &Loaded, screen: &Screen) -> Outcome {
    screen.say(loaded.print().trim_end());
    Ok(())
}
