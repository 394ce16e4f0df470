//! Every instruction set computes what the `argon2` crate does, for any parameters and inputs. `fuzz/README.md`
//! describes how to run it.
#![no_main]

use arbitrary::Arbitrary;
use countersign_argon2_simd::{Arena, Backend, Error, Input, Params, TAG_LENGTH, Wipe, hash_on};
use libfuzzer_sys::fuzz_target;

/// Numbers that stay small, so that a run tries many of them, and beyond the bounds on both sides.
#[derive(Arbitrary, Debug)]
struct Case<'a> {
    memory_kib: u8,
    iterations: u8,
    lanes: u8,
    password: &'a [u8],
    salt: &'a [u8],
    secret: &'a [u8],
    associated_data: &'a [u8],
    tag: u8,
    wiped: bool,
}

impl Case<'_> {
    fn params(&self) -> Result<Params, Error> {
        Params::new(u32::from(self.memory_kib) * 2, u32::from(self.iterations % 5), u32::from(self.lanes % 19))
    }

    fn hashed(&self, backend: Backend) -> Result<Vec<u8>, Error> {
        let params = self.params()?;
        let input = Input::new(self.password, self.salt)?;
        let input = input.with_secret(self.secret)?.with_associated_data(self.associated_data)?;
        let wipe = if self.wiped { Wipe::EveryHash } else { Wipe::OnRelease };
        let (mut arena, mut tag) = (Arena::new(&params, wipe)?, vec![0; usize::from(self.tag)]);
        hash_on(backend, &mut arena, &params, &input, &mut tag)?;
        assert_eq!(arena.is_wiped(), self.wiped);
        Ok(tag)
    }

    /// What the crate computes; nothing where its bounds are others than ours.
    fn expected(&self) -> Option<Vec<u8>> {
        let params = self.params().ok()?;
        let params = argon2::ParamsBuilder::new()
            .m_cost(params.memory_kib())
            .t_cost(params.iterations())
            .p_cost(params.lanes())
            .data(argon2::AssociatedData::new(self.associated_data).ok()?)
            .output_len(usize::from(self.tag))
            .build()
            .ok()?;
        let (algorithm, version) = (argon2::Algorithm::Argon2id, argon2::Version::V0x13);
        let argon2 = argon2::Argon2::new_with_secret(self.secret, algorithm, version, params).ok()?;
        let mut tag = vec![0; usize::from(self.tag)];
        argon2.hash_password_into(self.password, self.salt, &mut tag).ok()?;
        Some(tag)
    }
}

fuzz_target!(|case: Case<'_>| {
    let in_bounds =
        case.params().is_ok() && (8..=64).contains(&case.salt.len()) && TAG_LENGTH.contains(&usize::from(case.tag));
    let expected = case.expected();
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let hashed = case.hashed(backend);
        assert_eq!(hashed.is_ok(), in_bounds, "{backend}");
        if let (Ok(hashed), Some(expected)) = (hashed, &expected) {
            assert_eq!(&hashed, expected, "{backend}");
        }
    }
});
