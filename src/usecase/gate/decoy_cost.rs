use crate::{keys::KeyRing, passwords::HashCost};
use countersign_domain::{id::TenantId, password::Population};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// What it costs to look at a password where there is nothing to compare it with: as much as with some account of the
/// same tenant, and for one name always the same.
///
/// Hashes that were made when other parameters held, or elsewhere, cost something else than today's. If a name that
/// nobody has cost what today's do, then whatever costs something else would be somebody's.
#[derive(Clone, Debug)]
pub struct DecoyHashCosts {
    ring: Arc<KeyRing>,
    current: HashCost,
    tenants: Arc<RwLock<Arc<Tenants>>>,
}

type Tenants = HashMap<TenantId, Population<HashCost>>;

const CONTEXT: &str = "countersign cost of nobody 1";

impl DecoyHashCosts {
    /// `current` is what comparing with a hash costs that is made now. It holds for all, until
    /// [`DecoyHashCosts::learn`].
    pub fn new(ring: Arc<KeyRing>, current: HashCost) -> Self {
        Self { ring, current, tenants: Arc::default() }
    }

    /// Takes in how many accounts of each tenant have which cost.
    pub fn learn(&self, counts: Vec<(TenantId, HashCost, u64)>) {
        let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
        for (tenant, cost, accounts) in counts {
            grouped.entry(tenant).or_default().push((cost, accounts));
        }
        let population = |(tenant, counts)| (tenant, Population::of(counts, &self.current));
        let learnt = Arc::new(grouped.into_iter().map(population).collect());
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = learnt;
    }

    /// What it costs for this name, normalised. The key is one that stays: with another, names that nobody has would be
    /// dealt other costs, and no account changes its own by itself.
    pub fn of(&self, tenant: TenantId, typed: &str) -> HashCost {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tag = self.ring.chain().lasting_tag(CONTEXT, &[tenant.as_bytes(), typed.as_bytes()]);
        let dealt = tenants.get(&tenant).zip(tag).and_then(|(population, tag)| population.dealt_to(tag));
        dealt.unwrap_or(&self.current).clone()
    }
}
