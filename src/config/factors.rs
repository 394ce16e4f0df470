//! `[factors]`: second factors.

use super::fault::{Reason, quoted};
use super::reader::Reader;
use super::source::Given;
use super::value::{DAY, Value, duration, show_duration};
use countersign_domain::{factor_policy::FactorPolicy, role::is_role_name};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Second factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Who must have one.
    pub policy: FactorPolicy,
    /// For how long a device is remembered on which a second factor was proven; `None` where none is.
    pub remember: Option<Duration>,
}

impl Factors {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("factors", "Second factors.");
        let required = section.value(
            "required",
            Required::Never,
            "Who must have a second factor: nobody, the accounts with one of `required_roles`, or everybody. Whoever \
             must have one and has none adds one after a mailed code, before a session opens. A session that was \
             opened without one is refused at its next refresh, and not ended.",
        );
        let roles = section.value(
            "required_roles",
            RoleNames::default(),
            "Roles whose accounts must have a second factor, with `required = \"roles\"`.",
        );
        let remember = section.value(
            "remember",
            Remember(Some(30 * DAY)),
            "For how long CompleteLogin may remember a device, so that the password alone logs in there. With `off` no \
             device is remembered, and those that were need a second factor again.",
        );
        let keys = ["factors.required_roles", "factors.required"];
        let (is_by_role, has_roles) = (required == Required::Roles, !roles.0.is_empty());
        reader.require(&keys, has_roles || !is_by_role, "is missing: factors.required is \"roles\"");
        reader.require(&keys, is_by_role || !has_roles, "is set, but factors.required is not \"roles\"");
        let policy = match required {
            Required::Never => FactorPolicy::Never,
            Required::Roles => FactorPolicy::Roles(roles.0),
            Required::Always => FactorPolicy::Always,
        };
        Self { policy, remember: remember.0 }
    }
}

/// The first word of a [`FactorPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Required {
    Never,
    Roles,
    Always,
}

impl Value for Required {
    const ALLOWED: &'static str = "`never`, `roles` or `always`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "never" => Ok(Self::Never),
            "roles" => Ok(Self::Roles),
            "always" => Ok(Self::Always),
            other => Err(Reason::new(format!("must be \"never\", \"roles\" or \"always\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Never => "never".into(),
            Self::Roles => "roles".into(),
            Self::Always => "always".into(),
        }
    }
}

/// Names of roles.
#[derive(Default)]
struct RoleNames(Vec<String>);

impl Value for RoleNames {
    const ALLOWED: &'static str = "names of roles; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let name = |text: &str| match is_role_name(text) {
            true => Ok(text.to_owned()),
            false => Err(Reason::new(format!("must be names of roles such as \"admin\", but holds {}", quoted(text)))),
        };
        given.items()?.into_iter().map(name).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// How long a device is remembered.
struct Remember(Option<Duration>);

const BOUNDS: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(400 * 24);

impl Value for Remember {
    const ALLOWED: &'static str = "`1h` to `400d`, or `off`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "off" => Ok(Self(None)),
            _ => duration(given, &BOUNDS).map(|life| Self(Some(life))),
        }
    }

    fn show(&self) -> toml::Value {
        self.0.map_or_else(|| "off".to_owned(), show_duration).into()
    }
}
