//! Tries every order of events that two holders of one session's tokens can cause, up to a depth, and checks the
//! promises of the refresh rule. The rule is [`judge_refresh`] itself; what the statements of `src/store/` do with its
//! verdicts is repeated here, as small steps on the same values.
//!
//! The *owner* is honest: it presents the newest token it got, or one that another tab just rotated, and repeats calls
//! without an answer. The *thief* copied the tokens once, without the device token, and presents any token it ever had.

use countersign_domain::{
    refresh::{
        FIRST_GENERATION, Lineage, Presented, RefreshVerdict, SessionFacts, Succession, UseVerdict, judge_refresh,
        judge_use,
    },
    session::{SessionExpiry, TokenDelivery},
    time::Timestamp,
};
use std::{collections::HashSet, time::Duration};

const GRACE: Duration = Duration::from_secs(30);
const ACCESS: Duration = Duration::from_secs(600);
/// Every age of the live generation behaves like one of these: just made, the last moment of the grace, past the grace,
/// past the life of an access token.
const AGES: [u64; 4] = [0, 30, 31, 601];
/// Events in a row: enough for a theft, several rotations, a recovery and the reaction of both holders.
const DEPTH: usize = 10;
/// When the session would expire.
const NEVER: Timestamp = Timestamp::from_seconds(1_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Owner,
    Thief,
}

/// A combination of program and network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    Home,
    Elsewhere,
}

/// The setting of a run.
#[derive(Clone, Copy, Debug)]
struct Setting {
    keeping: TokenDelivery,
    has_thief: bool,
    thief: Client,
    /// Whether the owner's client shows the device with each refresh.
    shows_device: bool,
    /// Whether a step may lose an answer.
    loses: bool,
    reauthenticates: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Time passes: to the next of [`AGES`].
    Wait,
    /// A refresh with a generation of this holder; its answer arrives or not.
    Refresh { who: Who, generation: i64, arrives: bool },
    /// A call of our own RPCs with an access token of a generation of this holder.
    Use { who: Who, generation: i64 },
    /// The owner reauthenticates with an access token that it has; `Session::reauthenticating` decides the parent.
    Reauthenticate { generation: i64, arrives: bool },
    /// The thief copies the tokens of the owner.
    Steal,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    lineage: Lineage,
    /// An index into [`AGES`].
    age: usize,
    ended: bool,
    /// The client last stored for the session.
    noted: Client,
    /// The generations of each holder.
    owner: Vec<i64>,
    thief: Vec<i64>,
    /// When the person was last authenticated, for each generation: the index is the generation.
    proofs: Vec<u8>,
    theft_mails: u8,
    client_mails: u8,
    /// Generations that a recovery skipped.
    skipped: Vec<i64>,
    /// Whether the live generation was used at this service.
    came_back: bool,
    /// Who has received tokens since an older generation was presented after the grace.
    since_divergence: Option<Vec<Who>>,
}

impl State {
    fn start() -> Self {
        Self {
            lineage: Lineage {
                generation: FIRST_GENERATION,
                parent: FIRST_GENERATION - 1,
                rotated_at: Timestamp::from_seconds(0),
                void: None,
                is_reauthenticated: false,
                is_seen: false,
                answered_unrecognized: false,
            },
            age: 0,
            ended: false,
            noted: Client::Home,
            owner: vec![FIRST_GENERATION],
            thief: Vec::new(),
            proofs: vec![0; 2],
            theft_mails: 0,
            client_mails: 0,
            skipped: Vec::new(),
            came_back: false,
            since_divergence: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(0).plus(Duration::from_secs(AGES[self.age]))
    }

    fn held(&self, who: Who) -> &Vec<i64> {
        match who {
            Who::Owner => &self.owner,
            Who::Thief => &self.thief,
        }
    }

    fn newest(&self) -> i64 {
        self.owner.iter().copied().max().unwrap_or_default()
    }

    /// Whether the owner waits for an answer that was lost.
    fn has_lost_an_answer(&self) -> bool {
        self.newest() < self.lineage.generation
    }

    fn end_as_stolen(&mut self) {
        self.ended = true;
        self.theft_mails += 1;
    }

    /// The statement that makes the next generation, and restarts its age.
    fn rotate(&mut self, parent: i64, proof: u8) {
        self.lineage.generation += 1;
        self.lineage.parent = parent;
        self.lineage.is_seen = false;
        self.lineage.is_reauthenticated = false;
        self.age = 0;
        self.came_back = false;
        self.proofs.push(proof);
    }

    fn proof(&self, generation: i64) -> u8 {
        self.proofs[usize::try_from(generation).unwrap_or(usize::MAX)]
    }
}

impl Setting {
    fn succession(&self) -> Succession {
        let settling = match self.keeping {
            TokenDelivery::Client => Duration::ZERO,
            TokenDelivery::Cookies => GRACE,
        };
        Succession { settling, grace: GRACE, recovery: ACCESS }
    }

    fn client(&self, who: Who) -> Client {
        match who {
            Who::Owner => Client::Home,
            Who::Thief => self.thief,
        }
    }

    /// All possible next events.
    fn events(&self, state: &State) -> Vec<Event> {
        if state.ended {
            return Vec::new();
        }
        let mut events = Vec::new();
        if state.age + 1 < AGES.len() && !(self.owner_is_alone(state) && self.owner_would_be_late(state)) {
            events.push(Event::Wait);
        }
        let arrivals: &[bool] = if self.loses { &[true, false] } else { &[true] };
        let newest = state.newest();
        let mut tabs = vec![newest];
        // A call of another tab, sent before the rotation whose answer this tab has received.
        let is_crossing = AGES[state.age] <= GRACE.as_secs() && !state.has_lost_an_answer();
        if self.keeping == TokenDelivery::Cookies && is_crossing && state.owner.len() > 1 {
            tabs.push(state.owner[state.owner.len() - 2]);
        }
        // To the service, a rotation whose answer the thief lost looks like one whose answer the owner lost.
        let stolen = |&generation| Event::Refresh { who: Who::Thief, generation, arrives: true };
        events.extend(state.thief.iter().map(stolen));
        for arrives in arrivals.iter().copied() {
            events.extend(tabs.iter().map(|&generation| Event::Refresh { who: Who::Owner, generation, arrives }));
            if self.reauthenticates && state.proof(state.lineage.generation) < 2 {
                // Also with the token that another tab has just replaced.
                let tokens = state.owner.iter().rev().take(2);
                events.extend(tokens.map(|&generation| Event::Reauthenticate { generation, arrives }));
            }
        }
        events.push(Event::Use { who: Who::Owner, generation: newest });
        events.extend(state.thief.iter().map(|&generation| Event::Use { who: Who::Thief, generation }));
        if self.has_thief && state.thief.is_empty() {
            events.push(Event::Steal);
        }
        events
    }

    fn owner_is_alone(&self, state: &State) -> bool {
        !self.has_thief || state.thief.is_empty()
    }

    /// Whether no rule can save the session: the owner comes back later than access tokens live, or after the grace
    /// without its device or for the second time in a row.
    fn owner_would_be_late(&self, state: &State) -> bool {
        let would_be = AGES[state.age + 1];
        let is_in_a_row = state.lineage.void == Some(state.lineage.generation - 1);
        let longest = if self.shows_device && !is_in_a_row { ACCESS } else { GRACE };
        state.has_lost_an_answer() && would_be > longest.as_secs()
    }

    fn play(&self, before: &State, event: Event) -> State {
        let mut state = before.clone();
        match event {
            Event::Wait => state.age += 1,
            Event::Steal => {
                state.thief = state.owner.clone();
                state.since_divergence = None;
            }
            Event::Use { who, generation } => self.call(&mut state, who, generation),
            Event::Reauthenticate { generation, arrives } => self.reauthenticate(&mut state, generation, arrives),
            Event::Refresh { who, generation, arrives } => self.refresh(&mut state, who, generation, arrives),
        }
        self.check(before, event, &state);
        state
    }

    fn call(&self, state: &mut State, who: Who, generation: i64) {
        let verdict = judge_use(&state.lineage, generation, state.now(), self.succession());
        let is_good = matches!(verdict, UseVerdict::Good | UseVerdict::FirstSeen);
        assert!(!(is_good && state.skipped.contains(&generation)), "what was skipped is good for nothing: {state:?}");
        state.came_back |= generation == state.lineage.generation;
        match verdict {
            UseVerdict::Good | UseVerdict::Outdated => {}
            UseVerdict::FirstSeen => state.lineage.is_seen = true,
            UseVerdict::Reused => {
                assert_eq!(who, Who::Thief, "the owner never got what was skipped: {state:?}");
                state.end_as_stolen();
            }
        }
    }

    fn reauthenticate(&self, state: &mut State, generation: i64, arrives: bool) {
        match judge_use(&state.lineage, generation, state.now(), self.succession()) {
            UseVerdict::Reused => return state.end_as_stolen(),
            UseVerdict::Outdated => return,
            _ => {}
        }
        let proof = state.proofs.iter().max().map_or(0, |latest| latest + 1);
        state.rotate(if state.lineage.is_seen { state.lineage.generation } else { generation }, proof);
        state.lineage.is_reauthenticated = true;
        state.lineage.answered_unrecognized = false;
        state.noted = Client::Home;
        self.deliver(state, Who::Owner, arrives);
    }

    fn refresh(&self, state: &mut State, who: Who, generation: i64, arrives: bool) {
        let client = self.client(who);
        let presented = Presented {
            generation,
            shows_device: who == Who::Owner && self.shows_device,
            differs: client != state.noted,
        };
        let is_late = generation < state.lineage.generation && AGES[state.age] > GRACE.as_secs();
        if is_late && !state.thief.is_empty() && state.since_divergence.is_none() {
            state.since_divergence = Some(Vec::new());
        }
        let facts = SessionFacts {
            lineage: state.lineage,
            expiry: SessionExpiry { idle: NEVER, absolute: NEVER },
            ended_at: None,
            account_disabled: false,
        };
        match judge_refresh(&facts, presented, state.now(), self.succession()) {
            // The conditional statement rotates a live generation that has settled before anything is judged.
            RefreshVerdict::Contended => {
                state.rotate(generation, state.proof(generation));
                state.lineage.answered_unrecognized &= !presented.shows_device;
            }
            RefreshVerdict::Recover => {
                assert!(!state.came_back, "somebody has the answer: {state:?}");
                assert!(!state.skipped.contains(&(state.lineage.generation - 1)), "twice in a row: {state:?}");
                state.skipped.push(state.lineage.generation);
                state.lineage.void = Some(state.lineage.generation);
                state.lineage.answered_unrecognized = false;
                state.rotate(generation, state.proof(generation));
            }
            RefreshVerdict::Repeat => {
                state.came_back |= generation == state.lineage.generation;
                state.lineage.is_seen |= generation == state.lineage.generation;
                state.lineage.answered_unrecognized &= !presented.shows_device;
            }
            RefreshVerdict::RepeatToUnrecognized => {
                state.came_back |= generation == state.lineage.generation;
                state.lineage.is_seen |= generation == state.lineage.generation;
                state.lineage.answered_unrecognized = true;
                state.client_mails += 1;
            }
            RefreshVerdict::Withheld { .. } => return,
            RefreshVerdict::Reused => return state.end_as_stolen(),
            other => panic!("{other:?} of a live session"),
        }
        state.noted = client;
        if let Some(given) = &mut state.since_divergence
            && !given.contains(&who)
        {
            given.push(who);
        }
        self.deliver(state, who, arrives);
    }

    fn deliver(&self, state: &mut State, who: Who, arrives: bool) {
        let generation = state.lineage.generation;
        let held = match who {
            Who::Owner => &mut state.owner,
            Who::Thief => &mut state.thief,
        };
        if arrives && !held.contains(&generation) {
            held.push(generation);
        }
    }

    /// Checks every step.
    fn check(&self, before: &State, event: Event, after: &State) {
        let told = |what: &str| format!("{what}\n{self:?}\n{before:?}\n{event:?}\n{after:?}");
        if self.owner_is_alone(after) {
            assert!(!after.ended, "{}", told("an honest client ended its own session"));
            assert_eq!(after.theft_mails + after.client_mails, 0, "{}", told("an honest client was told of a theft"));
        }
        if let Some(given) = &after.since_divergence {
            assert!(given.len() < 2, "{}", told("both holders went on"));
            // The owner continued with its device: the next refresh of the thief ends the session.
            let thief_spoke = matches!(event, Event::Refresh { who: Who::Thief, .. });
            let owner_went_on = before.since_divergence.as_ref().is_some_and(|given| given.contains(&Who::Owner));
            let withheld = before.lineage.is_reauthenticated && AGES[before.age] <= GRACE.as_secs();
            assert!(!(thief_spoke && owner_went_on && !withheld) || after.ended, "{}", told("the thief was not found"));
            assert!(!given.contains(&Who::Thief), "{}", told("a thief without the device went on"));
        }
        let Event::Refresh { who, generation, .. } = event else { return };
        let was_skipped = before.skipped.contains(&generation);
        assert!(after.ended || !was_skipped, "{}", told("what was skipped was not called reuse"));
        let gained = after.held(who).iter().filter(|held| !before.held(who).contains(held));
        for gained in gained {
            assert_eq!(
                after.proof(*gained),
                before.proof(generation),
                "{}",
                told("an older generation got a newer proof")
            );
        }
        let is_older = generation < before.lineage.generation;
        let has_gained = after.thief.len() > before.thief.len();
        if who == Who::Thief && self.thief == Client::Elsewhere && is_older && has_gained {
            assert!(after.client_mails > before.client_mails, "{}", told("a thief was answered and nobody told"));
        }
    }

    /// Tries everything.
    fn explore(&self) -> Reached {
        let mut seen = HashSet::from([State::start()]);
        let mut edge = vec![State::start()];
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for state in &edge {
                for event in self.events(state) {
                    let after = self.play(state, event);
                    if seen.insert(after.clone()) {
                        next.push(after);
                    }
                }
            }
            edge = next;
        }
        Reached {
            recovery: seen.iter().any(|state| state.lineage.void.is_some()),
            theft_found: seen.iter().any(|state| state.theft_mails > 0),
            theft_told: seen.iter().any(|state| state.client_mails > 0),
            new_proof: seen.iter().any(|state| state.proofs.contains(&2)),
        }
    }
}

/// What happened in some run: a property of an event that never happens would prove nothing.
#[derive(Debug, PartialEq, Eq)]
struct Reached {
    recovery: bool,
    theft_found: bool,
    theft_told: bool,
    new_proof: bool,
}

const ALONE: Setting = Setting {
    keeping: TokenDelivery::Client,
    has_thief: false,
    thief: Client::Home,
    shows_device: true,
    loses: true,
    reauthenticates: true,
};

#[test]
fn an_honest_client_that_comes_back_in_time_never_ends_its_session_and_gets_no_mail() {
    for keeping in [TokenDelivery::Client, TokenDelivery::Cookies] {
        for shows_device in [true, false] {
            let reached = Setting { keeping, shows_device, ..ALONE }.explore();
            let expected = Reached { recovery: shows_device, theft_found: false, theft_told: false, new_proof: true };
            assert_eq!(reached, expected);
        }
    }
}

#[test]
fn two_holders_never_both_go_on_and_a_thief_in_the_grace_is_told() {
    for keeping in [TokenDelivery::Client, TokenDelivery::Cookies] {
        for thief in [Client::Home, Client::Elsewhere] {
            for shows_device in [true, false] {
                let setting =
                    Setting { keeping, has_thief: true, thief, shows_device, reauthenticates: false, ..ALONE };
                let expected = Reached {
                    recovery: shows_device,
                    theft_found: true,
                    theft_told: thief == Client::Elsewhere,
                    new_proof: false,
                };
                assert_eq!(setting.explore(), expected);
            }
        }
    }
}

#[test]
fn no_holder_of_an_older_generation_gets_a_newer_proof() {
    for keeping in [TokenDelivery::Client, TokenDelivery::Cookies] {
        for thief in [Client::Home, Client::Elsewhere] {
            let reached = Setting { keeping, has_thief: true, thief, ..ALONE }.explore();
            assert!(reached.new_proof && reached.theft_found && reached.recovery, "{reached:?}");
        }
    }
}
