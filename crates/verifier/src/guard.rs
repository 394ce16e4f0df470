//! Conditions on callers.

use std::{sync::Arc, time::Duration};

use crate::{
    claims::Claims,
    rejected::{Rejected, StepUp},
};

/// A condition on claims. Combined with [`and`](Self::and); used by [`Claims::require`] and by the layer.
///
/// ```
/// use countersign_verifier::Guard;
/// use std::time::Duration;
///
/// let refund = Guard::any_role(["billing", "admin"])
///     .and(Guard::person())
///     .and(Guard::authenticated_within(Duration::from_secs(300)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    AnyRole(Vec<String>),
    Tenant(String),
    Within(u64),
    Level(Arc<str>),
    Service,
    Person,
}

impl Guard {
    /// Has this role.
    #[must_use]
    pub fn role(role: impl Into<String>) -> Self {
        Self::one(Rule::AnyRole(vec![role.into()]))
    }

    /// Has one of these roles. Nobody passes an empty list.
    #[must_use]
    pub fn any_role<R: Into<String>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self::one(Rule::AnyRole(roles.into_iter().map(Into::into).collect()))
    }

    /// Belongs to this tenant.
    #[must_use]
    pub fn tenant(tenant_id: impl Into<String>) -> Self {
        Self::one(Rule::Tenant(tenant_id.into()))
    }

    /// Was authenticated at most this long ago (whole seconds, `auth_time`); else [`Rejected::StepUp`]. Compared with
    /// the time of the check.
    #[must_use]
    pub fn authenticated_within(age: Duration) -> Self {
        Self::one(Rule::Within(age.as_secs()))
    }

    /// Was authenticated at this level (`acr`) or, if both levels are whole numbers, at a higher one; else
    /// [`Rejected::StepUp`].
    #[must_use]
    pub fn level(level: &str) -> Self {
        Self::one(Rule::Level(level.into()))
    }

    /// Is a service.
    #[must_use]
    pub fn service() -> Self {
        Self::one(Rule::Service)
    }

    /// Is a person.
    #[must_use]
    pub fn person() -> Self {
        Self::one(Rule::Person)
    }

    /// Both conditions.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        self.rules.append(&mut other.rules);
        self
    }

    fn one(rule: Rule) -> Self {
        Self { rules: vec![rule] }
    }

    fn judge(&self, claims: &Claims) -> Result<(), Rejected> {
        // Conditions that no further proof can meet come first: nobody has to present a second factor only to be
        // refused.
        if !self.rules.iter().all(|rule| rule.allows(claims)) {
            return Err(Rejected::Forbidden);
        }
        let mut wanted = StepUp::default();
        for rule in &self.rules {
            match rule {
                Rule::Within(age) if !fresh(claims, *age) => {
                    wanted.max_age = Some(wanted.max_age.map_or(*age, |other| other.min(*age)));
                }
                Rule::Level(level) if !reaches(claims.level(), level) => wanted.level = Some(Arc::clone(level)),
                _ => {}
            }
        }
        if wanted == StepUp::default() { Ok(()) } else { Err(Rejected::StepUp(wanted)) }
    }
}

impl Rule {
    fn allows(&self, claims: &Claims) -> bool {
        match self {
            Self::AnyRole(roles) => roles.iter().any(|role| claims.has_role(role)),
            Self::Tenant(tenant) => claims.tenant_id() == tenant,
            Self::Service => claims.is_service(),
            Self::Person => !claims.is_service(),
            // A service cannot authenticate again.
            Self::Within(_) | Self::Level(_) => true,
        }
    }
}

fn fresh(claims: &Claims, age: u64) -> bool {
    let since = claims.checked_at().saturating_sub(claims.authenticated_at());
    // A proof in the future was just made, by a clock that is ahead.
    u64::try_from(since).unwrap_or(0) <= age
}

fn reaches(level: &str, wanted: &str) -> bool {
    match (level.parse::<u32>(), wanted.parse::<u32>()) {
        (Ok(level), Ok(wanted)) => level >= wanted,
        _ => level == wanted,
    }
}

impl Claims {
    /// Whether the caller meets the conditions of `guard`.
    ///
    /// # Errors
    /// [`Rejected::Forbidden`] when not, [`Rejected::StepUp`] when another proof would be enough. `?` converts both to
    /// the right `tonic::Status`.
    pub fn require(&self, guard: &Guard) -> Result<(), Rejected> {
        guard.judge(self)
    }
}
