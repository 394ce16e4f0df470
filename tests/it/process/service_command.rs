use crate::support::{Client, ProcessOptions, Refused as _, ServiceProcess, eventually};
use countersign::grpc::wire::proto::IssueServiceTokenRequest;

/// The text after a word at the beginning of a line.
fn said<'a>(output: &'a str, word: &str) -> &'a str {
    let found = output.lines().find_map(|line| line.strip_prefix(word));
    found.unwrap_or_else(|| panic!("{word} is missing in: {output}")).trim()
}

async fn draws(client: &Client, id: &str, secret: &str) -> Result<(), tonic::Status> {
    let form = IssueServiceTokenRequest {
        client_id: id.to_owned(),
        client_secret: secret.to_owned(),
        audience: String::new(),
    };
    client.auth().issue_service_token(form).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_made_given_a_new_secret_disabled_and_enabled() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    assert_eq!(options.succeed(&["service", "list"]), "there are no service accounts\n");

    let made = options.succeed(&["service", "create", "orders", "--audience", "shop", "--calls", "default"]);
    assert!(made.contains("created the audience shop"), "{made}");
    let (id, first) = (said(&made, "client id"), said(&made, "client secret"));
    draws(&client, id, first).await.unwrap();

    let added = options.succeed(&["service", "add-secret", "orders"]);
    let second = said(&added, "client secret");
    draws(&client, id, first).await.unwrap();
    draws(&client, id, second).await.unwrap();
    assert!(options.fail(&["service", "add-secret", "orders"]).contains("two secrets already"));
    options.succeed(&["service", "retire-secret", "orders", said(&made, "secret id")]);
    assert_eq!(draws(&client, id, first).await.reason(), "CREDENTIALS_INVALID");
    draws(&client, id, second).await.unwrap();

    let list = options.succeed(&["service", "list"]);
    for shown in [id, "orders", "enabled", "audience=shop calls=default", said(&added, "secret id")] {
        assert!(list.contains(shown), "{shown}: {list}");
    }
    assert!(options.succeed(&["service", "disable", "orders"]).contains("disabled"));
    assert!(options.succeed(&["service", "disable", "orders"]).contains("already"));
    assert_eq!(draws(&client, id, second).await.reason(), "CREDENTIALS_INVALID");
    assert!(options.succeed(&["service", "list"]).contains("disabled"));
    options.succeed(&["service", "enable", "orders"]);
    draws(&client, id, second).await.unwrap();

    let trail = options.succeed(&["audit", "list"]);
    for secret in [first, second] {
        assert!(!list.contains(secret) && !trail.contains(secret), "shown once");
    }
    for event in ["service_created", "service_secret_added", "service_secret_retired", "service_disabled"] {
        assert!(trail.contains(event), "{event}: {trail}");
    }
    service.stop();
}

#[test]
fn what_cannot_be_a_service_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    options.succeed(&["migrate"]);
    assert_eq!(options.succeed(&["service", "list"]), "there are no service accounts\n");
    let complaint = options.fail(&["service", "create", "orders", "--audience", "shop"]);
    assert!(complaint.contains("the first start of `countersign serve` creates it"), "{complaint}");
    ServiceProcess::start(&options).stop();
    for name in ["", "Orders", "a b", "é", &"o".repeat(65)] {
        assert!(
            options.fail(&["service", "create", name, "--audience", "shop"]).contains("the name of a service account"),
            "{name:?}"
        );
        assert!(
            options
                .fail(&["service", "create", "orders", "--audience", name])
                .contains("the name of a service account"),
            "{name:?}"
        );
    }
    assert_eq!(options.succeed(&["service", "list"]), "there are no service accounts\n");
    options.succeed(&["service", "create", "orders", "--audience", "shop"]);
    assert!(options.fail(&["service", "create", "orders", "--audience", "other"]).contains("this name already"));
    assert!(!options.succeed(&["audience", "list"]).contains("other"), "a refused command makes no audience");
    for command in [&["add-secret", "nobody"][..], &["disable", "nobody"], &["retire-secret", "nobody", "x"]] {
        assert!(options.fail(&[&["service"], command].concat()).contains("no such service"), "{command:?}");
    }
    assert!(options.fail(&["service", "retire-secret", "orders", "x"]).contains("not the id of a secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_signs_everybody_out() {
    let folder = tempfile::tempdir().unwrap();
    let options = ProcessOptions::in_folder(folder.path());
    let service = ServiceProcess::start(&options);
    let client = Client::to(&service.address).await;
    let session = client.sign_up("ada@example.org").await;
    assert!(options.fail(&["session", "end-all"]).contains("--yes"), "nobody is there to be asked");
    client.me(&session).await.unwrap();
    assert!(options.succeed(&["session", "end-all", "--yes"]).starts_with("ended 1 sessions"));
    assert_eq!(client.me(&session).await.reason(), "SESSION_ENDED");
    assert_eq!(client.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
    let trail = eventually("the audit trail", async || {
        let trail = options.succeed(&["audit", "list"]);
        trail.contains("sessions_ended_by_operator").then_some(trail)
    })
    .await;
    assert!(!trail.contains(&session.refresh_token));
    assert!(options.succeed(&["session", "end-all", "--yes"]).starts_with("ended 0 sessions"));
    service.stop();
}
