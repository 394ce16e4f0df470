//! Known answers, for the start of a program.

use crate::{Arena, Backend, Error, Input, Params, SelfTestFailed, Wipe, hash_on};

/// What is hashed, and the tag that must come out.
struct Case {
    name: &'static str,
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
    password: &'static [u8],
    salt: &'static [u8],
    secret: &'static [u8],
    associated_data: &'static [u8],
    tag: [u8; 32],
}

const CASES: [Case; 2] = [
    Case {
        name: "RFC 9106, section 5.3",
        memory_kib: 32,
        iterations: 3,
        lanes: 4,
        password: &[1; 32],
        salt: &[2; 16],
        secret: &[3; 8],
        associated_data: &[4; 12],
        tag: [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
            0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ],
    },
    // Segments of more than 128 blocks, which need more than one block of addresses. The `argon2` crate 0.6 and
    // OpenSSL give this tag.
    Case {
        name: "m = 1027 KiB, t = 2, p = 1",
        memory_kib: 1027,
        iterations: 2,
        lanes: 1,
        password: b"password",
        salt: b"somesalt",
        secret: &[],
        associated_data: &[],
        tag: [
            0x40, 0x67, 0x54, 0x7a, 0x8f, 0xde, 0x15, 0xe0, 0x6f, 0x14, 0x73, 0x37, 0x96, 0xed, 0x93, 0xc6, 0xe6, 0x05,
            0xc8, 0xe5, 0x72, 0x84, 0xed, 0x26, 0x63, 0xfa, 0x18, 0x1b, 0x31, 0x9e, 0x40, 0x2b,
        ],
    },
];

impl Case {
    fn params(&self) -> Result<Params, Error> {
        Params::new(self.memory_kib, self.iterations, self.lanes)
    }

    fn input(&self) -> Result<Input<'static>, Error> {
        Input::new(self.password, self.salt)?.with_secret(self.secret)?.with_associated_data(self.associated_data)
    }

    /// Whether `backend` computes the tag.
    fn holds(&self, backend: Backend) -> Result<bool, Error> {
        let (params, input) = (self.params()?, self.input()?);
        let mut arena = Arena::new(&params, Wipe::OnRelease)?;
        let mut tag = [0; 32];
        hash_on(backend, &mut arena, &params, &input, &mut tag)?;
        Ok(tag == self.tag)
    }
}

/// Lets every backend that this CPU can run compute known answers, among them that of RFC 9106, section 5.3. Takes
/// some milliseconds and 1 MiB.
///
/// # Errors
///
/// [`SelfTestFailed`] names the first backend that computes something else, or that cannot compute for want of memory.
pub fn self_test() -> Result<(), SelfTestFailed> {
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        for case in &CASES {
            if case.holds(backend) != Ok(true) {
                return Err(SelfTestFailed { backend, case: case.name });
            }
        }
    }
    Ok(())
}
