use super::{
    kek::{KekFault, keep_first},
    private_file::FileAccess,
};
use crate::runtime::Entropy;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::secret::SecretText;
use std::{fs, io, path::Path};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The token that authenticates operators, as a digest, so that no dump of this process's memory contains the token.
/// SHA-256 is enough for a random token; a short `admin.token` is refused.
#[derive(Clone)]
pub struct OperatorToken([u8; 32]);

impl OperatorToken {
    pub fn new(token: &SecretText) -> Self {
        Self(hash(token))
    }

    /// Whether this is the token. In constant time.
    pub fn is(&self, presented: &SecretText) -> bool {
        self.0.ct_eq(&hash(presented)).into()
    }
}

impl std::fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorToken([secret])")
    }
}

fn hash(token: &SecretText) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"countersign/operator-token/1\0");
    context.update(token.reveal().as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// The token's file, beside the embedded database.
const NAME: &str = "admin-token";

/// The operators' token of a development machine, created on the first start.
///
/// # Errors
/// When the file can neither be read nor created, is empty, or is accessible to others.
pub fn load_or_create(directory: &Path, access: FileAccess, entropy: &Entropy) -> Result<OperatorToken, KekFault> {
    match load(directory, access) {
        Err(KekFault::Io(path, error)) if error.kind() == io::ErrorKind::NotFound => {
            let token = Zeroizing::new(BASE64URL.encode(Zeroizing::new(entropy.bytes::<32>()).as_slice()));
            keep_first(directory, NAME, &token, entropy).map_err(|error| KekFault::Io(path, error))?;
            // Read again, so that two concurrent first starts both use the token that was stored.
            load(directory, access)
        }
        loaded => loaded,
    }
}

/// The operators' token of a development machine that was started before.
///
/// # Errors
/// When there is none, or the file cannot be read, is empty, or is accessible to others.
pub fn load(directory: &Path, access: FileAccess) -> Result<OperatorToken, KekFault> {
    let path = directory.join(NAME);
    let io = |error| KekFault::Io(path.clone(), error);
    let text = SecretText::new(fs::read_to_string(&path).map_err(io)?);
    access.check(&path, &fs::metadata(&path).map_err(io)?)?;
    let token = SecretText::new(text.reveal().trim().to_owned());
    if token.reveal().len() < SHORTEST {
        return Err(KekFault::Short(path));
    }
    Ok(OperatorToken::new(&token))
}

/// 32 characters of base64 are 192 bits.
const SHORTEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const ALONE: FileAccess = FileAccess::OwnerAlone;

    #[test]
    fn only_the_token_itself_is_the_token() {
        let token = SecretText::new("0123456789abcdef0123456789abcdef".to_owned());
        let known = OperatorToken::new(&token);
        assert!(known.is(&token));
        for other in ["", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcdef "] {
            assert!(!known.is(&SecretText::new(other.to_owned())), "{other:?}");
        }
        assert_eq!(format!("{known:?}"), "OperatorToken([secret])");
    }

    #[test]
    fn the_token_is_made_once_for_its_owner_only_and_then_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        let made = load_or_create(directory.path(), ALONE, &Entropy::system()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let token = SecretText::new(fs::read_to_string(&path).unwrap().trim().to_owned());
        assert!(made.is(&token) && load_or_create(directory.path(), ALONE, &Entropy::system()).unwrap().is(&token));
    }

    #[test]
    fn a_token_that_others_may_read_or_that_is_short_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        fs::write(&path, "short\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load_or_create(directory.path(), ALONE, &Entropy::system()), Err(KekFault::Short(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            load_or_create(directory.path(), ALONE, &Entropy::system()),
            Err(KekFault::ExposedToGroup(..))
        ));
    }
}
