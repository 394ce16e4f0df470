use crate::support::{MailText as _, Person, Proof, Purpose, Refused as _, bearer, on_sqlite, reset_mail};
use countersign::grpc::wire::proto::*;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

#[test]
fn a_token_is_good_for_its_own_kind_only() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let (access, refresh) = (ada.session.access_token.clone(), ada.session.refresh_token.clone());
        let action = reset_mail(app, "ada@example.org").await.link_token();
        for other in [&refresh, &action] {
            assert_eq!(app.account().get_me(bearer(other, GetMeRequest {})).await.reason(), "TOKEN_INVALID");
        }
        for other in [&access, &action] {
            assert_eq!(app.refresh(other).await.reason(), "TOKEN_INVALID");
            let leave = LogoutRequest { refresh_token: other.clone(), everywhere: true, ..Default::default() };
            assert_eq!(app.auth().logout(leave).await.reason(), "TOKEN_INVALID");
        }
        for other in [&access, &refresh] {
            let refused = Purpose::Reset.claim(app, &Proof::Link(other.clone()), NEW_PASSWORD, "").await;
            // An access token is longer than any link, so the field may be refused first.
            assert!(["LINK_INVALID", "INVALID_FIELD"].contains(&refused.reason().as_str()));
        }
        app.me(&ada.session).await.unwrap();
        app.refresh(&refresh).await.unwrap();
        Purpose::Reset.claim(app, &Proof::Link(action), NEW_PASSWORD, "").await.unwrap();
    });
}

#[test]
fn two_bearer_tokens_are_refused() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        for second in [&ada.session.access_token, &eve.session.access_token] {
            let mut request = ada.asks(GetMeRequest {});
            request.metadata_mut().append("authorization", format!("Bearer {second}").parse().unwrap());
            assert_eq!(app.account().get_me(request).await.reason(), "TOKEN_INVALID");
        }
    });
}
