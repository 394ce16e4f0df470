use crate::Error;

/// What is hashed (RFC 9106, section 3.1). Checked: every value of this type can be hashed.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub(crate) password: &'a [u8],
    pub(crate) salt: &'a [u8],
    pub(crate) secret: &'a [u8],
    pub(crate) associated_data: &'a [u8],
}

impl<'a> Input<'a> {
    /// `password` has 0 to 2^32 - 1 bytes, `salt` 8 to 64 bytes. There is no secret and there are no associated data.
    ///
    /// # Errors
    ///
    /// [`Error::PasswordLength`] or [`Error::SaltLength`] for a length out of bounds.
    pub fn new(password: &'a [u8], salt: &'a [u8]) -> Result<Self, Error> {
        if u32::try_from(password.len()).is_err() {
            return Err(Error::PasswordLength);
        }
        if !(8..=64).contains(&salt.len()) {
            return Err(Error::SaltLength);
        }
        Ok(Self { password, salt, secret: &[], associated_data: &[] })
    }

    /// Adds a secret `K` (a pepper) of 0 to 2^32 - 1 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::SecretLength`] for a longer one.
    pub fn with_secret(self, secret: &'a [u8]) -> Result<Self, Error> {
        match u32::try_from(secret.len()) {
            Ok(_) => Ok(Self { secret, ..self }),
            Err(_) => Err(Error::SecretLength),
        }
    }

    /// Adds associated data `X` of 0 to 2^32 - 1 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::AssociatedDataLength`] for longer ones.
    pub fn with_associated_data(self, associated_data: &'a [u8]) -> Result<Self, Error> {
        match u32::try_from(associated_data.len()) {
            Ok(_) => Ok(Self { associated_data, ..self }),
            Err(_) => Err(Error::AssociatedDataLength),
        }
    }
}

/// Shows nothing of a password.
impl core::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}
