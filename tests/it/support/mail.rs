use countersign::mail::StoredMail;

/// The parts of a mail that a person uses.
pub(crate) trait MailText {
    /// The token of its link.
    fn link_token(&self) -> String;
    /// The code beside it.
    fn typed_code(&self) -> String;
}

impl MailText for StoredMail {
    fn link_token(&self) -> String {
        self.token().unwrap_or_else(|| panic!("no link in: {}", self.text))
    }

    fn typed_code(&self) -> String {
        self.code().unwrap_or_else(|| panic!("no code in: {}", self.text))
    }
}
