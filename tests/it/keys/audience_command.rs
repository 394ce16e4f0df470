use super::{ADA, PUBLIC_KEY};
use crate::support::{Client, ProcessOptions, ServiceProcess, eventually};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_gets_a_key_of_its_own_and_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up(ADA).await;
    let alg = async |expected: &str, refresh: &mut String| {
        let refresh = tokio::sync::Mutex::new(refresh);
        eventually("tokens to be encrypted another way", async || {
            let mut refresh = refresh.lock().await;
            let session = client.refresh(refresh.as_str()).await.unwrap();
            **refresh = session.refresh_token.clone();
            client.me(&session).await.unwrap();
            header_of(&session.access_token).contains(expected).then_some(())
        })
        .await;
    };
    let mut refresh = session.refresh_token.clone();
    assert!(header_of(&session.access_token).contains(r#""alg":"dir""#));

    let jwk = folder.path().join("orders.json");
    fs::write(&jwk, format!(r#"{{"kty":"OKP","crv":"X25519","x":"{PUBLIC_KEY}","use":"enc"}}"#)).unwrap();
    let said = options.succeed(&["audience", "register-key", "default", jwk.to_str().unwrap()]);
    assert!(said.contains("within a minute"), "{said}");
    assert!(!options.succeed(&["keys", "rotate", "encryption", "--audience", "default"]).is_empty());
    alg(r#""alg":"ECDH-ES""#, &mut refresh).await;
    assert_eq!(
        options.succeed(&["audience", "register-key", "default", PUBLIC_KEY]),
        "its tokens are encrypted so already, or will be within a minute\n"
    );
    let list = options.succeed(&["audience", "list"]);
    assert!(list.contains("ECDH-ES") && list.contains(PUBLIC_KEY), "{list}");

    options.succeed(&["audience", "use-shared-key", "default"]);
    options.succeed(&["keys", "rotate", "encryption", "--audience", "default"]);
    alg(r#""alg":"dir""#, &mut refresh).await;
    assert!(!options.succeed(&["audience", "list"]).contains("ECDH-ES"));
    let trail = options.succeed(&["audit", "list"]);
    assert!(trail.contains("audience_key_registered") && trail.contains("audience_key_withdrawn"), "{trail}");
    service.stop();
}

fn header_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[test]
fn audiences_are_made_and_bad_names_and_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    ServiceProcess::start(&options).stop();
    assert_eq!(options.succeed(&["audience", "create", "orders"]), "audience created, with its own keys\n");
    assert_eq!(options.succeed(&["audience", "create", "orders"]), "the audience exists already\n");
    let before = options.succeed(&["audience", "list"]);
    assert!(before.lines().any(|line| line.starts_with("orders ")), "{before}");

    let long = "a".repeat(65);
    for name in ["", "Orders", "a b", "ä", "a/b", "../a", &long] {
        assert!(options.fail(&["audience", "create", name]).contains("the name of an audience has"), "{name}");
    }
    let private = folder.path().join("private.json");
    fs::write(&private, format!(r#"{{"kty":"OKP","crv":"X25519","x":"{PUBLIC_KEY}","d":"{PUBLIC_KEY}"}}"#)).unwrap();
    let complaint = options.fail(&["audience", "register-key", "orders", private.to_str().unwrap()]);
    assert!(complaint.contains("private key") && !complaint.contains(PUBLIC_KEY), "{complaint}");
    let zeros = "A".repeat(43);
    for (key, why) in [
        (zeros.as_str(), "not safe to encrypt to"),
        ("", "nor a file"),
        ("-", "nor a file"),
        (&PUBLIC_KEY[1..], "nor a file"),
        (folder.path().to_str().unwrap(), "nor a file"),
        ("/dev/zero", "not a JWK"),
    ] {
        let complaint = options.fail(&["audience", "register-key", "orders", key]);
        assert!(complaint.contains(why), "{key}: {complaint}");
    }
    assert!(options.fail(&["audience", "register-key", "nobody", PUBLIC_KEY]).contains("no such audience"));
    assert!(options.fail(&["audience", "use-shared-key", "nobody"]).contains("no such audience"));
    assert_eq!(options.succeed(&["audience", "list"]), before);
}
