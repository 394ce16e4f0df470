use super::{Outcome, Screen, arguments::SessionCommand, block_on, open};
use crate::{config::Config, usecase::Origin};

pub(super) fn dispatch(config: &Config, command: &SessionCommand, screen: &Screen) -> Outcome {
    let SessionCommand::EndAll { yes } = command;
    if !yes && !screen.confirms("This ends all sessions: everybody has to log in again.") {
        return Err("not confirmed: no session was ended; `--yes` skips the question".to_owned());
    }
    block_on(async {
        let end_sessions = open(config).await?.recorded_operations().await.end_sessions;
        let ended = end_sessions.end_all(&Origin::terminal()).await.map_err(|failure| failure.to_string())?;
        screen.print(&format!(
            "ended {ended} sessions; backends refuse their access tokens once the revocation feed has told them"
        ));
        Ok(())
    })
}
