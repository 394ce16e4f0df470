use uuid::{Builder, Uuid};

/// Bytes of the id that hold the generation.
const GENERATION_BYTES: usize = 4;
/// The version of UUIDs with a vendor-specific layout (RFC 9562 section 5.8).
const CUSTOM: usize = 8;

/// The `jti` of a session's access token: unique, and readable by this service, which finds the token's generation in
/// it. For all others it is an opaque text (RFC 7519 section 4.1.7), so the token needs no claim that is useless to
/// backends.
///
/// Four bytes of generation, and 90 random bits.
pub fn token_id(generation: i64, random: [u8; 16]) -> Uuid {
    let Ok(generation) = u32::try_from(generation) else {
        // No session is refreshed this often. Without a generation the id is still unique.
        return Builder::from_random_bytes(random).into_uuid();
    };
    let mut bytes = random;
    bytes[..GENERATION_BYTES].copy_from_slice(&generation.to_be_bytes());
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// The generation in the `jti` of an authentic token; `None` where there is none, as in tokens of services.
pub fn generation_of(token_id: &str) -> Option<i64> {
    let id = Uuid::try_parse(token_id).ok()?;
    let (generation, _) = id.as_bytes().split_first_chunk::<GENERATION_BYTES>()?;
    (id.get_version_num() == CUSTOM).then(|| i64::from(u32::from_be_bytes(*generation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_its_generation_and_is_another_one_each_time() {
        for generation in [0, 1, 7, i64::from(u32::MAX)] {
            let (one, other) = (token_id(generation, [1; 16]), token_id(generation, [2; 16]));
            assert_ne!(one, other);
            assert_eq!(generation_of(&one.hyphenated().to_string()), Some(generation));
        }
    }

    #[test]
    fn an_id_without_a_generation_says_none() {
        let beyond = token_id(i64::from(u32::MAX) + 1, [1; 16]);
        let random = Builder::from_random_bytes([1; 16]).into_uuid();
        for id in [beyond.to_string(), random.to_string(), String::new(), "x".repeat(100_000)] {
            assert_eq!(generation_of(&id), None, "{id}");
        }
    }
}
