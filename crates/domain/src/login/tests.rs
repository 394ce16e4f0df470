use super::*;
use crate::{
    account::tests,
    factor::LOCKED_AFTER,
    id::{AccountId, FactorId},
    lockout::SPENT,
    totp::TotpStep,
};

const NOW: Timestamp = Timestamp::from_seconds(1);

fn account(disabled: bool, failures: i32) -> Account {
    Account { password_failures: failures, disabled_at: disabled.then_some(NOW), ..tests::account() }
}

fn with_factor() -> Account {
    Account { factors: 1, ..account(false, 0) }
}

fn factor_proof(account: AccountId) -> FactorProof {
    let factor = FactorId::new(NOW, [3; 10]);
    FactorProof::of(account, RightFactor::Totp { factor, step: TotpStep::from_number(7) })
}

fn challenge(account: Account) -> Challenge {
    let proof = PasswordProof::of(&account);
    let started = StartedLogin::new(Some(account), |_| DeviceTrust::Stranger);
    match started.password_proven(proof, false, NOW) {
        Ok(LoginState::Challenged(login)) => login.challenge(ChallengeId::new(NOW, [4; 10]), NOW),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_completes_a_login_exactly_where_it_is_accepted() {
    use DeviceTrust::{Expected, Known, Stranger};
    let table = [
        ("an account", account(false, 0), Stranger, true),
        ("one with many wrong passwords", account(false, SPENT - 1), Stranger, true),
        ("one with too many wrong passwords", account(false, SPENT), Stranger, false),
        ("the same, on a device that it knows", account(false, SPENT), Known, true),
        ("the same, on a device that it expects", account(false, SPENT), Expected, true),
        ("a disabled account", account(true, 0), Stranger, false),
        ("a disabled account, on a device that it knows", account(true, 0), Known, false),
    ];
    for (what, account, trust, accepted) in table {
        let proof = PasswordProof::of(&account);
        let started = StartedLogin::new(Some(account), |_| trust);
        assert_eq!(started.accepts_password(), accepted, "{what}");
        match started.password_proven(proof, false, NOW) {
            Ok(LoginState::Completed(login)) => {
                assert!(accepted, "{what}");
                assert_eq!((login.trust(), login.authenticated_at()), (trust, NOW), "{what}");
                assert_eq!(login.methods(), [AuthenticationMethod::Password], "{what}");
                assert_eq!(login.factor(), None, "{what}");
            }
            Ok(LoginState::Challenged(_)) => panic!("{what}: no factor is required"),
            Err(reason) => assert!(!accepted && reason == Reason::CredentialsInvalid, "{what}"),
        }
    }
}

#[test]
fn a_name_that_nobody_has_completes_nothing() {
    let started = StartedLogin::new(None, |_| DeviceTrust::Known);
    assert_eq!(started.trust(), DeviceTrust::Stranger);
    assert!(!started.accepts_password());
    let proof = PasswordProof::of(&account(false, 0));
    assert_eq!(started.password_proven(proof, false, NOW).err(), Some(Reason::CredentialsInvalid));
}

#[test]
fn the_proof_of_another_password_or_account_completes_nothing() {
    let former = Account { password_version: 0, ..account(false, 0) };
    let another = Account { id: AccountId::new(NOW, [9; 10]), ..account(false, 0) };
    for other in [former, another] {
        let started = StartedLogin::new(Some(account(false, 0)), |_| DeviceTrust::Known);
        let refused = started.password_proven(PasswordProof::of(&other), false, NOW);
        assert_eq!(refused.err(), Some(Reason::CredentialsInvalid), "{other:?}");
    }
}

#[test]
fn a_password_alone_completes_a_login_of_an_account_with_a_factor_on_a_remembered_device() {
    let complete = |account: Account| {
        let proof = PasswordProof::of(&account);
        let started = StartedLogin::new(Some(account), |_| DeviceTrust::Remembered);
        match started.password_proven(proof, false, NOW) {
            Ok(LoginState::Completed(login)) => login,
            other => panic!("{other:?}"),
        }
    };
    let login = complete(with_factor());
    assert!(login.rests_on_remembered_device());
    assert_eq!((login.methods(), login.factor()), ([AuthenticationMethod::Password].as_slice(), None));
    assert!(!complete(account(false, 0)).rests_on_remembered_device(), "there is no factor that it stands for");
    let disabled = Account { disabled_at: Some(NOW), ..with_factor() };
    let started = StartedLogin::new(Some(disabled.clone()), |_| DeviceTrust::Remembered);
    assert_eq!(
        started.password_proven(PasswordProof::of(&disabled), false, NOW).err(),
        Some(Reason::CredentialsInvalid)
    );
}

#[test]
fn a_password_alone_completes_no_login_of_an_account_with_a_factor() {
    let account = with_factor();
    for trust in [DeviceTrust::Known, DeviceTrust::Expected, DeviceTrust::Stranger] {
        let started = StartedLogin::new(Some(account.clone()), |_| trust);
        let state = started.password_proven(PasswordProof::of(&account), false, NOW);
        assert!(matches!(state, Ok(LoginState::Challenged(_))), "{trust:?}: {state:?}");
    }
    let spent = Account { password_failures: SPENT, ..account };
    let started = StartedLogin::new(Some(spent.clone()), |_| DeviceTrust::Stranger);
    assert_eq!(started.password_proven(PasswordProof::of(&spent), false, NOW).err(), Some(Reason::CredentialsInvalid));
}

#[test]
fn a_right_password_is_followed_by_what_policy_and_the_account_require() {
    use DeviceTrust::{Expected, Known, Remembered, Stranger};
    let (without, with) = (account(false, 0), with_factor());
    let table = [
        (&without, false, [Stranger, Expected, Known, Remembered].as_slice(), None),
        (&without, true, &[Stranger, Expected, Known, Remembered], Some(Awaited::EmailCode)),
        (&with, false, &[Stranger, Expected, Known], Some(Awaited::Factor)),
        (&with, true, &[Stranger, Expected, Known], Some(Awaited::Factor)),
        (&with, false, &[Remembered], None),
        (&with, true, &[Remembered], None),
    ];
    for (account, required, devices, expected) in table {
        for trust in devices {
            let started = StartedLogin::new(Some(account.clone()), |_| *trust);
            let awaited = match started.password_proven(PasswordProof::of(account), required, NOW) {
                Ok(LoginState::Challenged(login)) => {
                    let challenge = login.challenge(ChallengeId::new(NOW, [4; 10]), NOW);
                    assert_eq!(login.awaits(), challenge.awaits);
                    assert_eq!(challenge.expires_at, NOW.plus(challenge.awaits.life()));
                    Some(challenge.awaits)
                }
                Ok(LoginState::Completed(_)) => None,
                Err(reason) => panic!("{reason:?}"),
            };
            assert_eq!(awaited, expected, "{trust:?}, {} factors, required: {required}", account.factors);
        }
    }
}

/// A challenge of an account without a factor that must have one.
fn waiting(account: &Account) -> Challenge {
    let started = StartedLogin::new(Some(account.clone()), |_| DeviceTrust::Known);
    match started.password_proven(PasswordProof::of(account), true, NOW) {
        Ok(LoginState::Challenged(login)) => login.challenge(ChallengeId::new(NOW, [4; 10]), NOW),
        other => panic!("{other:?}"),
    }
}

/// The same after the mailed code.
fn enrolling(account: &Account) -> Challenge {
    let waiting = waiting(account);
    let next = ChallengeId::new(NOW, [6; 10]);
    waiting.email_code_proven(EmailCodeProof::of(waiting.id), account, next, NOW).unwrap()
}

#[test]
fn a_challenge_takes_nothing_but_what_it_waits_for() {
    let (without, with) = (account(false, 0), with_factor());
    let factor = challenge(with.clone());
    let code = waiting(&without);
    let enrolment = enrolling(&without);
    let next = ChallengeId::new(NOW, [5; 10]);
    for (challenge, account) in [(factor, &with), (code, &without), (enrolment, &without)] {
        let proof = factor_proof(account.id);
        let by_factor = challenge.factor_proven(&proof, account.clone(), DeviceTrust::Known, NOW);
        let by_code = challenge.email_code_proven(EmailCodeProof::of(challenge.id), account, next, NOW);
        let by_enrolment = challenge.factor_enrolled(&proof, account.clone(), DeviceTrust::Known, NOW);
        let taken = [
            (Awaited::Factor, by_factor.map(drop)),
            (Awaited::EmailCode, by_code.map(drop)),
            (Awaited::Enrolment, by_enrolment.map(drop)),
        ];
        for (awaited, taken) in taken {
            let expected = if awaited == challenge.awaits { Ok(()) } else { Err(Reason::ChallengeInvalid) };
            assert_eq!(taken, expected, "{awaited:?} for {:?}", challenge.awaits);
        }
    }
}

#[test]
fn a_mailed_code_leads_to_the_enrolment_and_no_further() {
    let account = account(false, 0);
    let challenge = waiting(&account);
    let next = ChallengeId::new(NOW, [5; 10]);
    let prove = |challenge: Challenge, proof, account: &Account, seconds| {
        challenge.email_code_proven(EmailCodeProof::of(proof), account, next, NOW.plus(Duration::from_secs(seconds)))
    };
    let enrolment = prove(challenge, challenge.id, &account, 599).unwrap();
    let expires_at = NOW.plus(Duration::from_secs(599)).plus(ENROLMENT_LIFE);
    assert_eq!(enrolment, Challenge { id: next, awaits: Awaited::Enrolment, tries: 0, expires_at, ..challenge });
    let changed = |change: fn(&mut Account)| {
        let mut changed = account.clone();
        change(&mut changed);
        changed
    };
    for (what, challenge, proof, account, seconds) in [
        ("after its time", challenge, challenge.id, account.clone(), 600),
        ("the code of another challenge", challenge, next, account.clone(), 0),
        ("without tries left", Challenge { tries: 5, ..challenge }, challenge.id, account.clone(), 0),
        ("after a reset", challenge, challenge.id, changed(|account| account.password_version += 1), 0),
        ("with a factor", challenge, challenge.id, changed(|account| account.factors = 1), 0),
        ("disabled", challenge, challenge.id, changed(|account| account.disabled_at = Some(NOW)), 0),
        ("another account", challenge, challenge.id, changed(|account| account.id = AccountId::new(NOW, [9; 10])), 0),
    ] {
        assert_eq!(prove(challenge, proof, &account, seconds), Err(Reason::ChallengeInvalid), "{what}");
    }
}

#[test]
fn the_first_factor_completes_a_login_that_waits_for_it() {
    let account = account(false, 0);
    let challenge = enrolling(&account);
    let factor = FactorId::new(NOW, [3; 10]);
    let passkey = FactorProof::of(account.id, RightFactor::Passkey { factor, sign_count: 0 });
    for (proof, methods) in [(factor_proof(account.id), PASSWORD_AND_CODE), (passkey, PASSWORD_AND_PASSKEY)] {
        let login = challenge.factor_enrolled(&proof, account.clone(), DeviceTrust::Known, NOW).unwrap();
        assert_eq!(login.methods(), methods);
        assert!(login.proved_password() && !login.rests_on_remembered_device());
        let used = FactorUse { answers: Answered::Enrolment(challenge.id), factor: proof.factor().clone() };
        assert_eq!(login.factor(), Some(&used));
    }
    let other = factor_proof(AccountId::new(NOW, [9; 10]));
    let refused = challenge.factor_enrolled(&other, account.clone(), DeviceTrust::Known, NOW);
    assert_eq!(refused.err(), Some(Reason::ChallengeInvalid), "the proof of another account");
    let enrolled = Account { factors: 1, ..account.clone() };
    let refused = challenge.factor_enrolled(&factor_proof(account.id), enrolled, DeviceTrust::Known, NOW);
    assert_eq!(refused.err(), Some(Reason::ChallengeInvalid), "it got a factor meanwhile");
}

#[test]
fn a_factor_completes_a_challenge_exactly_while_it_holds() {
    let account = with_factor();
    let challenge = challenge(account.clone());
    let life = |seconds| NOW.plus(Duration::from_secs(seconds));
    let other = AccountId::new(NOW, [9; 10]);
    let table = [
        ("at once", challenge, account.clone(), account.id, NOW, true),
        ("in the last second", challenge, account.clone(), account.id, life(299), true),
        ("after its time", challenge, account.clone(), account.id, life(300), false),
        ("the last try", Challenge { tries: 4, ..challenge }, account.clone(), account.id, NOW, true),
        ("without tries left", Challenge { tries: 5, ..challenge }, account.clone(), account.id, NOW, false),
        ("the proof of another account", challenge, account.clone(), other, NOW, false),
        ("another account", challenge, Account { id: other, ..account.clone() }, other, NOW, false),
        ("after a reset", challenge, Account { password_version: 2, ..account.clone() }, account.id, NOW, false),
        ("without factors", challenge, Account { factors: 0, ..account.clone() }, account.id, NOW, false),
        ("disabled", challenge, Account { disabled_at: Some(NOW), ..account.clone() }, account.id, NOW, false),
        // Whether a code of an app is accepted then is decided before it is compared.
        ("locked", challenge, Account { factor_failures: LOCKED_AFTER, ..account.clone() }, account.id, NOW, true),
    ];
    for (what, challenge, account, proven, now, completes) in table {
        let proof = factor_proof(proven);
        match challenge.factor_proven(&proof, account, DeviceTrust::Stranger, now) {
            Ok(login) => {
                assert!(completes, "{what}");
                let answers = Answered::Challenge(challenge.id);
                let used = FactorUse { answers, factor: proof.factor().clone() };
                assert_eq!((login.factor(), login.authenticated_at()), (Some(&used), now), "{what}");
                assert_eq!(login.methods(), PASSWORD_AND_CODE, "{what}");
                assert!(login.proved_password(), "{what}");
            }
            Err(reason) => assert!(!completes && reason == Reason::ChallengeInvalid, "{what}"),
        }
    }
}

#[test]
fn a_passkey_completes_a_login_exactly_of_its_account() {
    let account = Account { passkeys: 1, ..with_factor() };
    let login = PasskeyCeremony::start(CeremonyId::new(NOW, [5; 10]), NOW);
    let life = |seconds| NOW.plus(Duration::from_secs(seconds));
    let factor = FactorId::new(NOW, [3; 10]);
    let passkey = |account| FactorProof::of(account, RightFactor::Passkey { factor, sign_count: 7 });
    let other = AccountId::new(NOW, [9; 10]);
    let spent = Account { password_failures: SPENT, factor_failures: LOCKED_AFTER, ..account.clone() };
    let disabled = Account { disabled_at: Some(NOW), ..account.clone() };
    let without = Account { passkeys: 0, ..account.clone() };
    let table = [
        ("at once", account.clone(), passkey(account.id), NOW, None),
        ("in the last second", account.clone(), passkey(account.id), life(299), None),
        ("after its time", account.clone(), passkey(account.id), life(300), Some(Reason::ChallengeInvalid)),
        ("after wrong passwords and codes", spent, passkey(account.id), NOW, None),
        ("a disabled account", disabled, passkey(account.id), NOW, Some(Reason::PasskeyInvalid)),
        ("without factors", without, passkey(account.id), NOW, Some(Reason::PasskeyInvalid)),
        ("another account", account.clone(), passkey(other), NOW, Some(Reason::PasskeyInvalid)),
        ("a code", account.clone(), factor_proof(account.id), NOW, Some(Reason::PasskeyInvalid)),
    ];
    for (what, account, proof, now, refused) in table {
        match login.passkey_proven(&proof, account, DeviceTrust::Stranger, now) {
            Ok(completed) => {
                assert_eq!(refused, None, "{what}");
                assert_eq!(completed.methods(), PASSKEY, "{what}");
                assert!(!completed.proved_password(), "{what}");
                let used = FactorUse { answers: Answered::PasskeyLogin(login), factor: proof.factor().clone() };
                assert_eq!(completed.factor(), Some(&used), "{what}");
            }
            Err(reason) => assert_eq!(refused, Some(reason), "{what}"),
        }
    }
}

#[test]
fn a_passkey_after_a_password_is_both() {
    let account = with_factor();
    let factor = FactorId::new(NOW, [3; 10]);
    let proof = FactorProof::of(account.id, RightFactor::Passkey { factor, sign_count: 0 });
    let login = challenge(account.clone()).factor_proven(&proof, account, DeviceTrust::Stranger, NOW);
    assert_eq!(login.map(|login| login.methods()), Ok(PASSWORD_AND_PASSKEY));
}
