use countersign_domain::captcha::{CaptchaAnswer, CaptchaFault};
use serde::Deserialize;

/// The JSON object of all providers. They may add fields of their own.
#[derive(Deserialize)]
struct Answer {
    success: bool,
    hostname: Option<String>,
    action: Option<String>,
    score: Option<f64>,
    #[serde(rename = "error-codes", default)]
    error_codes: Option<Vec<String>>,
}

/// Reads an answer. A duplicate field, or a `success` that is not a boolean, makes it invalid.
pub(super) fn read(body: &[u8]) -> Result<CaptchaAnswer, CaptchaFault> {
    // serde would also read an array with the right values.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(CaptchaFault::Unreadable);
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| CaptchaFault::Unreadable)?;
    Ok(CaptchaAnswer {
        success: answer.success,
        hostname: answer.hostname,
        action: answer.action,
        score: answer.score,
        error_codes: answer.error_codes.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_whatever_else_is_in_it() {
        let body = br#" {"success":true,"challenge_ts":"2026-01-01T00:00:00Z","hostname":"a.example","credit":false,"score":0.9,
            "action":"login","error-codes":[],"metadata":{"interactive":true}}"#;
        let answer = read(body).unwrap();
        assert!(answer.success && answer.error_codes.is_empty());
        assert_eq!((answer.hostname.as_deref(), answer.action.as_deref()), (Some("a.example"), Some("login")));
        assert_eq!(answer.score, Some(0.9));
        assert_eq!(read(br#"{"success":false,"error-codes":null}"#).unwrap(), CaptchaAnswer::default());
    }

    #[test]
    fn nonsense_is_no_answer() {
        let nonsense: [&[u8]; 14] = [
            b"",
            b"true",
            b"null",
            b"{}",
            b"<html>success</html>",
            br#"{"success":true"#,
            br#"{"success":true}{}"#,
            br#"{"success":"true"}"#,
            br#"{"success":1}"#,
            br#"{"success":null}"#,
            br#"{"success":false,"success":true}"#,
            br#"{"success":true,"hostname":"a","hostname":"b"}"#,
            br#"{"success":true,"score":"0.9"}"#,
            br#"[true,null,null,null,[]]"#,
        ];
        for body in nonsense {
            assert_eq!(read(body), Err(CaptchaFault::Unreadable), "{}", String::from_utf8_lossy(body));
        }
    }
}
