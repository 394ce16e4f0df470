//! Empty PostgreSQL databases, one for each measurement that needs its own, beside the database of a URL.

use sea_orm::{ConnectionTrait, Database};
use std::error::Error;
use url::Url;

/// A database that was created here.
#[derive(Debug)]
pub(crate) struct Fresh {
    beside: String,
    name: String,
    pub(crate) url: String,
}

impl Fresh {
    /// Creates a database whose name ends with `suffix`. If there is one from an earlier time, it is deleted.
    pub(crate) async fn create(beside: &str, suffix: &str) -> Result<Self, Box<dyn Error>> {
        let (name, url) = address(beside, suffix)?;
        let fresh = Self { beside: beside.to_owned(), name, url };
        let name = &fresh.name;
        fresh.execute(&[&drop_statement(name), &format!("CREATE DATABASE \"{name}\"")]).await?;
        Ok(fresh)
    }

    pub(crate) async fn delete(self) -> Result<(), Box<dyn Error>> {
        self.execute(&[&drop_statement(&self.name)]).await
    }

    async fn execute(&self, statements: &[&str]) -> Result<(), Box<dyn Error>> {
        let database = Database::connect(&self.beside).await?;
        for statement in statements {
            database.execute_unprepared(statement).await?;
        }
        Ok(database.close().await?)
    }
}

fn drop_statement(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")
}

/// The name and the URL of the database.
fn address(beside: &str, suffix: &str) -> Result<(String, String), Box<dyn Error>> {
    let mut url = Url::parse(beside)?;
    let base = url.path().trim_start_matches('/');
    if base.is_empty() || !base.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("the URL must name a database with letters, digits and _".into());
    }
    let name = format!("{base}_{suffix}");
    url.set_path(&name);
    Ok((name, url.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_beside_that_of_the_url() {
        let (name, url) = address("postgres://ada:x@here:6611/load?sslmode=disable", "1000").expect("a URL");
        assert_eq!(name, "load_1000");
        assert_eq!(url, "postgres://ada:x@here:6611/load_1000?sslmode=disable");
    }

    #[test]
    fn a_name_that_would_have_to_be_quoted_is_refused() {
        for url in ["postgres://here", "postgres://here/", "postgres://here/a%22b", "postgres://here/a/b", "here"] {
            assert!(address(url, "1000").is_err(), "{url}");
        }
    }
}
