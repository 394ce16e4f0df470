//! Every RPC that changes something, and the most frequent calls of people and backends, prepared so that they can be
//! made to fail.

use crate::support::{App, Backend, PASSWORD, Person, Purpose, bearer};
use countersign::grpc::wire::proto::*;
use std::{pin::Pin, time::Duration};
use tonic::{Request, Status};

/// A call that can be made repeatedly: each time with what was prepared.
pub(super) struct Act {
    pub(super) name: &'static str,
    /// Whether a call that did its work and then failed gets its answer when it is repeated.
    pub(super) is_repeatable: bool,
    pub(super) prepare: for<'a> fn(&'a App, String) -> Later<'a, Call>,
}

pub(super) type Call = Box<dyn for<'a> Fn(&'a App) -> Later<'a, Result<(), Status>>>;
type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

const NEW_PASSWORD: &str = "four grey herons watch the tide";

/// A call of a service: `$client.$method($message)`.
macro_rules! call {
    ($client:ident, $method:ident, $message:expr) => {{
        let message = $message;
        let call: Call = Box::new(move |app: &App| {
            let message = message.clone();
            Box::pin(async move { app.$client().$method(message).await.map(drop) })
        });
        call
    }};
}

/// The same with the access token of a person.
macro_rules! call_as {
    ($person:expr, $client:ident, $method:ident, $message:expr) => {{
        let (token, message) = ($person.session.access_token.clone(), $message);
        let call: Call = Box::new(move |app: &App| {
            let request: Request<_> = bearer(&token, message.clone());
            Box::pin(async move { app.$client().$method(request).await.map(drop) })
        });
        call
    }};
}

mod factors;

/// Every act.
pub(super) fn acts() -> impl Iterator<Item = &'static Act> {
    ACTS.iter().chain(factors::ACTS)
}

/// The acts of a login whose account has no factor and must have one: where [`POLICY`] is set.
pub(super) fn acts_under_policy() -> impl Iterator<Item = &'static Act> {
    factors::UNDER_POLICY.iter()
}

/// The setting of [`acts_under_policy`].
pub(super) const POLICY: (&str, &str) = ("COUNTERSIGN_FACTORS__REQUIRED", "always");

/// RPCs that only read, and are called most often.
pub(super) fn questions() -> impl Iterator<Item = &'static Act> {
    QUESTIONS.iter().chain(factors::QUESTIONS)
}

const ACTS: &[Act] = &[
    Act {
        name: "Register",
        is_repeatable: false,
        prepare: |_, email| {
            Box::pin(async move {
                let password = PASSWORD.to_owned();
                call!(
                    account,
                    register,
                    RegisterRequest { email: email.clone(), password: password.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "Verify",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let token = link(app, Purpose::Verify, &email).await;
                call!(account, verify, VerifyRequest { token: token.clone(), ..Default::default() })
            })
        },
    },
    Act {
        name: "ResendVerification",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                link(app, Purpose::Verify, &email).await;
                let form = ResendVerificationRequest { email: email.clone(), ..Default::default() };
                call!(account, resend_verification, form)
            })
        },
    },
    Act {
        name: "RequestReset",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                Person::register(app, &email).await;
                call!(account, request_reset, RequestResetRequest { email: email.clone(), ..Default::default() })
            })
        },
    },
    Act {
        name: "Reset",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let token = link(app, Purpose::Reset, &email).await;
                let new_password = NEW_PASSWORD.to_owned();
                call!(
                    account,
                    reset,
                    ResetRequest { token: token.clone(), new_password: new_password.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "UpdateMe",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let account = Account { display_name: "Ada".to_owned(), ..Default::default() };
                let update_mask = Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] });
                let form = UpdateMeRequest { account: Some(account), update_mask, ..Default::default() };
                call_as!(person, account, update_me, form)
            })
        },
    },
    Act {
        name: "ChangePassword",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let form = ChangePasswordRequest {
                    current_password: PASSWORD.to_owned(),
                    new_password: NEW_PASSWORD.to_owned(),
                    ..Default::default()
                };
                call_as!(person, account, change_password, form)
            })
        },
    },
    Act {
        name: "RequestEmailChange",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let form = RequestEmailChangeRequest {
                    new_email: format!("new.{email}"),
                    current_password: PASSWORD.to_owned(),
                    ..Default::default()
                };
                call_as!(person, account, request_email_change, form)
            })
        },
    },
    Act {
        name: "ConfirmEmailChange",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let token = link(app, Purpose::ConfirmEmail, &email).await;
                call!(
                    account,
                    confirm_email_change,
                    ConfirmEmailChangeRequest { token: token.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "DeleteMe",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let form = DeleteMeRequest { current_password: PASSWORD.to_owned() };
                call_as!(person, account, delete_me, form)
            })
        },
    },
    Act {
        name: "Login",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                Person::register(app, &email).await;
                let password = PASSWORD.to_owned();
                let form = LoginRequest { identifier: email.clone(), password, ..Default::default() };
                call!(auth, login, form)
            })
        },
    },
    Act {
        name: "Refresh",
        is_repeatable: true,
        prepare: |app, email| {
            Box::pin(async move {
                let refresh_token = Person::sign_up(app, &email).await.session.refresh_token;
                call!(auth, refresh, RefreshRequest { refresh_token: refresh_token.clone(), ..Default::default() })
            })
        },
    },
    Act {
        name: "Refresh of a stolen token",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let stolen = Person::sign_up(app, &email).await.session.refresh_token;
                let next = app.refresh(&stolen).await.unwrap();
                app.refresh(&next.refresh_token).await.unwrap();
                call!(auth, refresh, RefreshRequest { refresh_token: stolen.clone(), ..Default::default() })
            })
        },
    },
    Act {
        name: "Refresh of a lost answer",
        is_repeatable: true,
        prepare: |app, email| {
            Box::pin(async move {
                Person::register(app, &email).await;
                let form = LoginRequest { identifier: email, password: PASSWORD.to_owned(), ..Default::default() };
                let LoginResponse { outcome, device_token, .. } = app.auth().login(form).await.unwrap().into_inner();
                let Some(login_response::Outcome::Session(session)) = outcome else {
                    panic!("a login without a session")
                };
                let refresh_token = session.refresh_token;
                app.refresh(&refresh_token).await.unwrap();
                app.advance(Duration::from_secs(31));
                call!(
                    auth,
                    refresh,
                    RefreshRequest { refresh_token: refresh_token.clone(), device_token: device_token.clone() }
                )
            })
        },
    },
    Act {
        name: "Reauthenticate",
        // A repetition makes another generation.
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let proof = Some(reauthenticate_request::Proof::Password(PASSWORD.to_owned()));
                call_as!(
                    person,
                    auth,
                    reauthenticate,
                    ReauthenticateRequest { proof: proof.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "Logout",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let refresh_token = Person::sign_up(app, &email).await.session.refresh_token;
                call!(auth, logout, LogoutRequest { refresh_token: refresh_token.clone(), ..Default::default() })
            })
        },
    },
    Act {
        name: "Logout everywhere",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let refresh_token = Person::sign_up(app, &email).await.session.refresh_token;
                app.log_in(&email, PASSWORD).await.unwrap();
                call!(
                    auth,
                    logout,
                    LogoutRequest { refresh_token: refresh_token.clone(), everywhere: true, ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "Logout everywhere after the session ended",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let refresh_token = Person::sign_up(app, &email).await.session.refresh_token;
                app.log_in(&email, PASSWORD).await.unwrap();
                let form = LogoutRequest { refresh_token, ..Default::default() };
                app.auth().logout(form.clone()).await.unwrap();
                call!(auth, logout, LogoutRequest { everywhere: true, ..form.clone() })
            })
        },
    },
    Act {
        name: "RevokeSession",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let session_id = app.log_in(&email, PASSWORD).await.unwrap().session_id;
                call_as!(person, sessions, revoke_session, RevokeSessionRequest { session_id: session_id.clone() })
            })
        },
    },
    Act {
        name: "RevokeOtherSessions",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                app.log_in(&email, PASSWORD).await.unwrap();
                call_as!(person, sessions, revoke_other_sessions, RevokeOtherSessionsRequest {})
            })
        },
    },
    Act {
        name: "IssueServiceToken",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let created = Backend::enrol(app, email.split('@').next().unwrap()).await.created;
                let form = IssueServiceTokenRequest {
                    client_id: created.id.to_string(),
                    client_secret: created.secret.reveal().to_owned(),
                    audience: "default".to_owned(),
                };
                call!(auth, issue_service_token, form)
            })
        },
    },
];

const QUESTIONS: &[Act] = &[
    Act {
        name: "GetMe",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                call_as!(person, account, get_me, GetMeRequest {})
            })
        },
    },
    Act {
        name: "ExportMe",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                call_as!(person, account, export_me, ExportMeRequest {})
            })
        },
    },
    Act {
        name: "ListSessions",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                call_as!(person, sessions, list_sessions, ListSessionsRequest::default())
            })
        },
    },
    Act {
        name: "Introspect",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let backend = Backend::enrol(app, email.split('@').next().unwrap()).await;
                let person = Person::sign_up(app, &email).await;
                let (token, own) = (person.session.access_token.clone(), backend.token.clone());
                let call: Call = Box::new(move |app: &App| {
                    let request = bearer(&own, IntrospectRequest { token: token.clone() });
                    Box::pin(async move { app.verification().introspect(request).await.map(drop) })
                });
                call
            })
        },
    },
];

/// The link in a mail.
async fn link(app: &App, purpose: Purpose, email: &str) -> String {
    use crate::support::MailText as _;
    purpose.mail(app, email).await.link_token()
}
