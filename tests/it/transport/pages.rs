use crate::support::{Answer, App, AppOptions, MailText as _, PASSWORD, captcha_at, on_sqlite, on_sqlite_with, send};
use crate::transport::profile::production;
use countersign::{grpc::wire::proto::*, http::PAGES};
use http::{Request, StatusCode, Version};
use http_body_util::Full;

fn told<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|value| value.to_str().ok())
}

async fn open(app: &App, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Full::default()).unwrap();
    send(app.address, Version::HTTP_11, request).await
}

#[test]
fn opening_a_mailed_link_acts_on_nothing_and_leaves_the_token_in_no_log() {
    on_sqlite(async |app| {
        let form = RegisterRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().register(form).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        for page in PAGES {
            for method in ["GET", "HEAD"] {
                // A browser does not send the fragment; a person may still paste the token as a query.
                let answer = open(app, method, &format!("{page}?token={token}")).await;
                assert_eq!(answer.status, StatusCode::OK, "{method} {page}");
                assert!(!String::from_utf8_lossy(&answer.body).contains(&token), "{page} repeats the token");
                assert!(!format!("{:?}", answer.headers).contains(&token), "{page} repeats the token in a header");
            }
        }
        assert_eq!(app.rows("accounts").await, 0, "nothing was verified");
        assert!(app.log.text().contains("DEBUG") || app.log.text().contains("TRACE"), "the log listens");
        assert!(!app.log.text().contains(&token), "the token is in the log");
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    });
}

/// Mailed links, unchanged and as gateways and mail programs change them.
const BENT: [&str; 7] = [
    "/verify/",
    "/verify%23token={}",
    "/verify%23token%3D{}",
    "/verify/%23token={}%3E",
    "/verify%3E",
    "/reset/",
    "/confirm-email.",
];

#[test]
fn a_link_that_was_changed_on_the_way_opens_its_page_and_leaves_its_token_in_no_log() {
    on_sqlite(async |app| {
        let token = "v4.local.canary-of-a-token";
        for bent in BENT {
            for method in ["GET", "HEAD"] {
                let answer = open(app, method, &bent.replace("{}", token)).await;
                assert_eq!(answer.status, StatusCode::OK, "{method} {bent}");
                assert_eq!(told(&answer, "cache-control"), Some("no-store"), "{method} {bent}");
                assert_eq!(told(&answer, "referrer-policy"), Some("no-referrer"), "{method} {bent}");
                assert!(!String::from_utf8_lossy(&answer.body).contains("canary"), "{bent} is told back");
            }
            assert_ne!(open(app, "POST", &bent.replace("{}", token)).await.status, StatusCode::OK, "{bent}");
        }
        assert!(!app.log.text().contains("canary"), "the token is in the log");
    });
}

#[test]
fn a_browser_that_asks_for_nothing_there_is_shown_a_page_that_says_so() {
    on_sqlite(async |app| {
        let ask = async |path: &str, accept: &str| {
            let request = Request::get(path).header("accept", accept).body(Full::default()).unwrap();
            send(app.address, Version::HTTP_11, request).await
        };
        let page = ask("/nowhere", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert_eq!(told(&page, "content-type"), Some("text/html; charset=utf-8"));
        assert!(told(&page, "content-security-policy").unwrap().contains("script-src 'self'"));
        assert!(String::from_utf8_lossy(&page.body).contains("/assets/"));
        assert!(ask("/nowhere", "*/*").await.body.is_empty(), "who does not ask for a page gets none");
        let rpc = ask("/countersign.v1.AuthService/Login", "text/html").await;
        assert_eq!((rpc.status, rpc.body.len()), (StatusCode::METHOD_NOT_ALLOWED, 0));
    });
}

#[test]
fn pages_run_nothing_but_our_own_files_and_nobody_frames_them() {
    on_sqlite(async |app| {
        let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";
        let expected = [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ("strict-transport-security", "max-age=63072000"),
            ("cache-control", "no-store"),
            ("content-type", "text/html; charset=utf-8"),
        ];
        for page in PAGES {
            let answer = open(app, "GET", page).await;
            for (name, value) in expected {
                assert_eq!(told(&answer, name), Some(value), "{page} {name}");
            }
            let text = String::from_utf8_lossy(&answer.body).to_lowercase();
            for inline in ["<style", "style=", "<iframe", "http-equiv", "javascript:", "data:", "onload=", "onerror="] {
                assert!(!text.contains(inline), "{page} has {inline}");
            }
            for script in text.split("<script").skip(1) {
                let (tag, rest) = script.split_once('>').unwrap();
                assert!(tag.contains("src=\"/assets/") && rest.starts_with("</script>"), "{page} has a script in it");
            }
            assert!(answer.headers.get("set-cookie").is_none(), "{page} sets a cookie");
        }
    });
}

#[test]
fn pages_may_load_what_the_configured_captcha_needs_and_nothing_of_any_other() {
    const HOSTS: [&str; 6] = [
        "https://www.google.com/recaptcha/",
        "https://www.gstatic.com/recaptcha/",
        "https://recaptcha.google.com/recaptcha/",
        "https://hcaptcha.com",
        "https://*.hcaptcha.com",
        "https://challenges.cloudflare.com",
    ];
    for (provider, own) in
        [("recaptcha_v2", 0..3), ("recaptcha_v3", 0..3), ("hcaptcha", 3..5), ("turnstile", 5..6), ("none", 0..0)]
    {
        let mut options = AppOptions::default();
        if provider != "none" {
            // The script comes from the provider, wherever tokens are verified.
            options = captcha_at("https://verify.example.org/").and("COUNTERSIGN_CAPTCHA__PROVIDER", provider);
        }
        on_sqlite_with(options, async |app| {
            let answer = open(app, "GET", "/sign-in").await;
            let policy = told(&answer, "content-security-policy").unwrap();
            for (at, host) in HOSTS.iter().enumerate() {
                assert_eq!(policy.contains(host), own.contains(&at), "{provider} {host}");
            }
            for rule in ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
                assert!(policy.split("; ").any(|part| part == rule), "{provider} {rule}");
            }
            let scripts = policy.split("; ").find(|part| part.starts_with("script-src ")).unwrap();
            assert!(!scripts.contains("unsafe") && !scripts.contains("https: "), "{provider}: {scripts}");
            assert!(!policy.contains("verify.example.org"), "{provider}");
            assert_eq!(policy.contains("trusted-types 'none'"), provider == "none");
            let referrer = if provider == "none" { "no-referrer" } else { "strict-origin" };
            assert_eq!(told(&answer, "referrer-policy"), Some(referrer), "{provider}");
        });
    }
}

#[test]
fn what_pages_load_is_kept_for_ever_and_sent_small_to_those_who_take_it() {
    on_sqlite(async |app| {
        let shell = open(app, "GET", "/sign-in").await;
        let text = String::from_utf8(shell.body.to_vec()).unwrap();
        let assets: Vec<_> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
        assert!(assets.iter().any(|path| path.ends_with(".js")) && assets.iter().any(|path| path.ends_with(".css")));
        for path in assets {
            let plain = open(app, "GET", path).await;
            assert_eq!(plain.status, StatusCode::OK, "{path}");
            assert_eq!(told(&plain, "cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(told(&plain, "x-content-type-options"), Some("nosniff"));
            assert_eq!((told(&plain, "content-encoding"), told(&plain, "vary")), (None, Some("accept-encoding")));
            let asked = Request::get(path).header("accept-encoding", "gzip, br").body(Full::default()).unwrap();
            let small = send(app.address, Version::HTTP_11, asked).await;
            assert_eq!(told(&small, "content-encoding"), Some("gzip"), "{path}");
            assert!(small.body.starts_with(&[0x1f, 0x8b]) && small.body.len() < plain.body.len(), "{path}");
        }
    });
}

#[test]
fn the_page_of_the_mailbox_exists_in_development_only() {
    on_sqlite(async |app| {
        assert_eq!(open(app, "GET", "/dev/mailbox").await.status, StatusCode::OK);
        let shell = String::from_utf8(open(app, "GET", "/").await.body.to_vec()).unwrap();
        assert!(shell.contains("data-mailbox=\"on\""));
    });
    on_sqlite_with(production(), async |app| {
        assert_eq!(open(app, "GET", "/dev/mailbox").await.status, StatusCode::NOT_FOUND);
        let shell = String::from_utf8(open(app, "GET", "/").await.body.to_vec()).unwrap();
        assert!(shell.contains("data-mailbox=\"off\""));
    });
}

#[test]
fn an_operator_with_a_front_end_switches_the_pages_off_and_mails_lead_there() {
    let options = AppOptions::with("COUNTERSIGN_BROWSER__PAGES", "false")
        .and("COUNTERSIGN_LINKS__BASE_URL", "https://app.example.org/me");
    on_sqlite_with(options, async |app| {
        for page in PAGES {
            assert_eq!(open(app, "GET", page).await.status, StatusCode::NOT_FOUND, "{page}");
        }
        for bent in BENT {
            assert_eq!(open(app, "GET", bent).await.status, StatusCode::NOT_FOUND, "{bent}");
        }
        let form = RegisterRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().register(form).await.unwrap();
        let mail = app.mail_to("ada@example.org").await;
        assert!(mail.text.contains("https://app.example.org/me/verify#token="), "{}", mail.text);
        assert!(!mail.text.contains("id.example.org"), "{}", mail.text);
    });
}

#[test]
fn the_pages_take_nothing_but_get() {
    on_sqlite(async |app| {
        for page in PAGES {
            for method in ["POST", "PUT", "DELETE"] {
                let answer = open(app, method, page).await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {page}");
                assert_eq!(answer.headers.get("allow").map(|allow| allow.as_bytes()), Some(&b"GET,HEAD"[..]));
            }
        }
    });
}
