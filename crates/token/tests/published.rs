//! Tokens that others published: examples of RFCs, and the JOSE sets of Wycheproof. None is one of ours, and each is a
//! valid JOSE object or nearly one. Needs no feature.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it left out"
)]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use countersign_token::{AccessReader, ContentKey, DecryptionKey, RecipientKey, Rejected, VerifyingKey, named_key};
use serde_json::Value;
use support::{
    AUDIENCE, CONTENT, ISSUER, NOW, OUTER_HEADER, RECIPIENTS, agreed_with_inner, b64, id, public_point, with_inner,
};

/// A token, and its facts.
struct Published {
    name: String,
    token: String,
    reason: Option<String>,
}

impl Published {
    /// The answer to the unchanged token. A text without five segments is no JWE; of the others, no header is ours.
    fn expected(&self) -> Rejected {
        match self.token.split('.').count() {
            5 => Rejected::UnknownKey,
            _ => Rejected::Malformed,
        }
    }
}

fn examples() -> Vec<Published> {
    let file: Value = serde_json::from_str(include_str!("../vectors/published.json")).unwrap();
    let text = |vector: &Value, member: &str| vector[member].as_str().unwrap().to_owned();
    let read = |vector: &Value| Published {
        name: text(vector, "name"),
        token: text(vector, "token"),
        reason: Some(text(vector, "reason")),
    };
    file["tokens"].as_array().unwrap().iter().map(read).collect()
}

/// The folder with the sets of Wycheproof: `.ci/run` downloads them, or `COUNTERSIGN_TEST_WYCHEPROOF` names the folder
/// `testvectors_v1` of a copy of <https://github.com/C2SP/wycheproof>.
fn wycheproof_folder() -> Option<PathBuf> {
    let brought = || Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("ci/wycheproof");
    let folder = env::var_os("COUNTERSIGN_TEST_WYCHEPROOF").map_or_else(brought, PathBuf::from);
    let found = folder.join("json_web_key_test.json").is_file();
    assert!(
        found || env::var("COUNTERSIGN_TEST_REQUIRE").as_deref() != Ok("all"),
        "the sets of Wycheproof are missing, and COUNTERSIGN_TEST_REQUIRE=all wants everything tested"
    );
    found.then_some(folder)
}

/// Every token of a set of Wycheproof, and the symmetric keys of 32 bytes in it.
fn wycheproof(folder: &Path, set: &str) -> (Vec<Published>, Vec<[u8; 32]>) {
    let path = folder.join(format!("json_web_{set}_test.json"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let groups = file["testGroups"].as_array().unwrap();
    let tests = groups.iter().flat_map(|group| group["tests"].as_array().unwrap());
    let read = |test: &Value| Published {
        name: format!("{set} {}: {}", test["tcId"], test["comment"]),
        token: match test.get("jwe").or(test.get("jws")).unwrap() {
            Value::String(compact) => compact.clone(),
            json => json.to_string(),
        },
        reason: None,
    };
    let keys = groups.iter().map(|group| &group["private"]);
    let keys = keys.flat_map(|key| key["keys"].as_array().cloned().unwrap_or_else(|| vec![key.clone()]));
    let secret = |key: Value| key["k"].as_str().and_then(|k| lenient(k)?.try_into().ok());
    // One is all zeros, which no reader accepts as a private key.
    (tests.map(read).collect(), keys.filter_map(secret).filter(|secret| *secret != [0; 32]).collect())
}

fn lenient(text: &str) -> Option<Vec<u8>> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).ok()
}

/// A reader of our tokens that also holds these keys, for both kinds of encryption.
fn reader_with(secrets: &[[u8; 32]]) -> AccessReader {
    // RFC 8037 appendix A.2.
    let x = lenient("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap().try_into().unwrap();
    let ours = [ContentKey::new(id(CONTENT[0].0), CONTENT[0].1).into()];
    let audience = [RecipientKey::new(id(RECIPIENTS[0].0), RECIPIENTS[0].1).unwrap().into()];
    let named = |kind: &str, at: usize| id(&format!("{kind}-{at}"));
    let shared = |(at, secret): (usize, &[u8; 32])| DecryptionKey::from(ContentKey::new(named("shared", at), *secret));
    let agreed = |(at, secret): (usize, &[u8; 32])| RecipientKey::new(named("agreed", at), *secret).unwrap().into();
    let theirs = secrets.iter().enumerate().map(shared).chain(secrets.iter().enumerate().map(agreed));
    let verifying = VerifyingKey::new(id("published"), x).unwrap();
    AccessReader::new(ISSUER, AUDIENCE, vec![verifying], ours.into_iter().chain(audience).chain(theirs).collect())
        .unwrap()
}

/// The token unchanged, inside an encryption of ours, and under a header of ours.
fn stays_outside(reader: &AccessReader, published: &Published, secrets: usize) {
    let Published { name, token, .. } = published;
    let read = |token: &str| reader.read(token, NOW).unwrap_err();
    assert_eq!(read(token), published.expected(), "{name}");
    assert_eq!(named_key(token), None, "{name}");

    // Encrypted by somebody who can: the inner token has another kind of signature, or none.
    for inner in [with_inner(token), agreed_with_inner(token)] {
        assert_eq!(read(&inner), Rejected::WrongType, "{name}, encrypted");
    }

    let Ok([_, encrypted_key, nonce, ciphertext, tag]) = <[&str; 5]>::try_from(token.split('.').collect::<Vec<_>>())
    else {
        return;
    };
    let length = |segment: &str| lenient(segment).map(|bytes| bytes.len());
    let is_sealed = length(nonce) == Some(12) && length(tag) == Some(16) && length(ciphertext).is_some();
    let expected = if is_sealed { Rejected::Forged } else { Rejected::Malformed };
    for at in 0..secrets {
        let direct = b64(OUTER_HEADER.replace(CONTENT[0].0, &format!("shared-{at}")));
        let x = b64(public_point([41; 32]));
        let agreed = b64(support::agreed_header(&format!("agreed-{at}"), &x));
        for header in [direct, agreed] {
            assert_eq!(read(&format!("{header}..{nonce}.{ciphertext}.{tag}")), expected, "{name}, under our header");
            if !encrypted_key.is_empty() {
                let with_key = format!("{header}.{encrypted_key}.{nonce}.{ciphertext}.{tag}");
                assert_eq!(read(&with_key), Rejected::Malformed, "{name}, with its key");
            }
        }
    }
}

#[test]
fn no_example_of_an_rfc_is_an_access_token() {
    let file: Value = serde_json::from_str(include_str!("../vectors/published.json")).unwrap();
    let keys = file["a256gcm"].as_array().unwrap().iter();
    let secrets: Vec<[u8; 32]> =
        keys.map(|vector| lenient(vector["key"].as_str().unwrap()).unwrap().try_into().unwrap()).collect();
    let reader = reader_with(&secrets);
    for published in examples() {
        assert_eq!(published.reason, Some(format!("{:?}", published.expected())), "{}", published.name);
        stays_outside(&reader, &published, secrets.len());
    }
}

#[test]
fn no_token_of_wycheproof_is_an_access_token() {
    let Some(folder) = wycheproof_folder() else {
        eprintln!("NOT TESTED: the sets of Wycheproof are missing");
        return;
    };
    for (set, at_least) in [("encryption", 130), ("signature", 400), ("key", 25), ("crypto", 80)] {
        let (tokens, secrets) = wycheproof(&folder, set);
        assert!(tokens.len() >= at_least, "{set}: {}", tokens.len());
        let reader = reader_with(&secrets);
        tokens.iter().for_each(|published| stays_outside(&reader, published, secrets.len()));
    }
}
