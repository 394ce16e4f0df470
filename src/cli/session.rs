use super::{Outcome, Screen, arguments::SessionCommand, block_on, open};
use crate::{config::Config, usecase::Origin};

pub(super) fn run(config: &Config, command: &SessionCommand, screen: &Screen) -> Outcome {
    let SessionCommand::EndAll { yes } = command;
    if !yes && !screen.is_sure("Every session ends: everybody has to log in again.") {
        return Err("nothing was done; `--yes` does it without asking".to_owned());
    }
    block_on(async {
        let end_sessions = open(config).await?.recorded_operations().await.end_sessions;
        let ended = end_sessions.end_all(&Origin::terminal()).await.map_err(|failure| failure.to_string())?;
        screen.say(&format!("ended {ended} sessions; backends refuse their tokens as soon as they hear of it"));
        Ok(())
    })
}
