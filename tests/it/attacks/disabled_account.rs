use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, email_change_mail, on_each_database, reason,
    reset_mail,
};
use countersign::{
    grpc::{callers, wire::proto::*},
    usecase::Origin,
};
use countersign_domain::caller::CallerRule;
use http::uri::PathAndQuery;
use tonic::{Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

/// Calls any RPC with an empty message.
async fn call(app: &App, path: &'static str, person: &Person) -> Result<(), Status> {
    let request: Request<()> = person.asks(());
    let mut client = Grpc::new(app.channel());
    client.ready().await.unwrap();
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    client.unary(request, PathAndQuery::from_static(path), codec).await.map(|_| ())
}

async fn disable(app: &App, person: &Person) {
    let id = person.session.account.as_ref().unwrap().account_id.parse().unwrap();
    assert!(app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap());
}

#[test]
fn a_disabled_account_can_do_nothing_at_the_next_call() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let of_account: Vec<_> = callers::table()
            .iter()
            .filter(|method| matches!(method.requirement.caller, CallerRule::Account | CallerRule::AccountOrChallenge))
            .map(|method| method.path)
            .collect();
        assert!(of_account.len() >= 9, "{of_account:?}");
        // After a login, the deletion needs nothing else.
        for path in of_account.iter().filter(|path| !path.ends_with("/DeleteMe")) {
            if let Err(status) = call(app, path, &ada).await {
                let told = reason(&status);
                let is_about_input = ["INVALID_FIELD", "FACTOR_NOT_FOUND"].contains(&told.as_str());
                assert!(is_about_input, "{path}, while the account is enabled: {told}");
            }
        }
        // The loop above has revoked the other sessions, and not the caller's own.
        app.me(&ada.session).await.unwrap();

        disable(app, &ada).await;
        for path in &of_account {
            assert_eq!(call(app, path, &ada).await.reason(), "ACCOUNT_DISABLED", "{path}");
        }
        assert_eq!(app.refresh(&ada.session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
        assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 0);
    });
}

#[test]
fn links_that_were_mailed_before_do_nothing_for_a_disabled_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let reset = reset_mail(app, "ada@example.org").await;
        let change = email_change_mail(app, &ada, "ada@example.net").await;
        let links = [
            (Purpose::Reset, Proof::Link(reset.link_token())),
            (Purpose::ConfirmEmail, Proof::Link(change.link_token())),
        ];
        disable(app, &ada).await;
        for (purpose, mail) in [(Purpose::Reset, reset), (Purpose::ConfirmEmail, change)] {
            let code = Proof::Code { email: mail.to.clone(), code: mail.typed_code() };
            for (proof, reason) in [(Proof::Link(mail.link_token()), "LINK_USED"), (code, "CODE_INVALID")] {
                let refused = purpose.claim(app, &proof, NEW_PASSWORD, "").await;
                assert_eq!(refused.reason(), reason, "{purpose:?}");
            }
        }
        let id = ada.session.account.as_ref().unwrap().account_id.parse().unwrap();
        assert!(app.operations.enable_account.enable(&Origin::terminal(), id).await.unwrap());
        for (purpose, link) in links {
            let refused = purpose.claim(app, &link, NEW_PASSWORD, "").await;
            assert_eq!(refused.reason(), "LINK_USED", "{purpose:?}, after the account was enabled again");
        }
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE email = 'ada@example.org'").await, 1);
    });
}

#[test]
fn a_disabled_account_is_sent_no_link() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        disable(app, &ada).await;
        let sent = app.mails_to("ada@example.org").await.len();
        let email = "ada@example.org".to_owned();
        app.account().request_reset(RequestResetRequest { email: email.clone(), ..Default::default() }).await.unwrap();
        let resend = ResendVerificationRequest { email: email.clone(), ..Default::default() };
        app.account().resend_verification(resend).await.unwrap();
        let form = RegisterRequest { email: email.clone(), password: PASSWORD.to_owned(), ..Default::default() };
        app.account().register(form).await.unwrap();
        assert_eq!(app.mails_to(&email).await.len(), sent);
    });
}

#[test]
fn a_reset_does_not_enable_a_disabled_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = reset_mail(app, "ada@example.org").await.link_token();
        disable(app, &ada).await;
        let refused = Purpose::Reset.claim(app, &Proof::Link(token), NEW_PASSWORD, "").await;
        assert_eq!(refused.reason(), "LINK_USED");
        for password in [PASSWORD, NEW_PASSWORD] {
            assert_eq!(app.log_in("ada@example.org", password).await.reason(), "CREDENTIALS_INVALID");
        }
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE disabled_at IS NULL").await, 0);
    });
}

#[test]
fn a_login_does_not_enable_a_disabled_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        disable(app, &ada).await;
        for _ in 0..6 {
            assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        }
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE disabled_at IS NULL").await, 0);
    });
}
