use std::cmp::Ordering;

/// The kinds of password hashes in a tenant, and how many accounts have each. The kind decides how long a comparison
/// takes.
///
/// An unknown identifier must look like one of these accounts, so that the response time reveals no account
/// (enumeration). Its MAC selects a kind, each with the same frequency as among the accounts, and always the same kind
/// for one identifier. So neither many queries for one identifier nor queries for many identifiers show a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Population<T> {
    /// Each kind, with the number of accounts up to and including it.
    kinds: Vec<(T, u64)>,
}

impl<T: Ord> Population<T> {
    /// `current` is the kind of newly hashed passwords. It comes last: as other kinds become rarer, an identifier may
    /// change from one of them to `current`, as an account does at a login, but never away from it.
    pub fn of(counts: impl IntoIterator<Item = (T, u64)>, current: &T) -> Self {
        let mut counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        counts.sort_unstable_by(|(a, _), (b, _)| match (a == current, b == current) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => a.cmp(b),
        });
        let mut sum = 0_u64;
        let kinds = counts.into_iter().map(|(kind, count)| {
            sum = sum.saturating_add(count);
            (kind, sum)
        });
        Self { kinds: kinds.collect() }
    }

    /// The kind for an identifier; `tag` is a MAC of the identifier under a key that does not change. `None` when there
    /// are no accounts.
    pub fn dealt_to(&self, tag: [u8; 32]) -> Option<&T> {
        let all = self.kinds.last()?.1;
        let drawn = u64::from_be_bytes(tag.first_chunk().copied()?);
        // The first 64 bits of the MAC as a fraction of one, times the number of accounts. The quotient is below `all`.
        let place = u64::try_from((u128::from(drawn) * u128::from(all)) >> u64::BITS).ok()?;
        self.kinds.iter().find(|(_, until)| place < *until).map(|(kind, _)| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Evenly distributed, as MACs are.
    fn tag(number: u64) -> [u8; 32] {
        let mut tag = [0; 32];
        tag[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        tag
    }

    #[test]
    fn each_kind_is_dealt_as_often_as_it_occurs() {
        let population = Population::of([("old", 300), ("new", 600), ("older", 100)], &"new");
        let dealt = |kind| (0..10_000).filter(|name| population.dealt_to(tag(*name)) == Some(&kind)).count();
        for (kind, expected) in [("old", 3_000_usize), ("new", 6_000), ("older", 1_000)] {
            assert!(dealt(kind).abs_diff(expected) < 20, "{kind}: {}", dealt(kind));
        }
    }

    #[test]
    fn where_there_is_nobody_nothing_is_dealt() {
        assert_eq!(Population::<u8>::of([], &0).dealt_to(tag(1)), None);
        assert_eq!(Population::of([(7, 0)], &0).dealt_to(tag(1)), None);
        assert_eq!(Population::of([(7, u64::MAX), (8, u64::MAX)], &8).dealt_to([0xFF; 32]), Some(&7));
    }

    proptest! {
        #[test]
        fn every_name_is_dealt_something_and_only_leaves_for_what_is_current(
            counts in proptest::collection::vec(0_u64..50, 1..5), gone in 0_usize..5, name: u64
        ) {
            let current = counts.len() - 1;
            let before = Population::of(counts.iter().copied().enumerate(), &current);
            let dealt = before.dealt_to(tag(name)).copied();
            prop_assert_eq!(dealt.is_some(), counts.iter().sum::<u64>() > 0);
            prop_assert_eq!(before.dealt_to(tag(name)).copied(), dealt);
            // Two kinds, as after parameters were raised: accounts of the old kind log in one after the other.
            let old = counts[gone % counts.len()];
            let shares = |old: u64, renewed: u64| Population::of([(0, old), (1, renewed)], &1);
            let mut last = 0;
            for renewed in 0..=old {
                let dealt = shares(old - renewed, renewed).dealt_to(tag(name)).copied();
                prop_assert!(dealt.is_none_or(|dealt| dealt >= last), "went back");
                last = dealt.unwrap_or(last);
            }
        }
    }
}
