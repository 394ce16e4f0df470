/// Changes one character in the middle of a token's ciphertext.
pub(crate) fn damaged(token: &str) -> String {
    let ciphertext = token.split('.').nth(3).unwrap();
    let (start, end) = ciphertext.split_at(ciphertext.len() / 2);
    let other = if end.starts_with('A') { "B" } else { "A" };
    token.replace(ciphertext, &format!("{start}{other}{}", &end[1..]))
}
