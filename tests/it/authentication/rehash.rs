use crate::support::{App, PASSWORD, Person, at_once, on_each_database};
use countersign::{
    passwords::{Hasher, HasherSettings},
    runtime::Entropy,
};
use countersign_domain::{
    password::{PasswordPolicy, PasswordPurpose::Alone},
    secret::SecretText,
};

/// Accounts whose hash has the parameters of these tests.
const CURRENT: &str = "SELECT count(*) FROM accounts WHERE password_hash LIKE '$argon2id$v=19$m=8192,t=1,p=1$%'";
const OUTDATED: &str = "SELECT count(*) FROM accounts WHERE password_hash LIKE '$argon2id$v=19$m=8192,t=3,p=1$%'";

/// Gives every account a hash of `PASSWORD` with outdated parameters.
async fn age_the_hash(app: &App) {
    let settings = HasherSettings { memory_kib: 8192, iterations: 3, parallelism: 1, workers: 1, queue: 8 };
    let former = Hasher::start(settings, Entropy::seeded(7)).unwrap();
    let policy = PasswordPolicy::default();
    let password =
        policy.accept(policy.read(&SecretText::new(PASSWORD.to_owned()), Alone).unwrap(), Alone, &[]).unwrap();
    let hash = former.hash(&password).await.unwrap();
    app.execute(&format!("UPDATE accounts SET password_hash = '{}'", hash.as_str())).await;
    assert_eq!(app.number(OUTDATED).await, 1);
}

#[test]
fn a_hash_with_outdated_parameters_is_replaced_by_a_login() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        age_the_hash(app).await;
        assert!(app.log_in("ada@example.org", "another password entirely").await.is_err());
        assert_eq!(app.number(OUTDATED).await, 1, "a login that failed renewed the hash");
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.number(CURRENT).await, 1);
        let renewed = app.number("SELECT count(*) FROM accounts WHERE password_changed_at < updated_at").await;
        assert_eq!(renewed, 0, "a renewed hash is no change of the password");

        let computed = app.hasher.computed();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.hasher.computed(), computed + 1, "a current hash is not made anew");
    });
}

#[test]
fn logins_at_once_with_an_outdated_hash_all_succeed() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        age_the_hash(app).await;
        let app = &*app;
        let logins = at_once(12, async |_| app.log_in("ada@example.org", PASSWORD).await).await;
        assert_eq!(logins.successes.len(), 12, "{:?}", logins.refusals);
        assert_eq!(app.number(CURRENT).await, 1);
    });
}
