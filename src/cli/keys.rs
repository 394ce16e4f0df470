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

pub(super) fn dispatch(config: &Config, command: &KeysCommand, screen: &Screen) -> Outcome {
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
        lines.iter().for_each(|line| screen.print_json(&as_json(line)));
        return Ok(());
    }
    if lines.is_empty() {
        screen.print("there are no keys; the first start of `countersign serve` creates them");
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
    screen.print(&format!(
        "{:<16}  {:<17}  {:<12}  {:<7}  {:<8}  since {}  created {}  tokens {}  kek {}{until}",
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
        RotatedPurpose::Factor => KeyPurpose::Factor,
    };
    match (purpose, audience) {
        (KeyPurpose::AccessEncryption, audience) => {
            Ok(KeySlot::of_audience(Origin::terminal().tenant(), audience.unwrap_or(DEFAULT_AUDIENCE)))
        }
        (_, None) => Ok(KeySlot::shared(purpose)),
        (_, Some(_)) => Err("only encryption keys belong to an audience: leave `--audience` out".to_owned()),
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
                "the staged key was published less than five minutes ago, and backends may cache the keys without it \
                 for as long: try again in {} s, or add `--now`, and such backends refuse the tokens it signs until \
                 they fetch the keys again",
                wait.as_secs() + 1
            ));
        }
        Rotated::Nothing => {
            return Err(
                "there is no such key, or another process changed it at the same time; see `countersign keys list`"
                    .to_owned(),
            );
        }
    };
    screen.print(&format!(
        "{kid} is the active key now; what the previous key signed or encrypted stays valid until it expires"
    ));
    Ok(())
}

async fn retire(config: &Config, kid: &str, screen: &Screen) -> Outcome {
    let retire = operations(config).await?.retire;
    match retire.retire(&Origin::terminal(), kid).await.map_err(|failure| failure.to_string())? {
        Retired::Done { purpose, was } => {
            if purpose.outlives_its_retirement() && was == KeyState::Active {
                screen.print("the key makes nothing more; running services stop using it within seconds");
            } else {
                screen.print("the key is erased; running services stop using it within seconds");
            }
            if was == KeyState::Active {
                screen.print("the staged key is the active key now");
            }
            screen.print(consequence(purpose, was));
            Ok(())
        }
        Retired::Before => {
            screen.print("the key is retired already");
            Ok(())
        }
        Retired::Overtaken => {
            Err("another process changed the key at the same time; see `countersign keys list`".into())
        }
        Retired::Unknown => Err("there is no such key".to_owned()),
    }
}

fn consequence(purpose: KeyPurpose, was: KeyState) -> &'static str {
    match (purpose, was) {
        (_, KeyState::Staged) => "it was not in use yet: nothing was signed or encrypted with it",
        (KeyPurpose::AccessSigning | KeyPurpose::AccessEncryption, _) => {
            "access tokens made with it are refused; clients get new ones when they refresh"
        }
        (KeyPurpose::Refresh, _) => "refresh tokens made with it are refused; their owners have to log in again",
        (KeyPurpose::Action, _) => "mailed links made with it are refused; the codes in the same mails still work",
        (KeyPurpose::Audit, _) => {
            "it is kept to verify the events it sealed; without the new key, nobody can change them unnoticed"
        }
        (KeyPurpose::Factor, _) => {
            "it is kept until the running services have sealed the secrets of all factors with the new key"
        }
        (KeyPurpose::Mac, _) => {
            "mailed codes made with it are refused, and request ids used before are not recognized any more"
        }
    }
}

async fn rewrap(rewrap: &RewrapKeys, screen: &Screen) -> Outcome {
    let Rewrapped { sealed, all } = rewrap.rewrap(&Origin::terminal()).await.map_err(|failure| failure.to_string())?;
    screen.print(&format!("{sealed} of {all} keys were encrypted again; all keys are encrypted with `keys.kek` now"));
    Ok(())
}
