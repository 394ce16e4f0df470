//! Plays every order of up to six events around one account, and checks that no session is opened without the proofs
//! that the account and the policy require at that moment.
//!
//! The rules are those of `countersign_domain::login`. The statements that a session depends on are played as the store
//! has them: `account::may_log_in` and `session::open`, `challenge::spend_try`, `consume` and `replace`,
//! `factor::confirm` and `spend_step`, `ceremony::use_up` and `passkey::advance`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use countersign_domain::{
    account::Account,
    assurance::{AuthenticationMethod, PASSKEY, PASSWORD_AND_CODE, PASSWORD_AND_PASSKEY},
    device::DeviceTrust,
    email::EmailAddress,
    factor::{FactorProof, RightFactor},
    id::{AccountId, CeremonyId, ChallengeId, FactorId, TenantId},
    locale::Locale,
    login::{
        Answered, Awaited, CHALLENGE_LIFE, CHALLENGE_TRIES, Challenge, CompletedLogin, EmailCodeProof, LoginState,
        PasskeyCeremony, PasswordProof, StartedLogin,
    },
    time::Timestamp,
    totp::TotpStep,
};
use std::time::Duration;

const START: Timestamp = Timestamp::from_seconds(1_000);
const DEPTH: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Login reads the account and proves the password.
    ProvePassword,
    /// The login that was decided last opens its session, however much later.
    Open,
    /// CompleteLogin judges a right code, by the account and the challenge as they are.
    ProveCode,
    /// CompleteLogin judges a passkey that answers the challenge.
    ProveSecondPasskey,
    /// CompleteLogin judges a passkey that answers a ceremony of its own.
    ProvePasskey,
    WrongFactor,
    /// CompleteLogin judges the right mailed code, and stores the next challenge.
    ProveEmailCode,
    /// ConfirmTotp judges the first code of an app for the login that waits, enables the app and opens the session.
    Enrol,
    /// The owner asks, with the session that was opened last, that its device be remembered.
    Remember,
    AddFactor,
    RemoveFactor,
    NewPassword,
    Disable,
    Wait,
}

/// Without a policy nothing is mailed, and no login waits for a first factor.
const WITHOUT_POLICY: &[Event] = &[
    Event::ProvePassword,
    Event::Open,
    Event::ProveCode,
    Event::ProveSecondPasskey,
    Event::ProvePasskey,
    Event::WrongFactor,
    Event::Remember,
    Event::AddFactor,
    Event::RemoveFactor,
    Event::NewPassword,
    Event::Disable,
    Event::Wait,
];

/// Where every account must have a factor.
const WITH_POLICY: &[Event] = &[
    Event::ProvePassword,
    Event::Open,
    Event::ProveCode,
    Event::WrongFactor,
    Event::ProveEmailCode,
    Event::Enrol,
    Event::AddFactor,
    Event::RemoveFactor,
    Event::NewPassword,
    Event::Disable,
    Event::Wait,
];

/// What is stored, and what one caller holds.
#[derive(Clone)]
struct World {
    now: Timestamp,
    account: Account,
    requires_factor: bool,
    /// The row of the challenge, and how many there were.
    challenge: Option<Challenge>,
    challenges: u8,
    /// Whether the mailed code was proven for the challenge.
    may_enrol: bool,
    /// Whether a session was opened on the device.
    is_known: bool,
    /// The last used step of the app.
    used: Option<TotpStep>,
    /// The number of factors that were added: each has an id of its own, and is an app and a passkey at once.
    added: u8,
    /// The ceremonies that began, and those that were used.
    ceremonies: u8,
    used_ceremonies: Vec<CeremonyId>,
    /// Decided, and not opened yet; with the version of the password that was proven for it.
    decided: Option<(std::rc::Rc<CompletedLogin>, i32)>,
    sessions: usize,
    /// Whether the session that was opened last proved a factor that the account still has.
    proved_factor: bool,
    is_remembered: bool,
}

impl World {
    fn new() -> Self {
        let account = Account {
            id: AccountId::new(START, [1; 10]),
            tenant: TenantId::new(START, [2; 10]),
            email: EmailAddress::parse("ada@example.org").unwrap(),
            email_verified_at: START,
            username: None,
            display_name: String::new(),
            locale: Locale::default(),
            password_hash: None,
            password_version: 1,
            password_failures: 0,
            password_changed_at: START,
            factors: 0,
            passkeys: 0,
            factor_failures: 0,
            disabled_at: None,
            created_at: START,
        };
        Self {
            now: START,
            account,
            requires_factor: false,
            challenge: None,
            challenges: 0,
            may_enrol: false,
            is_known: false,
            used: None,
            added: 0,
            ceremonies: 0,
            used_ceremonies: Vec::new(),
            decided: None,
            sessions: 0,
            proved_factor: false,
            is_remembered: false,
        }
    }

    fn play(&mut self, event: Event) {
        match event {
            Event::ProvePassword => self.prove_password(),
            Event::ProveCode => self.prove_code(),
            Event::ProveSecondPasskey => {
                let passkey = RightFactor::Passkey { factor: self.factor(), sign_count: 0 };
                self.answer_challenge(passkey, PASSWORD_AND_PASSKEY);
            }
            Event::ProvePasskey => self.prove_passkey(),
            Event::WrongFactor => {
                if let Some(challenge) = self.challenge.as_mut().filter(|challenge| challenge.tries < CHALLENGE_TRIES) {
                    challenge.tries += 1;
                }
            }
            Event::ProveEmailCode => self.prove_email_code(),
            Event::Enrol => self.enrol(),
            Event::Open => self.open(),
            Event::Remember => self.is_remembered |= self.proved_factor,
            Event::AddFactor => {
                if !self.account.has_factor() {
                    // A new app shows other codes.
                    self.used = None;
                    self.added += 1;
                }
                (self.account.factors, self.account.passkeys, self.challenge) = (1, 1, None);
                self.forget();
            }
            Event::RemoveFactor => {
                (self.account.factors, self.account.passkeys, self.challenge) = (0, 0, None);
                self.forget();
            }
            Event::NewPassword => {
                self.account.password_version += 1;
                self.forget();
            }
            Event::Disable => self.account.disabled_at = Some(self.now),
            Event::Wait => self.now = self.now.plus(CHALLENGE_LIFE / 2 + Duration::from_secs(1)),
        }
    }

    fn forget(&mut self) {
        (self.proved_factor, self.is_remembered) = (false, false);
    }

    fn prove_password(&mut self) {
        let trust = match (self.is_remembered, self.is_known) {
            (true, _) => DeviceTrust::Remembered,
            (false, true) => DeviceTrust::Known,
            (false, false) => DeviceTrust::Stranger,
        };
        let started = StartedLogin::new(Some(self.account.clone()), |_| trust);
        match started.password_proven(PasswordProof::of(&self.account), self.requires_factor, self.now) {
            Ok(LoginState::Completed(login)) => {
                assert_eq!(login.methods(), [AuthenticationMethod::Password]);
                self.decided = Some((login.into(), self.account.password_version));
            }
            Ok(LoginState::Challenged(login)) => {
                self.challenges += 1;
                let id = ChallengeId::new(START, [self.challenges; 10]);
                self.challenge = Some(login.challenge(id, self.now));
                self.may_enrol = false;
            }
            Err(_) => assert!(self.account.is_disabled()),
        }
    }

    /// The code of now, of the app that the account has.
    fn prove_code(&mut self) {
        let step = TotpStep::from_number(self.now.as_seconds() / 30);
        self.answer_challenge(RightFactor::Totp { factor: self.factor(), step }, PASSWORD_AND_CODE);
    }

    fn answer_challenge(&mut self, right: RightFactor, methods: &[AuthenticationMethod]) {
        let Some(challenge) = &mut self.challenge else { return };
        if challenge.tries >= CHALLENGE_TRIES || challenge.expires_at <= self.now {
            return;
        }
        let before = *challenge;
        challenge.tries += 1;
        let proof = FactorProof::of(self.account.id, right);
        let login = before.factor_proven(&proof, self.account.clone(), DeviceTrust::Stranger, self.now);
        if let Ok(login) = login {
            assert_eq!(login.methods(), methods);
            self.decided = Some((login.into(), before.password_version));
        }
    }

    fn prove_email_code(&mut self) {
        let Some(challenge) = self.challenge else { return };
        self.challenges += 1;
        let next = ChallengeId::new(START, [self.challenges; 10]);
        let proof = EmailCodeProof::of(challenge.id);
        if let Ok(next) = challenge.email_code_proven(proof, &self.account, next, self.now) {
            assert_eq!(challenge.awaits, Awaited::EmailCode);
            (self.challenge, self.may_enrol) = (Some(next), true);
        }
    }

    fn enrol(&mut self) {
        let Some(challenge) = self.challenge else { return };
        let step = TotpStep::from_number(self.now.as_seconds() / 30);
        let factor = FactorId::new(START, [self.added + 1; 10]);
        let proof = FactorProof::of(self.account.id, RightFactor::Totp { factor, step });
        let enrolled = challenge.factor_enrolled(&proof, self.account.clone(), DeviceTrust::Stranger, self.now);
        let Ok(login) = enrolled else { return };
        assert_eq!(login.methods(), PASSWORD_AND_CODE);
        assert!(self.may_enrol, "a password alone enrolled");
        assert!(!self.account.is_disabled() && !self.account.has_factor());
        assert_eq!(challenge.password_version, self.account.password_version, "another password was proven");
        (self.account.factors, self.account.passkeys) = (1, 1);
        (self.challenge, self.used, self.added) = (None, Some(step), self.added + 1);
        self.forget();
        self.sessions += 1;
        (self.proved_factor, self.is_known) = (true, true);
    }

    /// The passkey that the account has, in a ceremony that begins now.
    fn prove_passkey(&mut self) {
        self.ceremonies += 1;
        let started = PasskeyCeremony::start(CeremonyId::new(START, [self.ceremonies; 10]), self.now);
        let right = RightFactor::Passkey { factor: self.factor(), sign_count: 0 };
        let proof = FactorProof::of(self.account.id, right);
        match started.passkey_proven(&proof, self.account.clone(), DeviceTrust::Stranger, self.now) {
            Ok(login) => {
                assert_eq!(login.methods(), PASSKEY);
                self.decided = Some((login.into(), self.account.password_version));
            }
            Err(_) => assert!(self.account.is_disabled() || !self.account.has_factor()),
        }
    }

    /// The factor that the account has now, or had last.
    fn factor(&self) -> FactorId {
        FactorId::new(START, [self.added; 10])
    }

    /// One transaction: all of it or nothing.
    fn open(&mut self) {
        let Some((login, proven)) = self.decided.clone() else { return };
        let Account { password_version, disabled_at, factors, .. } = &self.account;
        let holds = disabled_at.is_none()
            && (!login.proved_password() || login.account().password_version == *password_version)
            && (login.factor().is_some() || login.rests_on_remembered_device()) == (*factors > 0)
            && (!login.rests_on_remembered_device() || self.is_remembered);
        let (mut used, mut challenge, mut used_ceremonies) = (self.used, self.challenge, self.used_ceremonies.clone());
        if let Some(proven) = login.factor() {
            match proven.answers {
                Answered::Challenge(id) | Answered::Enrolment(id) => {
                    if !challenge.is_some_and(|challenge| challenge.id == id && self.now < challenge.expires_at) {
                        return;
                    }
                    challenge = None;
                }
                Answered::PasskeyLogin(PasskeyCeremony { id, .. }) => {
                    if used_ceremonies.contains(&id) {
                        return;
                    }
                    used_ceremonies.push(id);
                }
            }
            match proven.factor {
                RightFactor::Totp { step, .. } if used.is_none_or(|used| used < step) => used = Some(step),
                RightFactor::Passkey { factor, .. } if factor == self.factor() => {}
                _ => return,
            }
        }
        if !holds {
            return;
        }
        (self.challenge, self.used, self.used_ceremonies) = (challenge, used, used_ceremonies);
        self.sessions += 1;
        self.is_known = true;
        // What must hold for every session.
        assert!(!self.account.is_disabled(), "a disabled account");
        if login.proved_password() {
            assert_eq!(proven, self.account.password_version, "another password was proven");
        }
        self.proved_factor = [PASSWORD_AND_CODE, PASSWORD_AND_PASSKEY, PASSKEY].contains(&login.methods());
        let is_proven = self.proved_factor || self.is_remembered;
        assert_eq!(self.account.has_factor(), is_proven, "without the factor");
        assert!(is_proven || !self.requires_factor, "without the factor that policy requires");
    }
}

fn explore(
    world: &World,
    (events, has_factor): (&[Event], bool),
    depth: usize,
    seen: &mut Vec<Event>,
    opened: &mut usize,
) {
    *opened += world.sessions;
    if depth == 0 {
        return;
    }
    for event in events {
        let mut next = world.clone();
        seen.push(*event);
        next.play(*event);
        // Of an account that has one factor all the time and remembers no device, each session takes a password and a
        // code, or a passkey, of its own.
        let count = |wanted| seen.iter().filter(|event| **event == wanted).count();
        if has_factor && count(Event::AddFactor) + count(Event::RemoveFactor) + count(Event::Remember) == 0 {
            let answered = count(Event::ProveCode) + count(Event::ProveSecondPasskey);
            let proven = answered.min(count(Event::ProvePassword)) + count(Event::ProvePasskey);
            assert!(next.sessions <= proven, "{seen:?}: {} sessions", next.sessions);
        }
        explore(&next, (events, has_factor), depth - 1, seen, opened);
        seen.pop();
    }
}

#[test]
fn no_order_of_events_opens_a_session_without_the_proofs_that_the_account_and_the_policy_require() {
    for (events, requires_factor) in [(WITHOUT_POLICY, false), (WITH_POLICY, true)] {
        for factors in [0, 1] {
            let (mut world, mut opened) = (World { requires_factor, ..World::new() }, 0);
            (world.account.factors, world.account.passkeys) = (factors, factors);
            explore(&world, (events, factors > 0), DEPTH, &mut Vec::new(), &mut opened);
            assert!(opened > 5_000, "hardly any session was opened: {opened}");
        }
    }
}
