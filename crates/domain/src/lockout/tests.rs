use super::*;
use proptest::prelude::*;

const RULE: LockoutRule = LockoutRule {
    captcha_after: 3,
    captcha_window: Duration::from_mins(5),
    lock_after: 5,
    lock_window: Duration::from_mins(10),
    first_wait: Duration::from_mins(1),
    longest_wait: Duration::from_mins(15),
};

const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

/// Attempts to log in with a new wrong password each time.
fn wrong(guesses: &mut LoginAttempts, captcha: CaptchaState, seconds: i64) -> Result<Option<Duration>, Hold> {
    let mark = Mark(guesses.counted.iter().map(|counted| counted.mark.0 + 1).max().unwrap_or(0));
    let settled = wrong_as(guesses, captcha, seconds, mark)?;
    assert!(!settled.is_repeat);
    Ok(settled.locked)
}

fn wrong_as(guesses: &mut LoginAttempts, captcha: CaptchaState, seconds: i64, mark: Mark) -> Result<Settled, Hold> {
    let ticket = guesses.admit(&RULE, captcha, at(seconds))?;
    Ok(guesses.settle(&RULE, ticket, Outcome::Wrong(mark), at(seconds)))
}

fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

#[test]
fn after_three_wrong_guesses_in_five_minutes_a_captcha_is_demanded_until_they_are_old() {
    let mut guesses = LoginAttempts::default();
    for second in 0..3 {
        assert_eq!(wrong(&mut guesses, CaptchaState::Missing, second), Ok(None));
    }
    assert_eq!(wrong(&mut guesses, CaptchaState::Missing, 3), Err(Hold::Captcha));
    assert_eq!(wrong(&mut guesses.clone(), CaptchaState::Solved, 3), Ok(None));
    assert_eq!(wrong(&mut guesses.clone(), CaptchaState::Impossible, 3), Ok(None));
    assert_eq!(wrong(&mut guesses, CaptchaState::Missing, 299), Err(Hold::Captcha));
    assert_eq!(wrong(&mut guesses, CaptchaState::Missing, 300), Ok(None));
}

#[test]
fn after_five_in_ten_minutes_everybody_waits_twice_as_long_each_time_and_never_more_than_a_quarter_of_an_hour() {
    let mut guesses = LoginAttempts::default();
    for second in 0..4 {
        assert_eq!(wrong(&mut guesses, CaptchaState::Solved, second), Ok(None));
    }
    let mut now = 4;
    for expected in [1, 2, 4, 8, 15, 15, 15] {
        assert_eq!(wrong(&mut guesses, CaptchaState::Solved, now), Ok(Some(minutes(expected))));
        let until = now + 60 * i64::try_from(expected).unwrap();
        let early = wrong(&mut guesses, CaptchaState::Solved, until - 1);
        assert_eq!(early, Err(Hold::Wait(Duration::from_secs(1))));
        assert_eq!(wrong(&mut guesses, CaptchaState::Missing, until), Err(Hold::Captcha), "who was locked needs one");
        now = until;
    }
}

#[test]
fn four_in_ten_minutes_lock_nobody() {
    let mut guesses = LoginAttempts::default();
    for round in 0..1_000 {
        assert_eq!(wrong(&mut guesses, CaptchaState::Solved, round * 150), Ok(None), "{round}");
    }
}

#[test]
fn a_right_password_makes_everything_good_again() {
    let mut guesses = LoginAttempts::default();
    for second in 0..4 {
        wrong(&mut guesses, CaptchaState::Solved, second).unwrap();
    }
    let ticket = guesses.admit(&RULE, CaptchaState::Solved, at(5)).unwrap();
    assert_eq!(guesses.settle(&RULE, ticket, Outcome::Right, at(5)), Settled::default());
    assert!(guesses.is_empty());
}

#[test]
fn an_hour_of_quiet_is_enough_to_begin_anew_and_less_is_not() {
    let locked = || {
        let mut guesses = LoginAttempts::default();
        for second in 0..5 {
            wrong(&mut guesses, CaptchaState::Solved, second).unwrap();
        }
        guesses
    };
    let end = 4 + 60;
    let almost = wrong(&mut locked(), CaptchaState::Solved, end + 3_599);
    assert_eq!(almost, Ok(Some(minutes(2))));
    assert_eq!(wrong(&mut locked(), CaptchaState::Missing, end + 3_600), Ok(None));
    assert!(locked().is_over(&RULE, at(end + 3_600)));
    assert!(!locked().is_over(&RULE, at(end + 3_599)));
}

#[test]
fn guesses_under_way_count_and_those_who_come_meanwhile_are_asked_to_come_back_soon() {
    let mut guesses = LoginAttempts::default();
    let tickets: Vec<_> = (0..200).filter_map(|_| guesses.admit(&RULE, CaptchaState::Solved, at(0)).ok()).collect();
    assert_eq!(tickets.len(), 5);
    assert_eq!(guesses.admit(&RULE, CaptchaState::Solved, at(0)), Err(Hold::Wait(EVALUATION)));
    guesses.settle(&RULE, tickets[0], Outcome::Unknown, at(0));
    assert!(guesses.admit(&RULE, CaptchaState::Solved, at(0)).is_ok(), "what was given back can be had");

    let mut guesses = LoginAttempts::default();
    let without = (0..200).filter(|_| guesses.admit(&RULE, CaptchaState::Missing, at(0)).is_ok()).count();
    assert_eq!(without, 3);
    assert_eq!(guesses.admit(&RULE, CaptchaState::Missing, at(0)), Err(Hold::Wait(EVALUATION)));
}

#[test]
fn who_was_locked_has_one_guess_at_a_time() {
    let mut guesses = LoginAttempts::default();
    for second in 0..5 {
        wrong(&mut guesses, CaptchaState::Solved, second).unwrap();
    }
    let admitted = (0..200).filter(|_| guesses.admit(&RULE, CaptchaState::Solved, at(64)).is_ok()).count();
    assert_eq!(admitted, 1);
}

#[test]
fn a_guess_that_nobody_settles_was_wrong() {
    let mut guesses = LoginAttempts::default();
    let tickets: Vec<_> = (0..5).map(|_| guesses.admit(&RULE, CaptchaState::Solved, at(0)).unwrap()).collect();
    assert_eq!(guesses.admit(&RULE, CaptchaState::Solved, at(59)), Err(Hold::Wait(EVALUATION)));
    let held = guesses.admit(&RULE, CaptchaState::Solved, at(61));
    assert!(matches!(held, Err(Hold::Wait(wait)) if wait > EVALUATION), "{held:?}");
    let before = guesses.clone();
    let settled = guesses.settle(&RULE, tickets[0], Outcome::Wrong(Mark(1)), at(61));
    assert_eq!(settled, Settled::default(), "and is not counted again");
    assert_eq!(guesses, LoginAttempts { counted: guesses.counted.clone(), ..before });
}

#[test]
fn nobody_waits_longer_because_a_clock_was_set_back() {
    let mut guesses = LoginAttempts::default();
    for second in 0..5 {
        wrong(&mut guesses, CaptchaState::Solved, 1_000_000 + second).unwrap();
    }
    assert_eq!(guesses.admit(&RULE, CaptchaState::Solved, at(0)), Err(Hold::Wait(RULE.longest_wait)));
    assert!(guesses.admit(&RULE, CaptchaState::Solved, at(15 * 60)).is_ok());
}

#[test]
fn a_stricter_rule_still_admits_somebody() {
    let strict = RULE.stricter();
    assert_eq!((strict.captcha_after, strict.lock_after), (1, 2));
    assert!(LoginAttempts::default().admit(&strict, CaptchaState::Missing, at(0)).is_ok());
}

#[test]
fn what_is_no_text_of_ours_counts_as_nothing() {
    for text in ["", "1", "x 1", "1 x", "1 1 5", "1 1 5!", "1 1 +", "-1 1", "9999999999 1", "1 1  5+"] {
        assert!(LoginAttempts::from_text(text).is_empty(), "{text}");
    }
    let long = format!("0 0{}", " 5+".repeat(1_000_000));
    assert!(LoginAttempts::from_text(&long).tries.len() <= MOST_TRIES + MOST_COUNTED);
}

#[test]
fn the_same_guess_of_the_same_client_counts_once_however_often_it_is_made() {
    let mut guesses = LoginAttempts::default();
    // A program that repeats an outdated password, every minute for a day.
    for minute in 0..24 * 60 {
        let settled = wrong_as(&mut guesses, CaptchaState::Missing, 60 * minute, Mark(7)).unwrap();
        assert_eq!(settled, Settled { locked: None, is_repeat: minute > 0 });
    }
    assert!(guesses.tries.is_empty(), "the one that counted is long over");
}

#[test]
fn a_repeated_guess_never_lowers_what_others_count() {
    let mut guesses = LoginAttempts::default();
    for second in 0..4 {
        wrong_as(&mut guesses, CaptchaState::Solved, 2 * second, Mark(7)).unwrap();
        wrong(&mut guesses, CaptchaState::Solved, 2 * second + 1).unwrap();
    }
    let held = wrong_as(&mut guesses, CaptchaState::Solved, 8, Mark(7));
    assert_eq!(held, Err(Hold::Wait(Duration::from_secs(59))), "one and four made five");
}

#[test]
fn a_program_that_goes_on_with_an_old_password_does_not_keep_a_lock_alive() {
    let mut guesses = LoginAttempts::default();
    wrong_as(&mut guesses, CaptchaState::Solved, 0, Mark(999)).unwrap();
    // An attacker sends wrong passwords until the lockout is the longest: until 1,804.
    for second in [1, 2, 3, 4, 64, 184, 424, 904] {
        wrong(&mut guesses, CaptchaState::Solved, second).unwrap();
    }
    let locks = guesses.locks;
    assert_eq!(locks, 5);
    for second in (960..9_000).step_by(60) {
        match wrong_as(&mut guesses, CaptchaState::Solved, second, Mark(999)) {
            Ok(settled) => assert_eq!(settled, Settled { locked: None, is_repeat: true }, "{second}"),
            Err(hold) => assert!(matches!(hold, Hold::Wait(_)) && second < 1_804, "{second}: {hold:?}"),
        }
        let expected = if second < 1_804 + 3_600 { locks } else { 0 };
        assert_eq!(guesses.locks, expected, "an hour without anything new is quiet: {second}");
    }
}

#[test]
fn what_is_recognised_is_bounded_and_not_for_ever() {
    let mut guesses = LoginAttempts::default();
    for second in 0..1_000 {
        let mark = Mark(u16::try_from(second).unwrap());
        let _ = wrong_as(&mut guesses, CaptchaState::Solved, 900 * second, mark);
        assert!(guesses.counted.len() <= MOST_COUNTED);
    }
    let long = format!("0 0{}", " 5=00ff".repeat(1_000_000));
    assert!(LoginAttempts::from_text(&long).counted.len() <= MOST_TRIES + MOST_COUNTED);
    for text in ["0 0 5=", "0 0 =00ff", "0 0 5=x", "0 0 5=10000", "0 0 5=00ff="] {
        assert!(LoginAttempts::from_text(text).is_empty(), "{text}");
    }
    let mut guesses = LoginAttempts::default();
    wrong_as(&mut guesses, CaptchaState::Solved, 0, Mark(1)).unwrap();
    assert!(wrong_as(&mut guesses.clone(), CaptchaState::Solved, 3_599, Mark(1)).unwrap().is_repeat);
    assert!(!wrong_as(&mut guesses, CaptchaState::Solved, 3_600, Mark(1)).unwrap().is_repeat);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit(CaptchaState),
    Settle(usize, Outcome),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let captcha = prop_oneof![Just(CaptchaState::Impossible), Just(CaptchaState::Missing), Just(CaptchaState::Solved)];
    let wrong = any::<u16>().prop_map(|mark| Outcome::Wrong(Mark(mark)));
    let outcome = prop_oneof![6 => wrong, 1 => Just(Outcome::Unknown)];
    prop_oneof![
        4 => captcha.prop_map(Step::Admit),
        4 => (0_usize..4, outcome).prop_map(|(which, outcome)| Step::Settle(which, outcome)),
        2 => (0_u64..400).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn no_order_of_events_evaluates_more_passwords_than_the_rule_allows(steps in prop::collection::vec(step(), 0..200)) {
        let mut guesses = LoginAttempts::default();
        let mut now = at(0);
        let mut open: Vec<AttemptTicket> = Vec::new();
        let mut evaluated: Vec<Timestamp> = Vec::new();
        for step in steps {
            match step {
                Step::Pass(seconds) => now = now.plus(Duration::from_secs(seconds)),
                Step::Admit(captcha) => if let Ok(ticket) = guesses.admit(&RULE, captcha, now) {
                    open.push(ticket);
                    evaluated.push(ticket.0);
                },
                Step::Settle(which, outcome) if which < open.len() => {
                    let ticket = open.remove(which);
                    let settled = guesses.settle(&RULE, ticket, outcome, now);
                    if outcome == Outcome::Unknown || settled.is_repeat {
                        // Given back in time, or unchanged. Later it would have been counted already.
                        evaluated.retain(|at| *at != ticket.0 || ticket.0.plus(UNSETTLED) <= now);
                    }
                }
                Step::Settle(..) => {}
            }
            let recent = evaluated.iter().filter(|at| **at > now.minus(RULE.lock_window)).count();
            // Five, and those after lockouts of one, three and seven minutes.
            prop_assert!(recent <= 8, "{recent} within ten minutes");
            prop_assert!(guesses.locked_until <= now.plus(RULE.longest_wait));
            prop_assert_eq!(&LoginAttempts::from_text(&guesses.to_text()), &guesses);
        }
    }
}
