//! Roles: names in access tokens, whose meaning the backends define.

/// The most characters of the name of a role.
pub const MAX_ROLE_NAME: usize = 64;

/// The level of a role without a chosen level: above no other role. 0 is the strongest.
pub const WEAKEST_LEVEL: i32 = 999;

/// Whether `name` is a valid name of a role: lower-case ASCII letters, digits, `.`, `:`, `-` and `_`, the first an
/// ASCII letter.
pub fn is_role_name(name: &str) -> bool {
    name.len() <= MAX_ROLE_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".:-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_a_plain_name() {
        for name in ["admin", "billing:read", "tier-2", "a"] {
            assert!(is_role_name(name), "{name}");
        }
        for name in ["", "Admin", "2nd", "a b", "a,b", "ädmin", "a\n", &"a".repeat(65)] {
            assert!(!is_role_name(name), "{name:?}");
        }
    }
}
