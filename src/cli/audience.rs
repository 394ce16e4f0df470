use super::{
    Outcome, Screen,
    arguments::{AudienceCommand, Format},
    block_on, open,
    screen::written,
};
use crate::{
    config::Config,
    usecase::{Origin, audience::Registered},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::audience::is_audience_name;
use serde_json::{Value, json};
use std::{fs::File, io::Read as _};

pub(super) fn dispatch(config: &Config, command: &AudienceCommand, screen: &Screen) -> Outcome {
    block_on(async {
        match command {
            AudienceCommand::List(format) => list(config, *format, screen).await,
            AudienceCommand::Create { name } => create(config, name, screen).await,
            AudienceCommand::RegisterKey { audience, key } => {
                register(config, audience, Some(public_key(key)?), screen).await
            }
            AudienceCommand::UseSharedKey { audience } => register(config, audience, None, screen).await,
        }
    })
}

async fn list(config: &Config, format: Format, screen: &Screen) -> Outcome {
    let audiences = open(config).await?.store_operations().list_audiences;
    for line in audiences.list(&Origin::terminal()).await.map_err(|fault| fault.to_string())? {
        if format.json {
            screen.print_json(&json!({
                "name": line.name,
                "created_at": line.created_at.map(written),
                "algorithm": line.algorithm,
                "public_key": line.public_key,
            }));
            continue;
        }
        let made = line.created_at.map_or_else(|| format!("{:<20}", "from the start"), written);
        let algorithm = if line.algorithm.is_empty() { "-" } else { &line.algorithm };
        let key = line.public_key.unwrap_or_default();
        screen.print(format!("{:<24}  {made}  {algorithm:<7}  {key}", line.name).trim_end());
    }
    Ok(())
}

async fn create(config: &Config, name: &str, screen: &Screen) -> Outcome {
    if !is_audience_name(name) {
        return Err("the name of an audience has 1 to 64 lower-case letters, digits, `.`, `-` and `_`".to_owned());
    }
    let keys = open(config).await?.key_operations().await.map_err(|fault| fault.to_string())?;
    let is_new = keys.create_audience.create(&Origin::terminal(), name).await.map_err(|failure| failure.to_string())?;
    screen.print(if is_new { "audience created, with its own keys" } else { "the audience exists already" });
    Ok(())
}

async fn register(config: &Config, audience: &str, key: Option<[u8; 32]>, screen: &Screen) -> Outcome {
    let keys = open(config).await?.key_operations().await.map_err(|fault| fault.to_string())?;
    let registered = keys.register_audience_key.register(&Origin::terminal(), audience, key).await;
    match registered.map_err(|failure| failure.to_string())? {
        Registered::Done { kid } => {
            screen.print(&format!(
                "the tokens of {audience} are encrypted with the key {kid} within a minute, once every backend has it; \
                 to use it at once: countersign keys rotate encryption --audience {audience}"
            ));
            Ok(())
        }
        Registered::Before => {
            screen.print("its tokens are encrypted so already, or will be within a minute");
            Ok(())
        }
        Registered::Weak => Err("this public key is not safe to encrypt to: it has small order".to_owned()),
        Registered::Overtaken => Err("another process changed its keys at the same time; try again".to_owned()),
        Registered::Unknown => Err("there is no such audience".to_owned()),
    }
}

/// Far more than any JWK.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// 32 bytes in base64url, or the path of a file that contains them as a JWK.
fn public_key(given: &str) -> Result<[u8; 32], String> {
    if let Some(key) = bytes(given) {
        return Ok(key);
    }
    let explain = |error| format!("{given}: neither 32 bytes in base64url nor a file that can be read: {error}");
    let mut text = String::new();
    let file = File::open(given).map_err(explain)?;
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(explain)?;
    from_jwk(&text).map_err(|why| format!("{given}: {why}"))
}

/// RFC 8037 section 2.
fn from_jwk(text: &str) -> Result<[u8; 32], &'static str> {
    let jwk: Value = serde_json::from_str(text).map_err(|_| "is not a JWK")?;
    let member = |name| jwk.get(name).and_then(Value::as_str);
    if jwk.get("d").is_some() {
        return Err("contains a private key, which only the backend may have: remove `d` from the JWK");
    }
    if (member("kty"), member("crv")) != (Some("OKP"), Some("X25519")) {
        return Err("is not an X25519 key (`kty` OKP, `crv` X25519)");
    }
    if jwk.get("alg").is_some_and(|alg| alg != "ECDH-ES") || jwk.get("use").is_some_and(|usage| usage != "enc") {
        return Err("is not for ECDH-ES (`alg` ECDH-ES, `use` enc)");
    }
    member("x").and_then(bytes).ok_or("has no `x` of 32 bytes in base64url")
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    BASE64URL.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of RFC 8037 appendix A.6.
    const X: &str = "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08";

    #[test]
    fn a_public_key_is_read_as_text_and_as_a_jwk() {
        let key = bytes(X).unwrap();
        assert_eq!(public_key(X), Ok(key));
        let file = tempfile::NamedTempFile::new().unwrap();
        let jwk = format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}","kid":"Bob","use":"enc","alg":"ECDH-ES"}}"#);
        std::fs::write(file.path(), jwk).unwrap();
        assert_eq!(public_key(file.path().to_str().unwrap()), Ok(key));
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_a_private_one_above_all() {
        let short = &X[..42];
        for (jwk, why) in [
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}","d":"{X}"}}"#), "private"),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}"#), "X25519"),
            (format!(r#"{{"kty":"EC","crv":"X25519","x":"{X}"}}"#), "X25519"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{short}"}}"#), "32 bytes"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}="}}"#), "32 bytes"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":["{X}"]}}"#), "32 bytes"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}","alg":"ECDH-ES+A256KW"}}"#), "not for ECDH-ES"),
            (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}","use":"sig"}}"#), "not for ECDH-ES"),
            (format!(r#"[{{"kty":"OKP","crv":"X25519","x":"{X}"}}]"#), "X25519"),
            ("[".repeat(10_000), "not a JWK"),
            (String::new(), "not a JWK"),
        ] {
            let refused = from_jwk(&jwk).unwrap_err();
            assert!(refused.contains(why), "{jwk}: {refused}");
        }
        for name in ["/", "/dev/null", "", "a\0b", "/nowhere/at/all"] {
            public_key(name).unwrap_err();
        }
    }
}
