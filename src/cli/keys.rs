use super::{
    Outcome, Screen,
    arguments::{Format, KeysCommand, RotatedPurpose},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    usecase::{
        Origin,
        key::{KeyLine, Retired, RewrapKeys, Rewrapped, Rotated},
    },
    wiring::KeyOperations,
};
use countersign_domain::{
    audience::DEFAULT_AUDIENCE,
    key::{KeyPurpose, KeySlot, KeyState},
};
use serde_json::{Value, json};

pub(super) fn run(config: &Config, command: &KeysCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            KeysCommand::List(format) => list(config, *format, screen).await,
            KeysCommand::Rotate { purpose, audience, now } => {
                rotate(config, &slot(*purpose, audience.as_deref())?, *now, screen).await
            }
            KeysCommand::Retire { kid } => retire(config, kid, screen).await,
            KeysCommand::Rewrap => rewrap(&operations(config).await?.rewrap, screen).await,
        }
    })
}

async fn operations(config: &Config) -> Result<KeyOperations, String> {
    open(config).await?.key_operations().await.map_err(|fault| fault.to_string())
}

async fn list(config: &Config, format: Format, screen: &Screen) -> Outcome {
    let keys = open(config).await?.store_operations().list_keys;
    let lines = keys.list().await.map_err(|fault| fault.to_string())?;
    if format.json {
        lines.iter().for_each(|line| screen.say_json(&as_json(line)));
        return Ok(());
    }
    if lines.is_empty() {
        screen.say("there is no key yet; `countersign serve` makes the first");
    }
    lines.iter().for_each(|line| print(line, screen));
    Ok(())
}

fn as_json(line: &KeyLine) -> Value {
    json!({
        "kid": line.id,
        "purpose": line.purpose,
        "audience": line.audience,
        "algorithm": line.algorithm,
        "state": line.state,
        "since": written(line.since),
        "created_at": written(line.created_at),
        "until": line.until.map(written),
        "issued": line.issued,
        "kek": line.kek_id,
    })
}

fn print(line: &KeyLine, screen: &Screen) {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let until = line.until.map_or_else(String::new, |until| format!("  until {}", written(until)));
    screen.say(&format!(
        "{:<16}  {:<17}  {:<12}  {:<7}  {:<8}  since {}  made {}  tokens {}  kek {}{until}",
        line.id,
        line.purpose,
        or_dash(&line.audience),
        or_dash(&line.algorithm),
        line.state,
        written(line.since),
        written(line.created_at),
        line.issued,
        or_dash(&line.kek_id),
    ));
}

fn slot(purpose: RotatedPurpose, audience: Option<&str>) -> Result<KeySlot, String> {
    let purpose = match purpose {
        RotatedPurpose::Signing => KeyPurpose::AccessSigning,
        RotatedPurpose::Encryption => KeyPurpose::AccessEncryption,
        RotatedPurpose::Refresh => KeyPurpose::Refresh,
        RotatedPurpose::Action => KeyPurpose::Action,
        RotatedPurpose::Mac => KeyPurpose::Mac,
        RotatedPurpose::Audit => KeyPurpose::Audit,
    };
    match (purpose, audience) {
        (KeyPurpose::AccessEncryption, audience) => {
            Ok(KeySlot::of_audience(Origin::terminal().tenant(), audience.unwrap_or(DEFAULT_AUDIENCE)))
        }
        (_, None) => Ok(KeySlot::shared(purpose)),
        (_, Some(_)) => Err("only encryption keys belong to an audience".to_owned()),
    }
}

async fn rotate(config: &Config, slot: &KeySlot, now: bool, screen: &Screen) -> Outcome {
    let rotate = operations(config).await?.rotate;
    let origin = Origin::terminal();
    let rotated = if now {
        rotate.now(&origin, slot).await.map(|kid| kid.map_or(Rotated::Nothing, Rotated::Done))
    } else {
        rotate.when_known(&origin, slot).await
    };
    let kid = match rotated.map_err(|failure| failure.to_string())? {
        Rotated::Done(kid) => kid,
        Rotated::TooSoon { wait } => {
            return Err(format!(
                "the next key was published a moment ago, and backends may keep the keys without it for five minutes: try again in \
                 {} s, or add `--now`, and such backends refuse its tokens until they fetch the keys again",
                wait.as_secs() + 1
            ));
        }
        Rotated::Nothing => {
            return Err(
                "there is no such key, or it was changed at this very moment; `countersign keys list`".to_owned()
            );
        }
    };
    screen.say(&format!("{kid} has taken over; what the key before it made stays good for its life"));
    Ok(())
}

async fn retire(config: &Config, kid: &str, screen: &Screen) -> Outcome {
    let retire = operations(config).await?.retire;
    match retire.retire(&Origin::terminal(), kid).await.map_err(|failure| failure.to_string())? {
        Retired::Done { purpose, was } => {
            if purpose.outlives_its_retirement() && was == KeyState::Active {
                screen.say("the key seals nothing more; running services hear of it within seconds");
            } else {
                screen.say("the key is erased; running services drop it within seconds");
            }
            if was == KeyState::Active {
                screen.say("the staged key has taken its place");
            }
            screen.say(meaning(purpose, was));
            Ok(())
        }
        Retired::Before => {
            screen.say("it was gone already");
            Ok(())
        }
        Retired::Overtaken => Err("it was changed at this very moment; look again with `countersign keys list`".into()),
        Retired::Unknown => Err("there is no such key".to_owned()),
    }
}

fn meaning(purpose: KeyPurpose, was: KeyState) -> &'static str {
    match (purpose, was) {
        (_, KeyState::Staged) => "it had made nothing yet, so nobody notices",
        (KeyPurpose::AccessSigning | KeyPurpose::AccessEncryption, _) => {
            "access tokens made with it are refused; clients get new ones with their refresh tokens"
        }
        (KeyPurpose::Refresh, _) => "refresh tokens made with it are refused; those people log in again",
        (KeyPurpose::Action, _) => "mailed links made with it are refused; the codes beside them still work",
        (KeyPurpose::Audit, _) => {
            "it stays, to verify what it sealed: what it sealed cannot be changed without the key after it"
        }
        (KeyPurpose::Mac, _) => "mailed codes made with it are refused, and repeated calls are not recognised as such",
    }
}

async fn rewrap(rewrap: &RewrapKeys, screen: &Screen) -> Outcome {
    let Rewrapped { sealed, all } = rewrap.rewrap(&Origin::terminal()).await.map_err(|failure| failure.to_string())?;
    screen.say(&format!("{sealed} of {all} keys were sealed anew; all lie under the present key-encryption key now"));
    Ok(())
}
