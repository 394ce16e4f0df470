//! The page about all settings, generated from the calls that read them.

use super::reader::{Reader, SectionRecord, Setting};
use super::root::Config;
use super::source::{Sources, variable_of};

/// The text above the tables.
const INTRODUCTION: &str = "\
# Configuration

Made from the source by `config::reference()`; a test compares the two.

Every setting has a default; `countersign serve` runs without any configuration. Settings come from these sources; an
earlier source overrides a later one:

1. the environment: `COUNTERSIGN_LISTEN` for `listen`, `COUNTERSIGN_SESSIONS__ACCESS_TTL` for `access_ttl` in
   `[sessions]`;
2. a TOML file, named by `--config` or by `COUNTERSIGN_CONFIG`;
3. the defaults below.

**Keep secrets in files of their own.** With the suffix `_FILE` (`COUNTERSIGN_KEYS__KEK_FILE`), or `_file` in the TOML
file (`kek_file`), the value of a setting is read from the named file, without the line break at its end. This works
for every setting and is meant for those marked as secret. Setting both the value and the file is an error. So is an
empty value: to have no value, leave the setting out.

**Errors stop the start.** Unknown keys, unknown `COUNTERSIGN_…` variables and invalid values are errors. All errors are
reported together, each with its key, its source and what would be valid. Only two kinds of variables are ignored: those
that start with `COUNTERSIGN_TEST_`, and the `…_SERVICE_HOST` and `…_PORT…` variables that Kubernetes sets for a
Service.

`countersign config check` checks the configuration without starting anything. `countersign config print` shows every
effective value and its source, without secrets.

Durations are numbers with units: `90s`, `10m`, `1h 30m`, `14d`. In TOML they are strings and need quotes.

## In production

`profile = \"production\"` refuses to start unless

- `keys.kek` is set,
- `database_url` is set (SQLite is allowed) and is no in-memory database,
- `smtp_url` is set,
- `public_url` starts with `https://`,
- `mail.from` is not an address at localhost.

It also refuses unencrypted connections to other machines and weak protections; the messages of `config check` say what
to change.
";

/// The reference of all settings in Markdown: `docs/reference/configuration.md`.
pub fn reference() -> String {
    let mut reader = Reader::new(Sources::none(), Vec::new());
    // Only the record of the settings is needed.
    let _ = Config::read(&mut reader);
    let (_, sections) = reader.finish();
    let mut page = INTRODUCTION.to_owned();
    for section in &sections {
        page.push_str(&table(section));
    }
    page
}

fn table(section: &SectionRecord) -> String {
    let heading =
        if section.name.is_empty() { "Outside any section".to_owned() } else { format!("`[{}]`", section.name) };
    let mut table = format!("\n## {heading}\n\n{}\n\n", section.about);
    table.push_str("| key | environment variable | default | allowed | secret | meaning |\n");
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for setting in &section.settings {
        table.push_str(&row(setting));
    }
    table
}

fn row(setting: &Setting) -> String {
    let name = setting.key.rsplit('.').next().unwrap_or(&setting.key);
    let variable = variable_of(&setting.key);
    let secret = if setting.secret { "yes" } else { "" };
    let default = setting.default.as_deref().unwrap_or("none");
    let (allowed, about) = (&setting.allowed, setting.about);
    format!("| `{name}` | `{variable}` | {default} | {allowed} | {secret} | {about} |\n")
}
