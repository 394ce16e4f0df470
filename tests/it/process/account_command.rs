use crate::support::{Client, PASSWORD, ProcessOptions, Refused as _, ServiceProcess};
use countersign::grpc::wire::proto::ResetRequest;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_made_in_the_terminal_gets_its_password_by_mail_and_a_role() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_ACCOUNTS__REGISTRATION", "closed");
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    assert_eq!(client.register("ada@example.org", "").await.reason(), "REGISTRATION_CLOSED");

    let said = options.succeed(&["account", "create", "ada@example.org", "--username", "ada", "--name", "Ada L."]);
    assert!(said.contains("will be mailed to ada@example.org"), "{said}");
    let mail = client.mail("ada@example.org", "Your account").await;
    let form = ResetRequest { token: mail.token, new_password: PASSWORD.to_owned(), ..Default::default() };
    client.account().reset(form).await.unwrap();

    assert!(options.succeed(&["account", "role", "grant", "ada", "billing:read"]).contains("created and granted"));
    let session = client.log_in("ada", PASSWORD).await.unwrap();
    assert_eq!(client.me(&session).await.unwrap().roles, ["billing:read"]);
    assert_eq!(options.succeed(&["account", "role", "list"]), "     1  billing:read\n");
    assert_eq!(options.succeed(&["account", "role", "list", "ada@example.org"]), "billing:read\n");
    options.succeed(&["account", "role", "revoke", "ada", "billing:read"]);
    assert!(options.fail(&["account", "role", "revoke", "ada", "billing:read"]).contains("does not have this role"));
    assert_eq!(options.succeed(&["account", "role", "list", "ada"]), "");

    let mistakes: [(&[&str], &str); 5] = [
        (&["account", "create", "ada@example.org"], "has an account already"),
        (&["account", "create", "bob@example.org", "--username", "ADA"], "the user name is taken"),
        (&["account", "create", "bob"], "the address"),
        (&["account", "create", "bob@example.org", "--locale", "!"], "the locale"),
        (&["account", "role", "grant", "ada", "Not A Role"], "the name of a role has"),
    ];
    for (arguments, said) in mistakes {
        let complaint = options.fail(arguments);
        assert!(complaint.contains(said), "{arguments:?}: {complaint}");
    }
    service.stop();
}
