//! Rust source as a list of words and signs, without comments and literals.

/// A word, a `::`, or one other sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Token {
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphanumeric() || first == '_')
    }
}

/// Cuts `source` into tokens. What stands in comments, strings and characters is no code and is left out.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1, found: Vec::new() };
    while let Some(next) = reader.rest.chars().next() {
        reader.step(next);
    }
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl Reader<'_> {
    fn step(&mut self, next: char) {
        if self.rest.starts_with("//") {
            self.pass(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.pass(block_comment(self.rest));
        } else if let Some(length) = string(self.rest) {
            self.pass(length);
        } else if next == '\'' {
            self.pass(character_or_lifetime(self.rest));
        } else if self.rest.starts_with("r#") {
            self.pass(2);
        } else if self.rest.starts_with("::") {
            self.keep(2);
        } else if next.is_alphanumeric() || next == '_' {
            self.keep(word(self.rest));
        } else if next.is_whitespace() {
            self.pass(next.len_utf8());
        } else {
            self.keep(next.len_utf8());
        }
    }

    fn pass(&mut self, length: usize) {
        let (passed, rest) = self.rest.split_at(length);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    fn keep(&mut self, length: usize) {
        self.found.push(Token { line: self.line, text: self.rest[..length].to_owned() });
        self.pass(length);
    }
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string literal at the beginning of `text`, with its prefix (`b`, `c`, `r`, `br`, `cr`).
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r"]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"')));
    let prefix = prefix.unwrap_or("");
    let rest = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let marks = rest.len() - rest.trim_start_matches('#').len();
        let end = format!("\"{}", &rest[..marks]);
        let start = prefix.len() + marks + 1;
        return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    let body = rest.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + 1 + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// `'x'`, `'\n'` and `'"'` are characters; `'a` before anything but a quote is a lifetime.
fn character_or_lifetime(text: &str) -> usize {
    let body = &text[1..];
    if body.starts_with('\\') {
        let start = 1 + body.chars().take(2).map(char::len_utf8).sum::<usize>();
        return text[start..].find('\'').map_or(text.len(), |at| start + at + 1);
    }
    let first = body.chars().next().map_or(0, char::len_utf8);
    if body[first..].starts_with('\'') { first + 2 } else { 1 + word(body) }
}
