//! The page about every setting, made of the calls that read them.

use super::reader::{Reader, SectionRecord, Setting};
use super::root::Config;
use super::source::{Sources, variable_of};

/// What stands above the tables.
const INTRODUCTION: &str = "\
# Configuration

Made from the source by `config::reference()`; a test compares the two.

Every setting has a default; `countersign serve` runs without any configuration. Settings come from, strongest first:

1. the environment: `COUNTERSIGN_LISTEN` for `listen`, `COUNTERSIGN_SESSIONS__ACCESS_TTL` for `access_ttl` in
   `[sessions]`;
2. a TOML file, named by `--config` or by `COUNTERSIGN_CONFIG`;
3. the defaults below.

**Secrets belong in files of their own.** With `_FILE` behind its name (`COUNTERSIGN_KEYS__KEK_FILE`), or `_file` in the
TOML file (`kek_file`), a setting is read from the file that is named there, without the line break at its end. This
works for every setting and is meant for those marked as secret. A setting and its file at once are refused. An empty
value is refused too: leave a setting out to have none.

**Nothing is guessed.** Unknown keys, unknown `COUNTERSIGN_…` variables and impossible values are errors. All of them
are reported at once, each with its key, where it was found and what would be right. Only variables that start with
`COUNTERSIGN_TEST_` and the `…_SERVICE_HOST` and `…_PORT…` variables that Kubernetes sets for a Service are passed over.

`countersign config check` reports without starting anything. `countersign config print` shows every value in force and
where it came from, without secrets.

Durations are numbers with units: `90s`, `10m`, `1h 30m`, `14d`. They are text in TOML and need quotes.

## In production

`profile = \"production\"` refuses to start unless

- `keys.kek` is set,
- `database_url` is set, be it to SQLite, and does not point into memory,
- `smtp_url` is set,
- `public_url` starts with `https://`,
- `mail.from` is an address elsewhere than at localhost.
";

/// The reference of all settings in Markdown: `docs/reference/configuration.md`.
pub fn reference() -> String {
    let mut reader = Reader::new(Sources::none(), Vec::new());
    // Only the record of what was asked for is wanted.
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
