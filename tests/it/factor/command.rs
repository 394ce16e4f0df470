use super::EMAIL;
use crate::support::{
    Client, PASSWORD, Person, ProcessOptions, Refused as _, ServiceProcess, SoftPasskey, add_passkey, confirm_totp,
    start_totp,
};
use countersign::runtime::Clock;

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_removes_the_factors_of_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let ada = Person { session: client.sign_up(EMAIL).await, email: EMAIL.to_owned() };
    let none = "the account has no factor beside its password\n";
    assert_eq!(options.succeed(&["account", "factors", "list", EMAIL]), none);
    assert_eq!(options.succeed(&["account", "factors", "reset", EMAIL]), none);

    let (authenticator, id) = start_totp(&client, &ada, "Phone").await;
    confirm_totp(&client, &ada, &id, &authenticator.code(Clock::system().now())).await.unwrap();
    let challenged = client.challenge(EMAIL).await;
    assert_eq!(client.complete(&challenged, "000000").await.reason(), "CODE_INVALID");
    let list = options.succeed(&["account", "factors", "list", EMAIL]);
    for shown in [id.as_str(), "  totp  ", "Phone", "backup codes left: 10", "wrong codes in a row from unrecognized"] {
        assert!(list.contains(shown), "{list}");
    }
    let json = options.succeed(&["account", "factors", "list", EMAIL, "--json"]);
    let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((&line["factor_id"], &line["name"]), (&id.into(), &"Phone".into()));
    assert!(options.succeed(&["account", "show", EMAIL, "--json"]).contains("\"factors\":1"));

    let session = client.sign_up("eve@example.org").await;
    let finished = add_passkey(&client, &session, &mut SoftPasskey::new(), "Laptop").await.unwrap();
    let list = options.succeed(&["account", "factors", "list", "eve@example.org"]);
    for shown in [finished.factor.unwrap().factor_id.as_str(), "  passkey  ", "Laptop", "backup codes left: 10"] {
        assert!(list.contains(shown), "{list}");
    }

    let removed = options.succeed(&["account", "factors", "reset", EMAIL]);
    assert!(removed.starts_with("factors removed: 1"), "{removed}");
    assert_eq!(options.succeed(&["account", "factors", "list", EMAIL]), none);
    client.log_in(EMAIL, PASSWORD).await.unwrap();
    assert!(options.fail(&["account", "factors", "reset", "nobody@example.org"]).contains("no such account"));
    service.stop();
}
