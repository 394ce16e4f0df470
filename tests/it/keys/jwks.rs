use super::{key, keys, rotate};
use crate::support::{Answer, App, on_sqlite, send};
use countersign::usecase::Origin;
use countersign_domain::key::KeyPurpose;
use http::{Request, StatusCode, Version};
use http_body_util::Full;
use serde_json::Value;

const PATH: &str = "/.well-known/jwks.json";

async fn ask(app: &App, method: &str, known: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(PATH).header("origin", "https://elsewhere.example");
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    send(app.address, Version::HTTP_11, request.body(Full::default()).unwrap()).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_str().unwrap()
}

fn published(answer: &Answer) -> Vec<String> {
    let set: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut ids = Vec::new();
    for key in set["keys"].as_array().unwrap() {
        assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
        assert_eq!((key["use"].as_str(), key["alg"].as_str()), (Some("sig"), Some("EdDSA")));
        assert_eq!(key["x"].as_str().unwrap().len(), 43);
        assert!(key.get("d").is_none() && key.get("k").is_none(), "a secret is published");
        ids.push(key["kid"].as_str().unwrap().to_owned());
    }
    ids.sort();
    ids
}

#[test]
fn staged_active_and_retiring_signing_keys_are_published_and_no_other() {
    on_sqlite(async |app| {
        let expected = async || {
            let held = keys(app, "access_signing").await.into_iter().filter(|(_, state)| state != "gone");
            let mut ids: Vec<_> = held.map(|(id, _)| id).collect();
            ids.sort();
            ids
        };
        assert_eq!(published(&ask(app, "GET", None).await), expected().await);
        rotate(app, KeyPurpose::AccessSigning).await;
        let rotated = published(&ask(app, "GET", None).await);
        assert_eq!((rotated.len(), &rotated), (3, &expected().await));

        let active = key(app, "access_signing", "active").await;
        app.key_operations.retire.retire(&Origin::terminal(), &active).await.unwrap();
        app.keys.reload.reload().await.unwrap();
        let retired = published(&ask(app, "GET", None).await);
        assert!(!retired.contains(&active));
        assert_eq!(retired, expected().await);
    });
}

#[test]
fn anybody_may_fetch_the_keys_and_keep_them_for_a_while() {
    on_sqlite(async |app| {
        for method in ["GET", "HEAD"] {
            let answer = ask(app, method, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{method}");
            assert_eq!(answer.body.is_empty(), method == "HEAD");
            for (name, value) in [
                ("content-type", "application/jwk-set+json"),
                ("cache-control", "public, max-age=300"),
                ("access-control-allow-origin", "*"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(header(&answer, name), value, "{method} {name}");
            }
            assert!(header(&answer, "content-security-policy").starts_with("default-src 'none'"));
            assert!(answer.headers.get("access-control-allow-credentials").is_none());
            assert!(answer.headers.get("set-cookie").is_none());
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            assert_eq!(ask(app, method, None).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        }
    });
}

#[test]
fn a_set_that_is_known_is_not_sent_again_until_it_changes() {
    on_sqlite(async |app| {
        let tag = header(&ask(app, "GET", None).await, "etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let answer = ask(app, "GET", Some(&known)).await;
            assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
            assert_eq!(header(&answer, "etag"), tag);
        }
        for unknown in ["\"\"", "other", "", &tag[1..], &"\"a\",".repeat(2_000)] {
            assert_eq!(ask(app, "GET", Some(unknown)).await.status, StatusCode::OK, "{}", unknown.len());
        }
        rotate(app, KeyPurpose::Refresh).await;
        assert_eq!(ask(app, "GET", Some(&tag)).await.status, StatusCode::NOT_MODIFIED, "another key rotated");
        rotate(app, KeyPurpose::AccessSigning).await;
        let changed = ask(app, "GET", Some(&tag)).await;
        assert_eq!(changed.status, StatusCode::OK);
        assert_ne!(header(&changed, "etag"), tag);
    });
}
