//! Which calls require a captcha, for which actions, and what a token is good for.

use super::{Act, traces};
use crate::support::{
    AppOptions, Person, Refused as _, Siteverify, captcha_at, details, on_sqlite, on_sqlite_with, solved_token,
};
use std::collections::HashMap;
use tonic::Code;

const ADA: &str = "ada@example.org";

#[test]
fn no_captcha_is_required_where_no_provider_is_configured() {
    on_sqlite(async |app| {
        for act in Act::ALL {
            act.call(app, ADA, "", "").await.unwrap();
            act.call(app, ADA, "whatever-was-there", "").await.unwrap();
        }
    });
}

#[test]
fn only_what_the_operator_names_asks_for_a_captcha() {
    let provider = Siteverify::start();
    let options = captcha_at(&provider.url).and("COUNTERSIGN_CAPTCHA__REQUIRED_FOR", "request_reset");
    on_sqlite_with(options, async |app| {
        Person::sign_up(app, ADA).await;
        Act::ResendVerification.call(app, ADA, "", "").await.unwrap();
        assert_eq!(Act::RequestReset.call(app, ADA, "", "").await.reason(), "CAPTCHA_REQUIRED");
        assert!(provider.asked().is_empty());
    });
}

#[test]
fn a_call_without_a_token_learns_what_to_show_and_leaves_nothing_behind() {
    let provider = Siteverify::start();
    on_sqlite_with(captcha_at(&provider.url), async |app| {
        for act in Act::ALL {
            let before = traces(app).await;
            let refused = act.call(app, ADA, "", "").await.unwrap_err();
            assert_eq!(refused.code(), Code::FailedPrecondition);
            let details = details(&refused);
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, "CAPTCHA_REQUIRED");
            let expected = [
                ("captcha_provider", "turnstile"),
                ("captcha_site_key", "0x4AAAAAAA-site"),
                ("captcha_action", act.action()),
            ];
            assert_eq!(info.metadata, HashMap::from(expected.map(|(key, value)| (key.to_owned(), value.to_owned()))));
            assert!(details.retry_info().is_none());
            assert_eq!(traces(app).await, before, "{act:?}");
        }
        assert!(provider.asked().is_empty(), "there was nothing to ask about");
    });
}

#[test]
fn a_token_opens_one_call_of_the_act_it_was_solved_for() {
    let provider = Siteverify::start();
    on_sqlite_with(captcha_at(&provider.url), async |app| {
        for act in Act::ALL {
            let token = solved_token();
            provider.solved(act.action(), "id.example.org");
            act.call(app, ADA, &token, "").await.unwrap();
            let form = provider.asked().pop().unwrap();
            let fields: Vec<_> = form.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            assert_eq!(fields, [("response", token.as_str()), ("secret", "c4n4ry-captcha-secret")]);

            let before = traces(app).await;
            let again = act.call(app, ADA, &token, "").await.unwrap_err();
            assert_eq!(again.code(), Code::InvalidArgument);
            let info = details(&again);
            let info = info.error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.metadata.len()), ("CAPTCHA_INVALID", 3));
            for other in Act::ALL.into_iter().filter(|other| other.action() != act.action()) {
                let stolen = solved_token();
                assert_eq!(other.call(app, ADA, &stolen, "").await.reason(), "CAPTCHA_INVALID", "{other:?}");
            }
            assert_eq!(traces(app).await, before, "{act:?}");
        }
    });
}

#[test]
fn a_token_that_was_solved_elsewhere_opens_nothing() {
    let provider = Siteverify::start();
    on_sqlite_with(captcha_at(&provider.url), async |app| {
        let before = traces(app).await;
        for hostname in ["evil.example", "id.example.org.evil.example", ""] {
            provider.solved("register", hostname);
            let token = solved_token();
            assert_eq!(Act::Register.call(app, ADA, &token, "").await.reason(), "CAPTCHA_INVALID", "{hostname}");
        }
        assert_eq!(traces(app).await, before);
    });
}

#[test]
fn with_recaptcha_v3_whoever_seems_to_be_a_program_does_not_pass() {
    let provider = Siteverify::start();
    let options = |least: &str| {
        captcha_at(&provider.url)
            .and("COUNTERSIGN_CAPTCHA__PROVIDER", "recaptcha_v3")
            .and("COUNTERSIGN_CAPTCHA__MIN_SCORE_PERCENT", least)
    };
    on_sqlite_with(options("91"), async |app| {
        let token = solved_token();
        assert_eq!(Act::Register.call(app, ADA, &token, "").await.reason(), "CAPTCHA_INVALID");
    });
    on_sqlite_with(options("90"), async |app| {
        let token = solved_token();
        Act::Register.call(app, ADA, &token, "").await.unwrap();
    });
}

#[test]
fn hcaptcha_gets_the_site_key_and_nobody_the_address_unless_the_operator_says_so() {
    let provider = Siteverify::start();
    let hcaptcha = captcha_at(&provider.url).and("COUNTERSIGN_CAPTCHA__PROVIDER", "hcaptcha");
    for (options, address) in
        [(hcaptcha.clone(), None), (hcaptcha.and("COUNTERSIGN_CAPTCHA__SEND_REMOTE_IP", "true"), Some("127.0.0.1"))]
    {
        on_sqlite_with(options, async |app| {
            let token = solved_token();
            Act::Register.call(app, ADA, &token, "").await.unwrap();
            let form = provider.asked().pop().unwrap();
            assert_eq!(form.get("sitekey").map(String::as_str), Some("0x4AAAAAAA-site"));
            assert_eq!(form.get("remoteip").map(String::as_str), address);
        });
    }
}

#[test]
fn what_can_be_no_token_is_a_bad_field_and_no_provider_is_queried_about_it() {
    let provider = Siteverify::start();
    for options in [captcha_at(&provider.url), AppOptions::default()] {
        on_sqlite_with(options, async |app| {
            let before = traces(app).await;
            for token in ["a".repeat(8_193), "a&secret=b".to_owned(), "<script>".to_owned(), "a\r\nb".to_owned()] {
                for act in Act::ALL {
                    assert_eq!(act.call(app, ADA, &token, "").await.fields(), ["captcha_token"], "{act:?}");
                }
            }
            assert_eq!(traces(app).await, before);
        });
    }
    assert!(provider.asked().is_empty());
}
