//! `[log]`: what is written to standard error.

use super::fault::{Reason, quoted};
use super::reader::Reader;
use super::source::Given;
use super::value::Value;
use tracing_subscriber::EnvFilter;

/// Logging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The format of log lines.
    pub format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`; valid.
    pub filter: String,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("log", "Logging.");
        Self {
            format: section.value("format", LogFormat::Text, "Format of log lines."),
            filter: section
                .value(
                    "filter",
                    // At every start PostgreSQL sends notices about objects of migrations that exist already.
                    Filter("info,sea_orm_migration=warn,sqlx::postgres::notice=warn".to_owned()),
                    "Log level, then exceptions by module.",
                )
                .0,
        }
    }
}

impl Value for LogFormat {
    const ALLOWED: &'static str = "`text` or `json`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(Reason::new(format!("must be \"text\" or \"json\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Text => "text".into(),
            Self::Json => "json".into(),
        }
    }
}

/// A valid filter.
struct Filter(String);

impl Value for Filter {
    const ALLOWED: &'static str = "as in `info,countersign=debug`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => {
                let error = error.to_string();
                Err(Reason::new(format!("must be a log filter such as \"info\", but is {} ({error})", quoted(text))))
            }
        }
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}
