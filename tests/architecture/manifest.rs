//! What a crate's Cargo.toml may depend on.

/// Packages that a crate may not depend on, and why.
#[derive(Debug)]
pub(crate) struct Fence {
    pub(crate) rule: &'static str,
    pub(crate) manifest: &'static str,
    /// Names of packages; a name that ends in `-` stands for all names that begin with it.
    pub(crate) forbidden: &'static [&'static str],
    pub(crate) except: &'static [&'static str],
    /// Features that no dependency of the crate may enable.
    pub(crate) features: &'static [&'static str],
}

pub(crate) const DOMAIN: Fence = Fence {
    rule: "the rules have nothing to do I/O, tell the time or draw chance with, and nothing of ours below them",
    manifest: "crates/domain/Cargo.toml",
    forbidden: &[
        "countersign-",
        "tokio",
        "tokio-",
        "async-",
        "futures",
        "futures-",
        "tonic",
        "tonic-",
        "prost",
        "prost-",
        "axum",
        "hyper",
        "reqwest",
        "sea-orm",
        "sea-orm-",
        "sqlx",
        "fred",
        "rand",
        "rand-",
        "rand_core",
        "rand_chacha",
        "getrandom",
        "fastrand",
        "chrono",
        "time",
        "jiff",
    ],
    except: &[],
    features: &["v1", "v4", "v6", "v7", "rng", "rng-rand", "rng-getrandom", "getrandom"],
};

pub(crate) const ARGON2: Fence = Fence {
    rule: "a hash function knows nothing of who hashes",
    manifest: "crates/argon2-simd/Cargo.toml",
    forbidden: &["countersign-"],
    except: &[],
    features: &[],
};

pub(crate) const TOKEN: Fence = Fence {
    rule: "other people's backends link this crate, so it brings nothing of ours along",
    manifest: "crates/token/Cargo.toml",
    forbidden: &["countersign-"],
    except: &[],
    features: &[],
};

pub(crate) const VERIFIER: Fence = Fence {
    rule: "other people's backends link this crate, so of ours it depends only on countersign-token",
    manifest: "crates/verifier/Cargo.toml",
    forbidden: &["countersign-"],
    except: &["countersign-token"],
    features: &[],
};

impl Fence {
    /// One line for each dependency in `text`, of any kind, that this fence forbids.
    pub(crate) fn broken_in(&self, text: &str) -> Vec<String> {
        let mut broken = Vec::new();
        let mut section = Section::Other;
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(title) = line.strip_prefix('[') {
                section = Section::titled(title.trim_end_matches(']'));
                if let Section::One(name) = &section {
                    self.check(number + 1, name, line, &mut broken);
                }
                continue;
            }
            let key = line.split(['=', '.', ' ']).next().unwrap_or_default().trim_matches('"');
            match &section {
                Section::Many if !key.is_empty() => self.check(number + 1, key, line, &mut broken),
                Section::One(name) => self.check(number + 1, name, line, &mut broken),
                _ => {}
            }
        }
        broken.dedup();
        broken
    }

    fn check(&self, line: usize, name: &str, text: &str, broken: &mut Vec<String>) {
        // `alias = { package = "name" }` depends on `name`, whatever its alias is.
        let quoted: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
        let renamed = if text.contains("package") { quoted.as_slice() } else { &[] };
        let names = renamed.iter().copied().chain([name]);
        for name in names.filter(|name| self.forbids(name)) {
            broken.push(format!("{}:{line}: depends on `{name}`: {}", self.manifest, self.rule));
        }
        for feature in quoted.iter().filter(|feature| self.features.contains(feature)) {
            broken.push(format!("{}:{line}: asks `{name}` for `{feature}`: {}", self.manifest, self.rule));
        }
    }

    fn forbids(&self, name: &str) -> bool {
        let fits = |pattern: &str| if pattern.ends_with('-') { name.starts_with(pattern) } else { name == pattern };
        self.forbidden.iter().any(|pattern| fits(pattern)) && !self.except.contains(&name)
    }
}

enum Section {
    /// `[dependencies]`: one dependency a line.
    Many,
    /// `[dependencies.name]`: one dependency in all.
    One(String),
    Other,
}

impl Section {
    /// Also `[dev-dependencies]`, `[build-dependencies]` and the dependencies of one target.
    fn titled(title: &str) -> Self {
        match title.rsplit_once("dependencies") {
            Some((_, "")) => Self::Many,
            Some((_, name)) if name.starts_with('.') => Self::One(name.trim_matches(['.', '"']).to_owned()),
            _ => Self::Other,
        }
    }
}
