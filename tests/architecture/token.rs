//! Rust source as a list of words and signs, without comments and literals.

use proc_macro2::{Delimiter, Group, LexError, Punct, Spacing, Span, TokenStream, TokenTree};

/// A word, a `::`, or one other sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Token {
    fn new(span: Span, text: impl Into<String>) -> Self {
        Self { line: span.start().line, text: text.into() }
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphanumeric() || first == '_')
    }
}

/// Cuts `source` into tokens. Comments, strings and characters are no code and are left out, and so are numbers and
/// lifetimes.
///
/// # Errors
/// When the source is not Rust, such as one with a string that never ends.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, LexError> {
    let mut found = Vec::new();
    write_down(source.parse()?, &mut found);
    Ok(found)
}

fn write_down(stream: TokenStream, found: &mut Vec<Token>) {
    let trees: Vec<_> = stream.into_iter().collect();
    let mut rest = trees.as_slice();
    while let [next, behind @ ..] = rest {
        rest = match (next, behind) {
            // `/// text` is read as `#[doc = "text"]`, and `//! text` as `#![doc = "text"]`.
            (TokenTree::Punct(hash), [TokenTree::Group(doc), behind @ ..]) if is(hash, '#') && is_comment(doc) => {
                behind
            }
            (TokenTree::Punct(hash), [TokenTree::Punct(_), TokenTree::Group(doc), behind @ ..])
                if is(hash, '#') && is_comment(doc) =>
            {
                behind
            }
            // `'a`: a sign and a word.
            (TokenTree::Punct(quote), [TokenTree::Ident(_), behind @ ..]) if is(quote, '\'') => behind,
            (TokenTree::Punct(first), [TokenTree::Punct(second), behind @ ..]) if is_path_separator(first, second) => {
                found.push(Token::new(first.span(), "::"));
                behind
            }
            (TokenTree::Punct(sign), behind) => {
                found.push(Token::new(sign.span(), sign.as_char()));
                behind
            }
            (TokenTree::Ident(word), behind) => {
                let text = word.to_string();
                found.push(Token::new(word.span(), text.strip_prefix("r#").unwrap_or(&text)));
                behind
            }
            (TokenTree::Group(group), behind) => {
                let (open, close) = signs(group.delimiter());
                found.push(Token::new(group.span_open(), open));
                write_down(group.stream(), found);
                found.push(Token::new(group.span_close(), close));
                behind
            }
            (TokenTree::Literal(_), behind) => behind,
        };
    }
}

fn is(sign: &Punct, expected: char) -> bool {
    sign.as_char() == expected
}

/// Whether two `:` are directly next to each other.
fn is_path_separator(first: &Punct, second: &Punct) -> bool {
    is(first, ':') && is(second, ':') && first.spacing() == Spacing::Joint
}

fn is_comment(attribute: &Group) -> bool {
    let trees: Vec<_> = attribute.stream().into_iter().collect();
    matches!(trees.as_slice(), [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(_)] if name == "doc")
}

fn signs(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Removes every item after `#[cfg(test)]`.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if spells(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at = end_of_item(tokens, at + 7);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The position after the `;` or the block that ends the item at `at`.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => depth += 1,
            "}" if depth <= 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Whether `tokens` begin with the words of `text`.
pub(crate) fn spells(tokens: &[Token], text: &[&str]) -> bool {
    tokens.len() >= text.len() && tokens.iter().zip(text).all(|(token, expected)| token.text == *expected)
}
