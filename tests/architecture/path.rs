//! The paths that a source file names, each written out from its beginning.

use crate::token::Token;

/// A path such as `std::time::SystemTime::now`, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    /// Begins with `crate` or with the name of a library, as far as the file alone shows it.
    pub(crate) path: Vec<String>,
    /// Whether the path is in a `pub use`.
    pub(crate) exported: bool,
}

/// Every path in `tokens`, which are the tokens of the module `module` (`["crate", "store"]`). Imports are expanded
/// (`use a::{b, c}`), and a path that begins with an imported name, a module of this file, `self` or `super` is
/// completed: a rule about `tokio::time` also sees `use tokio::time; time::sleep(…)`.
pub(crate) fn mentions(tokens: &[Token], module: &[String]) -> Vec<Mention> {
    let mut reader =
        Reader { tokens, at: 0, modules: vec![(module.to_vec(), 0)], depth: 0, names: Vec::new(), raw: Vec::new() };
    while reader.at < tokens.len() {
        reader.step();
    }
    let Reader { names, raw, .. } = reader;
    raw.into_iter().flat_map(|mention| completed(mention, &names)).collect()
}

fn completed(mention: Mention, names: &[(String, Vec<String>)]) -> Vec<Mention> {
    let first = mention.path[0].as_str();
    let known: Vec<_> = names.iter().filter(|(name, path)| name == first && path[0] != *name).collect();
    if known.is_empty() {
        return vec![mention];
    }
    let whole = |start: &[String]| start.iter().chain(&mention.path[1..]).cloned().collect();
    known.into_iter().map(|(_, start)| Mention { path: whole(start), ..mention.clone() }).collect()
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The modules around the current token, innermost last, each with the depth of braces at which it began.
    modules: Vec<(Vec<String>, usize)>,
    depth: usize,
    /// The meaning of a first segment: imports and the file's own modules.
    names: Vec<(String, Vec<String>)>,
    raw: Vec<Mention>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(Token::is_word)
    }

    fn module(&self) -> Vec<String> {
        self.modules.last().map(|(module, _)| module.clone()).unwrap_or_default()
    }

    fn step(&mut self) {
        match self.text(self.at) {
            "{" => self.depth += 1,
            "}" => self.close(),
            "mod" if self.is_word(self.at + 1) => return self.declared_module(),
            // `use<'a>` in a bound is no import.
            "use" if self.text(self.at + 1) != "<" => return self.import(),
            _ if self.is_word(self.at) && self.text(self.at + 1) == "::" => return self.inline_path(),
            _ => {}
        }
        self.at += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.modules.len() > 1 && self.modules.last().is_some_and(|(_, began)| *began == self.depth) {
            self.modules.pop();
        }
    }

    fn declared_module(&mut self) {
        let name = self.text(self.at + 1).to_owned();
        let mut module = self.module();
        module.push(name.clone());
        self.names.push((name, module.clone()));
        if self.text(self.at + 2) == "{" {
            self.modules.push((module, self.depth));
        }
        self.at += 2;
    }

    fn import(&mut self) {
        let exported = self.at > 0 && self.text(self.at - 1) == "pub";
        self.at += 1;
        self.tree(&[], exported);
    }

    /// One branch of an import, up to the `,`, `}` or `;` after it.
    fn tree(&mut self, start: &[String], exported: bool) {
        let mut path = start.to_vec();
        let mut name = None;
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        while self.at < self.tokens.len() {
            match self.text(self.at) {
                "," | "}" | ";" => break,
                "{" => return self.branches(&path, exported),
                "as" => {
                    name = Some(self.text(self.at + 1).to_owned());
                    self.at += 1;
                }
                "::" => {}
                "self" if !path.is_empty() => {}
                segment => path.push(segment.to_owned()),
            }
            self.at += 1;
        }
        let path = self.rooted(path);
        if let Some(last) = path.last() {
            self.names.push((name.unwrap_or_else(|| last.clone()), path.clone()));
            self.raw.push(Mention { line, path, exported });
        }
    }

    fn branches(&mut self, start: &[String], exported: bool) {
        self.at += 1;
        while self.at < self.tokens.len() && self.text(self.at) != "}" {
            if self.text(self.at) == "," {
                self.at += 1;
            } else {
                self.tree(start, exported);
            }
        }
        self.at += 1;
    }

    fn inline_path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut path = vec![self.text(self.at).to_owned()];
        self.at += 1;
        while self.text(self.at) == "::" && self.is_word(self.at + 1) {
            path.push(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        let path = self.rooted(path);
        if !path.is_empty() {
            self.raw.push(Mention { line, path, exported: false });
        }
    }

    /// Replaces `self` and `super` by the module they mean.
    fn rooted(&self, path: Vec<String>) -> Vec<String> {
        let mut whole = match path.first().map(String::as_str) {
            Some("self" | "super") => self.module(),
            _ => return path,
        };
        for segment in path {
            match segment.as_str() {
                "self" => {}
                "super" => drop(whole.pop()),
                _ => whole.push(segment),
            }
        }
        whole
    }
}
