use crate::support::{
    App, KeyHolder, MailText as _, PASSWORD, Person, Proof, Protected, Purpose, Refused as _, SoftPasskey,
    on_each_database, reset_mail,
};
use countersign::grpc::wire::proto::*;
use tonic::{Request, Status};

/// A call to another tenant than the default one.
fn elsewhere<T>(mut request: Request<T>) -> Request<T> {
    request.metadata_mut().insert("x-countersign-tenant", "acme".parse().unwrap());
    request
}

async fn open_tenant(app: &App) {
    let id = match app.database_url.starts_with("sqlite") {
        true => "x'019a0000000070008000000000000abc'",
        false => "'019a0000-0000-7000-8000-000000000abc'",
    };
    app.execute(&format!("INSERT INTO tenants (id, name, created_at) VALUES ({id}, 'acme', 0)")).await;
}

#[test]
fn a_token_opens_nothing_in_another_tenant() {
    on_each_database(async |app| {
        open_tenant(app).await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let link = reset_mail(app, "ada@example.org").await.link_token();
        let refresh = RefreshRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
        let logout =
            LogoutRequest { refresh_token: ada.session.refresh_token.clone(), everywhere: true, ..Default::default() };
        let login = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        let reset = ResetRequest {
            token: link.clone(),
            new_password: "nine loud ravens at dawn".to_owned(),
            ..Default::default()
        };
        assert_eq!(app.account().get_me(elsewhere(ada.asks(GetMeRequest {}))).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.auth().refresh(elsewhere(Request::new(refresh))).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.auth().logout(elsewhere(Request::new(logout))).await.reason(), "TOKEN_INVALID");
        assert_eq!(app.auth().login(elsewhere(Request::new(login))).await.reason(), "CREDENTIALS_INVALID");
        let refused: Result<_, Status> = app.account().reset(elsewhere(Request::new(reset))).await;
        assert_eq!(refused.reason(), "LINK_INVALID");

        let mut unknown = ada.asks(GetMeRequest {});
        unknown.metadata_mut().insert("x-countersign-tenant", "nobody".parse().unwrap());
        assert_eq!(app.account().get_me(unknown).await.reason(), "TENANT_UNKNOWN");
        app.me(&ada.session).await.unwrap();
        let proof = Proof::Link(link);
        Purpose::Reset.claim(app, &proof, "nine loud ravens at dawn", "").await.unwrap();
    });
}

#[test]
fn a_challenge_completes_no_login_in_another_tenant() {
    on_each_database(async |app| {
        open_tenant(app).await;
        let ada = Protected::sign_up(app, "ada@example.org").await;
        let challenged = app.challenge("ada@example.org").await;
        let code = ada.next_code(app);
        let message = CompleteLoginRequest {
            challenge_token: challenged.challenge.challenge_token.clone(),
            device_token: challenged.device_token.clone(),
            proof: Some(complete_login_request::Proof::TotpCode(code.clone())),
            ..Default::default()
        };
        let refused = app.auth().complete_login(elsewhere(Request::new(message))).await;
        assert_eq!(refused.reason(), "CHALLENGE_INVALID");
        app.complete(&challenged, &code).await.unwrap();
    });
}

#[test]
fn a_passkey_opens_no_session_by_a_question_of_another_tenant() {
    on_each_database(async |app| {
        open_tenant(app).await;
        let mut ada = KeyHolder::sign_up(app, "ada@example.org", SoftPasskey::new()).await;
        let sessions = app.rows("sessions").await;
        let own = app.start_passkey_login().await;
        let asked = elsewhere(Request::new(StartPasskeyLoginRequest::default()));
        let foreign = app.auth().start_passkey_login(asked).await.unwrap().into_inner();
        let mut answer = |started: &StartPasskeyLoginResponse| CompleteLoginRequest {
            challenge_token: started.challenge_token.clone(),
            proof: Some(complete_login_request::Proof::PasskeyCredentialJson(
                ada.passkey.sign(&started.passkey_request_json).to_string(),
            )),
            ..Default::default()
        };
        let (by_own, by_foreign) = (answer(&own), answer(&foreign));
        // The call of the second one names no tenant: that of the token counts.
        let refused = app.auth().complete_login(elsewhere(Request::new(by_own.clone()))).await;
        assert_eq!(refused.reason(), "CHALLENGE_INVALID");
        assert_eq!(app.auth().complete_login(by_foreign).await.reason(), "PASSKEY_INVALID");
        assert_eq!(app.rows("sessions").await, sessions);
        app.auth().complete_login(by_own).await.unwrap();
    });
}

#[test]
fn one_passkey_that_two_tenants_know_opens_the_account_of_the_tenant_that_is_called() {
    on_each_database(async |app| {
        open_tenant(app).await;
        let there = KeyHolder::sign_up(app, "there@example.org", SoftPasskey::new()).await;
        let acme = "(SELECT id FROM tenants WHERE name = 'acme')";
        for table in ["accounts", "factors"] {
            app.execute(&format!("UPDATE {table} SET tenant_id = {acme}")).await;
        }
        // An authenticator that answers with one id and key in both.
        let mut here = KeyHolder::sign_up(app, "here@example.org", there.passkey.clone()).await;
        let mut foreign = there.passkey;
        let account = |session: &Session| session.account.as_ref().unwrap().account_id.clone();
        let session = here.log_in(app).await.unwrap();
        assert_eq!(account(&session), account(&here.person.session));

        let own = app.start_passkey_login().await;
        let crossed = foreign.sign(&own.passkey_request_json);
        assert_eq!(app.complete_passkey_login(&own.challenge_token, &crossed).await.reason(), "PASSKEY_INVALID");
        let asked = elsewhere(Request::new(StartPasskeyLoginRequest::default()));
        let other = app.auth().start_passkey_login(asked).await.unwrap().into_inner();
        let crossed = here.passkey.sign(&other.passkey_request_json);
        assert_eq!(app.complete_passkey_login(&other.challenge_token, &crossed).await.reason(), "PASSKEY_INVALID");
    });
}
