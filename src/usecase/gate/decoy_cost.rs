use crate::{keys::KeyRing, passwords::HashCost};
use countersign_domain::{id::TenantId, password::Population};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The cost of a password check for a name without an account: the same as for some account of the same tenant, and
/// always the same for one name.
///
/// Hashes with former parameters, or imported ones, cost something else than a new hash. If every unknown name cost as
/// much as a new hash, any other cost would reveal an account.
#[derive(Clone, Debug)]
pub struct DecoyHashCosts {
    ring: Arc<KeyRing>,
    current: HashCost,
    tenants: Arc<RwLock<Arc<Tenants>>>,
}

type Tenants = HashMap<TenantId, Population<HashCost>>;

const CONTEXT: &str = "countersign cost of nobody 1";

impl DecoyHashCosts {
    /// `current` is the cost of a comparison with a new hash. It applies to all names until [`DecoyHashCosts::learn`].
    pub fn new(ring: Arc<KeyRing>, current: HashCost) -> Self {
        Self { ring, current, tenants: Arc::default() }
    }

    /// Takes over how many accounts of each tenant have which cost.
    pub fn learn(&self, counts: Vec<(TenantId, HashCost, u64)>) {
        let mut grouped: HashMap<_, Vec<_>> = HashMap::new();
        for (tenant, cost, accounts) in counts {
            grouped.entry(tenant).or_default().push((cost, accounts));
        }
        let population = |(tenant, counts)| (tenant, Population::of(counts, &self.current));
        let learnt = Arc::new(grouped.into_iter().map(population).collect());
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = learnt;
    }

    /// The cost for this name, normalised. The key is a lasting one: another key would change the costs of unknown
    /// names, while an account keeps its own cost.
    pub fn of(&self, tenant: TenantId, typed: &str) -> HashCost {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tag = self.ring.chain().lasting_tag(CONTEXT, &[tenant.as_bytes(), typed.as_bytes()]);
        let dealt = tenants.get(&tenant).zip(tag).and_then(|(population, tag)| population.dealt_to(tag));
        dealt.unwrap_or(&self.current).clone()
    }
}
