//! The RPCs of factors.

use super::{Act, Call};
use crate::support::{
    App, Authenticator, Challenged, KeyHolder, PASSWORD, Person, Protected, SoftPasskey, bearer, start_totp,
};
use countersign::grpc::wire::proto::*;
use tonic::Request;

pub(super) const ACTS: &[Act] = &[
    Act {
        name: "Login with a factor",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                Protected::sign_up(app, &email).await;
                let password = PASSWORD.to_owned();
                call!(
                    auth,
                    login,
                    LoginRequest { identifier: email.clone(), password: password.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "CompleteLogin",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let protected = Protected::sign_up(app, &email).await;
                let code = protected.next_code(app);
                complete(app.challenge(&email).await, complete_login_request::Proof::TotpCode(code))
            })
        },
    },
    Act {
        name: "CompleteLogin that remembers the device",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let protected = Protected::sign_up(app, &email).await;
                let code = complete_login_request::Proof::TotpCode(protected.next_code(app));
                let Challenged { challenge, device_token } = app.challenge(&email).await;
                let (challenge_token, proof) = (challenge.challenge_token, Some(code));
                let message = CompleteLoginRequest { challenge_token, device_token, proof, remember_device: true };
                call!(auth, complete_login, message.clone())
            })
        },
    },
    Act {
        name: "Login on a remembered device",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (_, device_token) = remembered(app, &email).await;
                let (identifier, password) = (email.clone(), PASSWORD.to_owned());
                let message = LoginRequest { identifier, password, device_token, ..Default::default() };
                call!(auth, login, message.clone())
            })
        },
    },
    Act {
        name: "ForgetDevice",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (person, _) = remembered(app, &email).await;
                let asked = person.asks(ListRememberedDevicesRequest {});
                let listed = app.factors().list_remembered_devices(asked).await.unwrap().into_inner();
                let message = ForgetDeviceRequest { device_id: listed.devices[0].device_id.clone() };
                call_as!(person, factors, forget_device, message.clone())
            })
        },
    },
    Act {
        name: "CompleteLogin with a backup code",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let protected = Protected::sign_up(app, &email).await;
                let code = protected.backup_codes[0].clone();
                complete(app.challenge(&email).await, complete_login_request::Proof::BackupCode(code))
            })
        },
    },
    Act {
        name: "CompleteLogin with a passkey as the second step",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let mut holder = KeyHolder::sign_up(app, &email, SoftPasskey::counting()).await;
                let challenged = app.challenge(&email).await;
                let proof = holder.answers(&challenged);
                complete(challenged, proof)
            })
        },
    },
    Act {
        name: "CompleteLogin with a passkey alone",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let mut holder = KeyHolder::sign_up(app, &email, SoftPasskey::counting()).await;
                let started = app.start_passkey_login().await;
                let answer = holder.passkey.sign(&started.passkey_request_json).to_string();
                let proof = Some(complete_login_request::Proof::PasskeyCredentialJson(answer));
                let challenge_token = started.challenge_token;
                call!(
                    auth,
                    complete_login,
                    CompleteLoginRequest {
                        challenge_token: challenge_token.clone(),
                        proof: proof.clone(),
                        ..Default::default()
                    }
                )
            })
        },
    },
    Act {
        name: "Reauthenticate with a passkey",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let mut holder = KeyHolder::sign_up(app, &email, SoftPasskey::counting()).await;
                let started = app.start_passkey_proof(&holder.person.session).await.unwrap();
                let answer = holder.passkey.sign(&started.passkey_request_json).to_string();
                let proof = Some(reauthenticate_request::Proof::PasskeyCredentialJson(answer));
                let challenge_token = started.challenge_token;
                let message = ReauthenticateRequest { challenge_token, proof, ..Default::default() };
                call_as!(holder.person, auth, reauthenticate, message.clone())
            })
        },
    },
    Act {
        name: "Reauthenticate with a code",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let protected = Protected::sign_up(app, &email).await;
                let proof = Some(reauthenticate_request::Proof::TotpCode(protected.next_code(app)));
                let message = ReauthenticateRequest { proof, ..Default::default() };
                call_as!(protected.person, auth, reauthenticate, message.clone())
            })
        },
    },
    Act {
        name: "StartTotp",
        // A repetition makes another secret.
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                call_as!(
                    person,
                    factors,
                    start_totp,
                    StartTotpRequest { name: "Phone".to_owned(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "ConfirmTotp",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let (authenticator, factor_id): (Authenticator, String) = start_totp(app, &person, "Phone").await;
                let message =
                    ConfirmTotpRequest { factor_id, code: authenticator.code(app.time.now()), ..Default::default() };
                call_as!(person, factors, confirm_totp, message.clone())
            })
        },
    },
    Act {
        name: "StartPasskey",
        // A repetition makes another factor.
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                call_as!(person, factors, start_passkey, StartPasskeyRequest::default())
            })
        },
    },
    Act {
        name: "FinishPasskey",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Person::sign_up(app, &email).await;
                let started = app.start_passkey(&person.session, "").await.unwrap();
                let passkey_credential_json = SoftPasskey::new().register(&started.passkey_creation_json).to_string();
                let message = FinishPasskeyRequest {
                    factor_id: started.factor_id,
                    passkey_credential_json,
                    ..Default::default()
                };
                call_as!(person, factors, finish_passkey, message.clone())
            })
        },
    },
    Act {
        name: "RenameFactor",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (person, factor_id) = proven(app, &email).await;
                let message = RenameFactorRequest { factor_id, name: "Tablet".to_owned() };
                call_as!(person, factors, rename_factor, message.clone())
            })
        },
    },
    Act {
        name: "RemoveFactor",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (person, factor_id) = proven(app, &email).await;
                call_as!(
                    person,
                    factors,
                    remove_factor,
                    RemoveFactorRequest { factor_id: factor_id.clone(), ..Default::default() }
                )
            })
        },
    },
    Act {
        name: "RegenerateBackupCodes",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (person, _) = proven(app, &email).await;
                call_as!(person, factors, regenerate_backup_codes, RegenerateBackupCodesRequest {})
            })
        },
    },
];

pub(super) const UNDER_POLICY: &[Act] = &[
    Act {
        name: "Login that mails a code",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                Person::register(app, &email).await;
                let message = LoginRequest { identifier: email, password: PASSWORD.to_owned(), ..Default::default() };
                call!(auth, login, message.clone())
            })
        },
    },
    Act {
        name: "CompleteLogin with a mailed code",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                Person::register(app, &email).await;
                let challenged = app.challenge(&email).await;
                let code = complete_login_request::Proof::EmailCode(app.login_code(&email).await);
                complete(challenged, code)
            })
        },
    },
    Act {
        name: "StartTotp for a login that waits",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (challenge_token, device_token) = enrolling(app, &email).await;
                let name = "Phone".to_owned();
                let message = StartTotpRequest { name, challenge_token: Some(challenge_token), device_token };
                call!(factors, start_totp, message.clone())
            })
        },
    },
    Act {
        name: "ConfirmTotp for a login that waits",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (challenge_token, device_token) = enrolling(app, &email).await;
                let challenge_token = Some(challenge_token);
                let message = StartTotpRequest {
                    name: "Phone".to_owned(),
                    challenge_token: challenge_token.clone(),
                    device_token: device_token.clone(),
                };
                let started = app.factors().start_totp(message).await.unwrap().into_inner();
                let code = Authenticator::new(&started.secret).code(app.time.now());
                let factor_id = started.factor_id;
                let message = ConfirmTotpRequest { factor_id, code, challenge_token, device_token };
                call!(factors, confirm_totp, message.clone())
            })
        },
    },
    Act {
        name: "Refresh where policy requires a factor",
        is_repeatable: true,
        prepare: |app, email| {
            Box::pin(async move {
                let mut passkey = SoftPasskey::new();
                let (challenge_token, device_token) = enrolling(app, &email).await;
                let message = StartPasskeyRequest {
                    challenge_token: Some(challenge_token.clone()),
                    device_token: device_token.clone(),
                    ..Default::default()
                };
                let started = app.factors().start_passkey(message).await.unwrap().into_inner();
                let message = FinishPasskeyRequest {
                    factor_id: started.factor_id,
                    passkey_credential_json: passkey.register(&started.passkey_creation_json).to_string(),
                    challenge_token: Some(challenge_token),
                    device_token,
                };
                let finished = app.factors().finish_passkey(message).await.unwrap().into_inner();
                app.advance(std::time::Duration::from_secs(1));
                let refresh_token = finished.session.unwrap().refresh_token;
                let message = RefreshRequest { refresh_token, ..Default::default() };
                call!(auth, refresh, message.clone())
            })
        },
    },
];

/// The tokens of a login that waits for the first factor of its account: of the challenge and of the device.
async fn enrolling(app: &App, email: &str) -> (String, String) {
    Person::register(app, email).await;
    let challenged = app.challenge(email).await;
    let code = app.login_code(email).await;
    let Challenged { challenge, device_token } = app.prove_email_code(&challenged, &code).await.unwrap();
    (challenge.challenge_token, device_token)
}

pub(super) const QUESTIONS: &[Act] = &[
    Act {
        name: "ListFactors",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = Protected::sign_up(app, &email).await.person;
                call_as!(person, factors, list_factors, ListFactorsRequest {})
            })
        },
    },
    Act {
        name: "ListRememberedDevices",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let (person, _) = remembered(app, &email).await;
                call_as!(person, factors, list_remembered_devices, ListRememberedDevicesRequest {})
            })
        },
    },
    Act {
        name: "StartPasskeyLogin",
        is_repeatable: false,
        prepare: |_, _| Box::pin(async move { call!(auth, start_passkey_login, StartPasskeyLoginRequest::default()) }),
    },
    Act {
        name: "StartPasskeyReauthentication",
        is_repeatable: false,
        prepare: |app, email| {
            Box::pin(async move {
                let person = KeyHolder::sign_up(app, &email, SoftPasskey::new()).await.person;
                call_as!(person, auth, start_passkey_reauthentication, StartPasskeyReauthenticationRequest {})
            })
        },
    },
];

fn complete(challenged: Challenged, proof: complete_login_request::Proof) -> Call {
    let Challenged { challenge, device_token } = challenged;
    let (challenge_token, proof) = (challenge.challenge_token, Some(proof));
    let message = CompleteLoginRequest { challenge_token, device_token, proof, ..Default::default() };
    call!(auth, complete_login, message.clone())
}

/// A person with an app, whose device is remembered, and the token of the device.
async fn remembered(app: &App, email: &str) -> (Person, String) {
    let protected = Protected::sign_up(app, email).await;
    let challenged = app.challenge(email).await;
    let code = complete_login_request::Proof::TotpCode(protected.next_code(app));
    let session = app.complete_on(&challenged, code, true).await.unwrap();
    (Person { session, ..protected.person }, challenged.device_token)
}

/// A person with an app and a session with a fresh proof by it.
async fn proven(app: &App, email: &str) -> (Person, String) {
    let protected = Protected::sign_up(app, email).await;
    let proof = reauthenticate_request::Proof::TotpCode(protected.next_code(app));
    let session = app.prove(&protected.person.session, proof).await.unwrap();
    (Person { session, ..protected.person }, protected.factor_id)
}
