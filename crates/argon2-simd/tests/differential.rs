//! Compares with the `argon2` crate: some thousand sets of parameters, all backends.

#![allow(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use countersign_argon2_simd::{Arena, Backend, Input, Params, Wipe, hash_on};

/// SplitMix64. The seed is in the name of the test, so a failure comes again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    fn number(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    fn bytes(&mut self, low: u64, high: u64) -> Vec<u8> {
        (0..self.number(low, high)).map(|_| self.next() as u8).collect()
    }
}

/// What is hashed, and the length of the tag.
struct Case {
    password: Vec<u8>,
    salt: Vec<u8>,
    secret: Vec<u8>,
    data: Vec<u8>,
    tag: usize,
}

impl Case {
    fn random(random: &mut Random) -> Self {
        let long = if random.number(0, 9) == 0 { 2000 } else { 40 };
        Self {
            password: random.bytes(0, long),
            salt: random.bytes(8, 64),
            secret: if random.number(0, 3) == 0 { random.bytes(1, 40) } else { Vec::new() },
            // The other crate takes 32 bytes at most.
            data: if random.number(0, 3) == 0 { random.bytes(1, 32) } else { Vec::new() },
            tag: random.number(4, 64) as usize,
        }
    }

    fn input(&self) -> Input<'_> {
        let input = Input::new(&self.password, &self.salt).unwrap();
        input.with_secret(&self.secret).unwrap().with_associated_data(&self.data).unwrap()
    }

    fn expected(&self, params: &Params) -> Vec<u8> {
        let params = argon2::ParamsBuilder::new()
            .m_cost(params.memory_kib())
            .t_cost(params.iterations())
            .p_cost(params.lanes())
            .data(argon2::AssociatedData::new(&self.data).unwrap())
            .output_len(self.tag)
            .build()
            .unwrap();
        let (algorithm, version) = (argon2::Algorithm::Argon2id, argon2::Version::V0x13);
        let hasher = argon2::Argon2::new_with_secret(&self.secret, algorithm, version, params).unwrap();
        let mut tag = vec![0; self.tag];
        hasher.hash_password_into(&self.password, &self.salt, &mut tag).unwrap();
        tag
    }
}

fn compare(seed: u64, cases: usize, max_kib: u64) {
    let mut random = Random(seed);
    let largest = Params::new(max_kib as u32, 1, 1).unwrap();
    let mut arena = Arena::new(&largest, Wipe::OnRelease).unwrap();
    for _ in 0..cases {
        let lanes = random.number(1, 4.min(max_kib / 8));
        // More small memories than large ones: there the edges are.
        let share = random.number(0, 1000) * random.number(0, 1000);
        let memory = 8 * lanes + (max_kib - 8 * lanes) * share / 1_000_000;
        let params = Params::new(memory as u32, random.number(1, 4) as u32, lanes as u32).unwrap();
        let case = Case::random(&mut random);
        let expected = case.expected(&params);
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let mut tag = vec![0; case.tag];
            hash_on(backend, &mut arena, &params, &case.input(), &mut tag).unwrap();
            assert_eq!(tag, expected, "{backend}, {params:?}");
        }
    }
}

/// Cases of one test. An interpreter is some thousand times slower.
const CASES: (usize, u64) = if cfg!(miri) { (2, 16) } else { (1_000, 512) };

#[test]
fn agrees_from_seed_1() {
    compare(1, CASES.0, CASES.1);
}

#[test]
fn agrees_from_seed_2() {
    compare(2, CASES.0, CASES.1);
}

#[test]
fn agrees_from_seed_3() {
    compare(3, CASES.0, CASES.1);
}

/// The smallest memories, where a segment has two blocks.
#[test]
fn agrees_on_the_smallest_memories() {
    compare(4, CASES.0, CASES.1.min(40));
}

/// More lanes than the random cases have, and memories that are no multiple of `4 * p`.
#[test]
fn agrees_on_many_lanes() {
    let mut random = Random(5);
    for lanes in if cfg!(miri) { 1..=2 } else { 5..=Params::MAX_LANES } {
        for rest in [0, 1, 4 * lanes - 1] {
            let params = Params::new(8 * lanes + rest, 2, lanes).unwrap();
            let case = Case::random(&mut random);
            let mut arena = Arena::new(&params, Wipe::EveryHash).unwrap();
            for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
                let mut tag = vec![0; case.tag];
                hash_on(backend, &mut arena, &params, &case.input(), &mut tag).unwrap();
                assert_eq!(tag, case.expected(&params), "{backend}, {params:?}");
            }
        }
    }
}

/// The parameters of the service.
#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn agrees_on_the_default_parameters() {
    let mut random = Random(6);
    let params = Params::new(19_456, 2, 1).unwrap();
    let mut arena = Arena::new(&params, Wipe::EveryHash).unwrap();
    let case = Case::random(&mut random);
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let mut tag = vec![0; case.tag];
        hash_on(backend, &mut arena, &params, &case.input(), &mut tag).unwrap();
        assert_eq!(tag, case.expected(&params), "{backend}");
    }
}
