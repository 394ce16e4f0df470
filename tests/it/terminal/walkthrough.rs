use super::grpcurl::{Grpcurl, embedded_default, printed, text};
use crate::support::{binary, eventually};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// The block of README.md below a heading.
fn block_below(heading: &str) -> String {
    let readme = std::fs::read_to_string(README).unwrap();
    let (_, chapter) = readme.split_once(&format!("\n## {heading}\n")).expect("README.md has the chapter");
    let (_, block) = chapter.split_once("\n```bash\n").expect("the chapter has a block of bash");
    let (script, _) = block.split_once("\n```\n").expect("the block ends");
    script.to_owned()
}

fn walkthrough() -> String {
    block_below("Walkthrough in a terminal")
}

#[test]
fn grpcurl_adds_uses_and_removes_a_second_factor_as_the_readme_says() {
    let (Some(grpcurl), Some(_)) = (Grpcurl::installed(), binary("jq", &[])) else { return };
    let (_folder, service) = embedded_default();
    let script = block_below("A second factor in a terminal");
    let said = printed(&grpcurl.bash(&script, &[("COUNTERSIGN_ADDRESS", &service.address)]));
    for shown in ["LOGIN_METHOD_TOTP", "LOGIN_METHOD_BACKUP_CODE", "\"name\": \"My phone\"", "\"backupCodesLeft\": 9"] {
        assert!(said.contains(shown), "{shown} is not shown: {said}");
    }
    service.stop();
}

#[test]
fn grpcurl_runs_the_whole_walkthrough_of_the_readme() {
    let (Some(grpcurl), Some(_)) = (Grpcurl::installed(), binary("jq", &[])) else { return };
    let (_folder, service) = embedded_default();
    let output = grpcurl.bash(&walkthrough(), &[("COUNTERSIGN_ADDRESS", &service.address)]);
    let said = printed(&output);
    // The answers of GetMe, UpdateMe and the export.
    for shown in
        ["\"displayName\": \"Ada\"", "\"displayName\": \"Ada Lovelace\"", "\"current\": true", ".new@example.org"]
    {
        assert!(said.contains(shown), "{shown} is not shown: {said}");
    }
    // After the logout.
    let refused = text(&output.stderr);
    assert!(refused.contains("Code: Unauthenticated") && refused.contains("\"SESSION_ENDED\""), "{refused}");
    assert_eq!(refused.matches("ERROR:").count(), 1, "{refused}");
    for verb in [
        "Register",
        "Verify",
        "Login",
        "GetMe",
        "Refresh",
        "Reauthenticate",
        "ListSessions",
        "Logout",
        "RequestReset",
        "Reset",
        "UpdateMe",
        "ChangePassword",
        "RequestEmailChange",
        "ConfirmEmailChange",
        "ExportMe",
        "DeleteMe",
    ] {
        assert!(walkthrough().contains(&format!("Service/{verb} ")), "the walkthrough leaves out {verb}");
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_that_serve_prints_works_when_pasted() {
    let Some(grpcurl) = Grpcurl::installed() else { return };
    let (folder, service) = embedded_default();
    let line = eventually("the greeting", async || {
        let said = service.said();
        said.lines().find(|line| line.trim_start().starts_with("grpcurl ")).map(str::to_owned)
    })
    .await;
    let said = service.said();
    assert!(said.contains(&service.address), "{said}");
    for shown in ["data", "data/mail"] {
        assert!(said.contains(folder.path().join(shown).to_str().unwrap()), "{said}");
    }
    assert_eq!(printed(&grpcurl.bash(&line, &[])).trim(), "{}");
    let mails = folder.path().join("data/mail");
    eventually("the mail", async || mails.read_dir().unwrap().any(|entry| is_mail(&entry.unwrap())).then_some(()))
        .await;
    service.stop();
}

fn is_mail(entry: &std::fs::DirEntry) -> bool {
    entry.path().extension().is_some_and(|extension| extension == "eml")
}
