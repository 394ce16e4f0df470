use super::{StartFault, adapters, outbound};
use crate::{
    config::{AuditLines, Config, Profile},
    countries::Countries,
    keys::{KekFault, load_kek, load_operator_token},
    mail::Renderer,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

/// Checks what would stop a start although each setting is valid: the files that `serve` reads or writes. Reports all
/// faults at once. It creates nothing, and connects to nothing: neither to the database, nor to Redis, nor to the mail
/// server.
pub fn try_files(config: &Config) -> Vec<StartFault> {
    let outcomes = [
        data_dir(&config.data_dir),
        kek(config),
        operator_token(config),
        outbound::adapters(config).map(drop),
        adapters::composer(config).map(drop),
        adapters::smtp(config).map(drop),
        audit_log(config),
    ];
    let mut faults: Vec<StartFault> = outcomes.into_iter().filter_map(Result::err).collect();
    if let Some(file) = &config.risk.geoip_database {
        faults.extend(Countries::open(file).err().map(|fault| StartFault::because("risk.geoip_database", fault)));
    }
    let renderer = Renderer::new(config.mail.templates_dir.as_deref());
    faults.extend(renderer.err().map(|fault| StartFault::because("mail.templates_dir", fault)));
    faults.extend(config.database.tls_files.iter().filter_map(|(name, path)| pem(name, path).err()));
    faults
}

/// The first start creates it, inside an existing folder.
fn data_dir(dir: &Path) -> Result<(), StartFault> {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let nearest = absolute.ancestors().find(|folder| folder.exists());
    match nearest {
        Some(folder) if !folder.is_dir() => {
            Err(StartFault::because("data_dir", format!("{}: is not a directory", folder.display())))
        }
        _ => Ok(()),
    }
}

/// The first start creates what is missing.
fn unless_missing<T>(key: &str, loaded: Result<T, KekFault>) -> Result<(), StartFault> {
    match loaded {
        Err(KekFault::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(StartFault::because(key, fault)),
        Ok(_) => Ok(()),
    }
}

fn kek(config: &Config) -> Result<(), StartFault> {
    if config.keys.kek.is_some() {
        return Ok(());
    }
    unless_missing("keys.kek", load_kek(&config.data_dir, adapters::file_access(config)))
}

fn operator_token(config: &Config) -> Result<(), StartFault> {
    if config.admin.token.is_some() || config.admin_listen.is_none() || config.profile == Profile::Production {
        return Ok(());
    }
    unless_missing("admin.token", load_operator_token(&config.data_dir, adapters::file_access(config)))
}

/// Opens the file for writing and leaves it unchanged; a file that does not exist yet needs its folder.
fn audit_log(config: &Config) -> Result<(), StartFault> {
    let AuditLines::File(path) = &config.audit.output else { return Ok(()) };
    let opened = OpenOptions::new().append(true).open(path).map(drop);
    let is_there = |folder: &Path| folder.as_os_str().is_empty() || folder.is_dir() || folder == config.data_dir;
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.parent().is_some_and(is_there) => Ok(()),
        Err(error) => Err(StartFault::because("audit.output", format!("cannot write {}: {error}", path.display()))),
        Ok(()) => Ok(()),
    }
}

/// More than any list of certificate authorities.
const MOST_PEM_BYTES: u64 = 4 * 1024 * 1024;

fn pem(parameter: &str, path: &Path) -> Result<(), StartFault> {
    let fault = |why: String| {
        StartFault::because(&format!("{parameter} of database_url"), format!("{}: {why}", path.display()))
    };
    let mut text = zeroize::Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(MOST_PEM_BYTES).read_to_end(&mut text));
    read.map_err(|error| fault(error.to_string()))?;
    let is_pem = text.windows(11).any(|window| window == b"-----BEGIN ");
    if is_pem { Ok(()) } else { Err(fault("contains no PEM".to_owned())) }
}
