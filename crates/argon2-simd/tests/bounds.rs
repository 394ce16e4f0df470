//! What is refused, how an arena is used again, and what is left in it.

#![allow(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use countersign_argon2_simd::{Arena, Backend, Error, Input, Params, Wipe, backend, hash, hash_on, self_test};

/// Small, for an interpreter too.
fn small() -> Params {
    Params::new(16, 1, 1).unwrap()
}

fn input() -> Input<'static> {
    Input::new(b"password", b"somesalt").unwrap()
}

fn tag(arena: &mut Arena, params: &Params) -> [u8; 32] {
    let mut tag = [0; 32];
    hash(arena, params, &input(), &mut tag).unwrap();
    tag
}

#[test]
fn knows_the_answers() {
    if !cfg!(miri) {
        assert_eq!(self_test(), Ok(()));
    }
}

#[test]
fn takes_the_bounds_of_the_parameters_and_nothing_beyond() {
    assert_eq!(Params::new(8, 1, 0), Err(Error::Lanes));
    assert_eq!(Params::new(u32::MAX, 1, 17), Err(Error::Lanes));
    assert_eq!(Params::new(8, 0, 1), Err(Error::Iterations));
    assert_eq!(Params::new(7, 1, 1), Err(Error::Memory));
    assert_eq!(Params::new(127, 1, 16), Err(Error::Memory));
    let params = Params::new(128, u32::MAX, 16).unwrap();
    assert_eq!((params.memory_kib(), params.iterations(), params.lanes()), (128, u32::MAX, 16));
    assert!(Params::new(8, 1, 1).is_ok());
    assert!(Params::new(u32::MAX, 1, 1).is_ok());
}

#[test]
fn takes_the_bounds_of_the_inputs_and_nothing_beyond() {
    for (length, fits) in [(0, false), (7, false), (8, true), (64, true), (65, false)] {
        let salt = vec![0; length];
        assert_eq!(Input::new(b"", &salt).err(), (!fits).then_some(Error::SaltLength), "{length}");
    }
    let mut arena = Arena::new(&small(), Wipe::OnRelease).unwrap();
    for (length, fits) in [(0, false), (3, false), (4, true), (64, true), (65, false)] {
        let mut tag = vec![7; length];
        let expected = if fits { Ok(()) } else { Err(Error::TagLength) };
        assert_eq!(hash(&mut arena, &small(), &input(), &mut tag), expected, "{length}");
        assert!(fits || tag == vec![7; length]);
    }
}

#[test]
fn refuses_a_backend_that_the_cpu_lacks() {
    let mut arena = Arena::new(&small(), Wipe::OnRelease).unwrap();
    assert!(Backend::Portable.is_available());
    assert!(backend().is_available());
    for backend in Backend::ALL {
        let expected = if backend.is_available() { Ok(()) } else { Err(Error::BackendUnavailable) };
        let mut out = [0; 32];
        assert_eq!(hash_on(backend, &mut arena, &small(), &input(), &mut out), expected);
        assert!(expected.is_err() || out == tag(&mut arena, &small()));
    }
}

#[test]
fn uses_an_arena_again_for_smaller_and_larger_memories() {
    let sizes = [32, 8, 31, 16, 9].map(|size| Params::new(size, 2, 1).unwrap());
    let fresh = sizes.map(|params| tag(&mut Arena::new(&params, Wipe::OnRelease).unwrap(), &params));
    for wipe in [Wipe::OnRelease, Wipe::EveryHash] {
        let mut arena = Arena::new(&sizes[0], wipe).unwrap();
        assert_eq!(sizes.map(|params| tag(&mut arena, &params)), fresh);
        assert_eq!(arena.capacity_kib(), 32);

        let larger = Params::new(64, 2, 2).unwrap();
        let mut out = [7; 32];
        assert_eq!(hash(&mut arena, &larger, &input(), &mut out), Err(Error::ArenaTooSmall));
        assert_eq!(out, [7; 32]);

        arena.reserve(&larger).unwrap();
        assert_eq!(arena.capacity_kib(), 64);
        assert_eq!(tag(&mut arena, &larger), tag(&mut Arena::new(&larger, wipe).unwrap(), &larger));
        arena.reserve(&sizes[1]).unwrap();
        assert_eq!(arena.capacity_kib(), 64, "an arena does not shrink");
        assert_eq!(sizes.map(|params| tag(&mut arena, &params)), fresh);
    }
}

#[test]
fn leaves_nothing_in_the_arena() {
    let mut arena = Arena::new(&small(), Wipe::EveryHash).unwrap();
    assert!(arena.is_wiped());
    tag(&mut arena, &small());
    assert!(arena.is_wiped());

    let mut arena = Arena::new(&small(), Wipe::OnRelease).unwrap();
    for end in [Arena::wipe, Arena::release] {
        tag(&mut arena, &small());
        assert!(!arena.is_wiped());
        end(&mut arena);
        assert!(arena.is_wiped());
    }
}

#[test]
fn hashes_after_a_release() {
    let mut arena = Arena::new(&small(), Wipe::OnRelease).unwrap();
    let before = tag(&mut arena, &small());
    arena.release();
    arena.release();
    assert_eq!(tag(&mut arena, &small()), before);
}

/// A system that has no such addresses must not end the program.
#[test]
#[cfg_attr(miri, ignore = "there the allocator ends the program")]
fn says_when_there_is_no_memory() {
    let sizes = [(u32::MAX, 1), (u32::MAX, 16)].map(|(memory, lanes)| Params::new(memory, 1, lanes).unwrap());
    for params in sizes {
        match Arena::new(&params, Wipe::OnRelease) {
            Ok(arena) => assert!(arena.capacity_kib() <= u32::MAX as usize),
            Err(error) => assert_eq!(error, Error::OutOfMemory),
        }
    }
}

#[test]
fn shows_no_password() {
    let shown = format!("{:?} {:?}", input(), Arena::new(&small(), Wipe::OnRelease).unwrap());
    assert!(!shown.contains("112") && !shown.contains("password:"), "{shown}");
}

#[test]
fn goes_to_other_threads() {
    fn sent<T: Send + Sync>() {}
    sent::<Arena>();
    sent::<Params>();
    sent::<Error>();
}
