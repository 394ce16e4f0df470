//! What an arrow is, and how a source breaks it.

use crate::source::SourceFile;

/// Which folders may not name which paths.
#[derive(Debug)]
pub(crate) struct Arrow {
    /// The rule and its reason.
    pub(crate) rule: &'static str,
    /// The folders and files (without `.rs`) in which the rule holds.
    pub(crate) within: &'static [&'static str],
    /// Folders and files within those, in which the rule does not hold.
    pub(crate) except: &'static [&'static str],
    /// Beginnings of paths. `_` matches any one name, `fn` one in lower case, and `..` at the front any beginning.
    pub(crate) forbidden: &'static [&'static [&'static str]],
    pub(crate) excused: &'static [Excuse],
}

/// One exception: a place that has to break an arrow.
#[derive(Debug)]
pub(crate) struct Excuse {
    pub(crate) file: &'static str,
    /// The whole path that the place names.
    pub(crate) path: &'static str,
    pub(crate) reason: &'static str,
}

impl Arrow {
    /// One line for each place in `file` that breaks this arrow.
    pub(crate) fn broken_in(&self, file: &SourceFile) -> Vec<String> {
        let lies_in = |places: &[&str]| places.iter().any(|place| file.lies_in(place));
        if !lies_in(self.within) || lies_in(self.except) {
            return Vec::new();
        }
        let mut broken: Vec<String> = file
            .mentions
            .iter()
            .filter(|mention| !is_own(file, &mention.path))
            .filter(|mention| self.forbidden.iter().any(|pattern| matches(pattern, &mention.path)))
            .filter(|mention| !self.is_excused(file, &mention.path))
            .map(|mention| {
                format!("{}:{}: names `{}`: {}", file.path, mention.line, mention.path.join("::"), self.rule)
            })
            .collect();
        broken.dedup();
        broken
    }

    fn is_excused(&self, file: &SourceFile, path: &[String]) -> bool {
        let path = path.join("::");
        self.excused.iter().any(|excuse| {
            assert!(!excuse.reason.is_empty(), "{} is excused without a reason", excuse.file);
            excuse.file == file.path && path.starts_with(excuse.path)
        })
    }
}

/// A folder may always name itself: `crate::store` in `src/store`.
fn is_own(file: &SourceFile, path: &[String]) -> bool {
    path[0] == "crate" && path.get(1).is_some_and(|name| file.lies_in(&format!("src/{name}")))
}

fn matches(pattern: &[&str], path: &[String]) -> bool {
    if let [first, pattern @ ..] = pattern
        && *first == ".."
    {
        return (0..path.len()).any(|start| begins(pattern, &path[start..]));
    }
    begins(pattern, path)
}

fn begins(pattern: &[&str], path: &[String]) -> bool {
    for (at, expected) in pattern.iter().enumerate() {
        let fits = match path.get(at).map(String::as_str) {
            None => false,
            // `use crate::*` names everything below.
            Some("*") => return at > 0,
            Some(name) => match *expected {
                "_" => true,
                "fn" => name.starts_with(char::is_lowercase),
                expected => name == expected,
            },
        };
        if !fits {
            return false;
        }
    }
    true
}
