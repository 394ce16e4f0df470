//! Small chains: how each was changed, and what verification finds.

mod log;

use self::log::{Log, SOMEBODY, without_code};
use crate::{
    audit::{RecordedEvent, Summary, describe_restart, is_whole, restart::read_restart},
    id::{AccountId, EventId, TenantId},
    tenant::DEFAULT_TENANT,
    time::Timestamp,
};
use uuid::Uuid;

/// A name, the change to an intact chain of six events, and the expected findings.
type Line = (&'static str, Done, &'static [&'static str]);
type Done = fn(&mut Log) -> &mut Log;

fn rename(event: &mut RecordedEvent) {
    event.kind = "logged_out".to_owned();
}

const EVENTS: &[Line] = &[
    ("intact", |log| log, &[]),
    ("kind changed", |log| log.change(3, rename), &["3 Changed"]),
    ("outcome changed", |log| log.change(3, |event| event.outcome = "refused".to_owned()), &["3 Changed"]),
    ("account changed", |log| log.change(3, |event| event.account = None), &["3 Changed"]),
    ("time changed", |log| log.change(3, |event| event.happened_at = Timestamp::default()), &["3 Changed"]),
    ("id changed", |log| log.change(3, |event| event.id = EventId::from_uuid(Uuid::nil())), &["3 Changed"]),
    ("first event changed", |log| log.change(1, rename), &["1 Changed"]),
    ("last event changed", |log| log.change(6, rename), &["6 Changed"]),
    ("two events changed", |log| log.change(2, rename).change(3, rename), &["2 Changed", "3 Changed"]),
    ("address changed", |log| log.change(3, |event| event.address.clear()), &["3 Changed"]),
    ("commitment changed", |log| log.change(3, |event| event.digest = Some(vec![7; 32])), &["3 Changed"]),
    ("commitment removed", |log| log.change(3, |event| event.digest = None), &["3 Changed"]),
    ("salt changed", |log| log.change(3, |event| event.salt = Some(vec![7; 16])), &["3 Changed"]),
    ("code changed", |log| log.change(3, |event| event.mac = Some(vec![7; 32])), &["3 Changed"]),
    ("code removed", |log| log.change(3, without_code), &["3 Changed"]),
    ("key name of the code removed", |log| log.change(3, |event| event.mac_key = None), &["3 Changed"]),
    ("key name of the code changed", |log| log.change(3, |event| event.mac_key = two()), &["3 Changed"]),
    ("link changed", |log| log.change(3, |event| event.link = Some(vec![7; 32])), &["3 Changed"]),
    ("last link changed", |log| log.change(6, |event| event.link = Some(vec![7; 32])), &["6 EndDiffers", "6 Changed"]),
    ("link truncated", |log| log.change(3, |event| event.link = Some(vec![7])), &["3 Changed"]),
    ("link removed", |log| log.change(3, |event| event.link = None), &["3 Changed"]),
    ("key name of the link changed", |log| log.change(3, |event| event.link_key = two()), &["3 Changed"]),
    (
        "sealed event marked as rejected",
        |log| log.change(3, |event| event.rejected_at = Some(Timestamp::default())),
        &["3 Changed"],
    ),
];

fn two() -> Option<String> {
    Some("two".to_owned())
}

const PLACES: &[Line] = &[
    ("neighbours exchanged", |log| log.exchange(4, 5), &["4 Moved { was: 5 }", "5 Moved { was: 4 }"]),
    ("two events exchanged", |log| log.exchange(2, 4), &["2 Moved { was: 4 }", "4 Moved { was: 2 }"]),
    ("the first event exchanged with another", |log| log.exchange(1, 4), &["1 Moved { was: 4 }", "4 Moved { was: 1 }"]),
    ("links exchanged", |log| log.exchange_links(2, 3), &["2 Changed", "3 Changed"]),
    ("dropped in the middle", |log| log.drop(4..=5), &["4 Missing { up_to: 5 }"]),
    (
        "dropped at two positions",
        |log| log.drop(2..=2).drop(4..=4),
        &["2 Missing { up_to: 2 }", "4 Missing { up_to: 4 }"],
    ),
    ("dropped at the beginning", |log| log.drop(1..=2), &["1 Missing { up_to: 2 }"]),
    ("dropped at the end", |log| log.drop(5..=6), &["5 CutOff { up_to: 6 }"]),
    ("all dropped", |log| log.drop(1..=6), &["1 CutOff { up_to: 6 }"]),
    (
        "dropped, and the last event moved there",
        |log| log.drop(5..=5).change(6, |event| event.position = Some(5)),
        &["5 Changed", "6 CutOff { up_to: 6 }"],
    ),
    (
        "dropped, and all later events moved down",
        |log| log.drop(3..=3).close_ranks(),
        &["3 Changed", "4 Moved { was: 5 }", "5 Changed", "6 CutOff { up_to: 6 }"],
    ),
    ("inserted behind the end", |log| log.insert(7), &["7 Outside"]),
    ("inserted before the beginning", |log| log.insert(0), &["0 Outside"]),
    ("inserted into a gap", |log| log.drop(3..=3).insert(3), &["3 Changed"]),
    (
        "a copy inserted, and all later events moved up",
        |log| log.copy(2),
        &["3 Changed", "4 Moved { was: 3 }", "5 Moved { was: 4 }", "6 EndDiffers", "6 Moved { was: 5 }", "7 Outside"],
    ),
    ("changed behind a gap", |log| log.drop(3..=3).change(4, rename), &["3 Missing { up_to: 3 }", "4 MadeUp"]),
    ("changed before a gap", |log| log.drop(3..=3).change(2, rename), &["2 Changed", "3 Missing { up_to: 3 }"]),
];

const HEADS: &[Line] = &[
    ("no event yet", |log| log.put_back(0), &[]),
    ("head removed", |log| log.drop_head(), &["- HeadMissing"]),
    ("head and events removed", |log| log.drop(1..=6).drop_head(), &[]),
    ("end moved back", |log| log.end_at(4), &["- HeadChanged", "5 Outside", "6 Outside"]),
    ("end moved back, and later events dropped", |log| log.end_at(4).drop(5..=6), &["- HeadChanged"]),
    ("end moved forward", |log| log.change_head(|head| head.position = 7), &["- HeadChanged", "7 CutOff { up_to: 7 }"]),
    (
        "last link of the head changed",
        |log| log.change_head(|head| head.link = vec![7; 32]),
        &["- HeadChanged", "6 EndDiffers"],
    ),
    (
        "anchor link of the head changed",
        |log| log.change_head(|head| head.anchor_link = vec![7; 32]),
        &["- HeadChanged", "1 Changed"],
    ),
    (
        "anchor moved forward",
        |log| log.change_head(|head| head.anchor_position = 1),
        &["- HeadChanged", "1 Outside", "2 Changed"],
    ),
    (
        "the head of another tenant",
        |log| log.change_head(|head| head.tenant = TenantId::from_uuid(Uuid::nil())),
        &["- HeadChanged"],
    ),
    ("code of the head changed", |log| log.change_head(|head| head.mac = vec![7; 32]), &["- HeadChanged"]),
    ("key name of the head changed", |log| log.change_head(|head| head.mac_key = "two".to_owned()), &["- HeadChanged"]),
    ("key of the head unknown", |log| log.change_head(|head| head.mac_key.clear()), &["- HeadKeyUnknown"]),
    ("record of events without codes changed", |log| log.change_record(|bare| bare.position = 1), &["- HeadChanged"]),
    ("record prolonged", |log| log.change_record(|bare| bare.until = Timestamp::from_seconds(9)), &["- HeadChanged"]),
    ("key of the record unknown", |log| log.change_record(|bare| bare.mac_key.clear()), &["- HeadChanged"]),
    ("record removed", |log| log.change_head(|head| head.bare = None), &["- HeadChanged"]),
    (
        "an old head restored",
        |log| log.change_head(|head| *head = Log::of(4).head.unwrap()),
        &["5 Outside", "6 Outside"],
    ),
    ("an old state of everything restored: found only with --seen", |log| log.put_back(4), &[]),
];

const WHO: Option<AccountId> = Some(SOMEBODY);
const OTHER: Option<AccountId> = Some(AccountId::from_uuid(Uuid::nil()));

const FORGOTTEN: &[Line] = &[
    ("first events purged", |log| log.forget(2), &[]),
    ("all events purged", |log| log.forget(6), &[]),
    ("a purged event restored", |log| log.forget(2).insert(2), &["2 Outside"]),
    ("one more event dropped after a purge", |log| log.forget(2).drop(3..=3), &["3 Missing { up_to: 3 }"]),
    ("first event after a purge changed", |log| log.forget(2).change(3, rename), &["3 Changed"]),
    ("blanked, account deleted", |log| log.blank(3).delete_account(), &[]),
    ("blanked, account not deleted", |log| log.blank(3), &["3 Unexplained"]),
    ("blanked, one of two accounts deleted", |log| log.seal_about(OTHER, WHO).blank(7).delete_account(), &[]),
    (
        "blanked, another account deleted",
        |log| log.seal_about(OTHER, OTHER).blank(7).delete_account(),
        &["7 Unexplained"],
    ),
    ("blanked, names no account", |log| log.seal_about(None, None).blank(7).delete_account(), &["7 Unexplained"]),
    ("blanked, but not the address", |log| log.change(3, |event| event.salt = None).delete_account(), &["3 Changed"]),
    ("blanked, but not the salt", |log| log.change(3, |event| event.address.clear()).delete_account(), &["3 Changed"]),
    ("blanked and changed", |log| log.blank(3).change(3, rename).delete_account(), &["3 Changed"]),
];

const RESTARTED: &str = "7 Restarted { behind: 6, why: \"head missing\" }";

const RESTARTS: &[Line] = &[
    ("restarted", |log| log.seal_restart(6, "head missing"), &[RESTARTED]),
    (
        "restarted after events were cut off",
        |log| log.put_back(4).seal_restart(4, "head changed"),
        &["5 Restarted { behind: 4, why: \"head changed\" }"],
    ),
    (
        "restart with an unreadable text",
        |log| log.seal_restart_that_says("because"),
        &["7 Restarted { behind: 6, why: \"because\" }"],
    ),
    (
        "text of a restart changed",
        |log| log.seal_restart(6, "head missing").change(7, |event| event.object = Some("behind 5; x".to_owned())),
        &["7 Restarted { behind: 5, why: \"x\" }", "7 Changed"],
    ),
    ("kind of a restart changed", |log| log.seal_restart(6, "head missing").change(7, rename), &["7 Changed"]),
    ("restart seen before", |log| log.seal_restart(6, "head missing").see(7), &[]),
    ("only what precedes a restart seen before", |log| log.seal_restart(6, "head missing").see(6), &[RESTARTED]),
    (
        "changed before a restart that was seen",
        |log| log.seal_restart(6, "head missing").see(7).change(2, rename),
        &["2 Changed"],
    ),
];

const SEEN: &[Line] = &[
    ("seen at the end", |log| log.see(6), &[]),
    ("seen in the middle", |log| log.see(3), &[]),
    ("seen with another link", |log| log.see_another(3), &["3 NotAsSeen"]),
    ("seen with the link of another position", |log| log.see_as(3, 4), &["3 NotAsSeen"]),
    ("seen after the end", |log| log.see_another(9), &["9 NotAsSeen"]),
    ("an old state of everything restored", |log| log.see(6).put_back(4), &["6 NotAsSeen"]),
    ("seen before the anchor", |log| log.see(1).forget(2), &["1 SeenForgotten"]),
    ("seen at the anchor", |log| log.see(2).forget(2), &[]),
    ("seen at the anchor with another link", |log| log.see_another(2).forget(2), &["2 NotAsSeen"]),
];

const CODES: &[Line] = &[
    ("key rotated", |log| log.rotate("two").seal(|_| {}).seal(|_| {}), &[]),
    (
        "previous key unknown",
        |log| log.rotate("two").seal(|_| {}).lose_key("one"),
        &["1 KeyUnknown { key: \"one\", events: 6 }"],
    ),
    ("only key unknown", |log| log.lose_key("one"), &["- HeadKeyUnknown", "1 KeyUnknown { key: \"one\", events: 6 }"]),
    (
        "key of a link unknown",
        |log| log.change(3, |event| event.link_key = Some("x".to_owned())),
        &["3 KeyUnknown { key: \"x\", events: 1 }"],
    ),
    (
        "key of a code unknown",
        |log| log.seal(|event| event.mac_key = Some("x".to_owned())),
        &["7 KeyUnknown { key: \"x\", events: 1 }"],
    ),
    (
        "another key of the same name",
        |log| log.make_up_a_key(),
        &["- HeadChanged", "1 Changed", "2 Changed", "3 Changed", "4 Changed", "5 Changed", "6 Changed"],
    ),
    ("sealed with the code of another event", |log| log.seal(code_of_another), &["7 MadeUp"]),
    ("sealed with half a code", |log| log.seal(|event| event.mac_key = None), &["7 MadeUp"]),
    ("sealed without a code", |log| log.seal(without_code), &["7 MadeUp"]),
    ("sealed without a code, within the record", |log| log.seal(without_code).record(7), &[]),
    (
        "sealed without a code, after the record",
        |log| log.seal(without_code).seal(without_code).record(7),
        &["8 MadeUp"],
    ),
    ("all sealed by a release without codes", no_codes, &[]),
    ("no record, but an event with a code", |log| no_codes(log).seal(|_| {}), &["- HeadChanged"]),
    ("link does not cover the code", uncovered, &["7 Changed"]),
    ("link does not cover the code, within the record", |log| uncovered(log).record(7), &[]),
];

fn code_of_another(event: &mut RecordedEvent) {
    event.mac = Log::of(2).sealed.remove(1).mac;
}

/// The head of a release without codes has no record.
fn no_codes(log: &mut Log) -> &mut Log {
    log.put_back(0).change_head(|head| head.bare = None).seal(without_code).seal(without_code)
}

/// A replica of a release without codes seals an event that has one.
fn uncovered(log: &mut Log) -> &mut Log {
    let coded = log.next(|_| {});
    log.seal(without_code).change(7, |event| (event.mac, event.mac_key) = (coded.mac, coded.mac_key))
}

const WAITING: &[Line] = &[
    ("waits", |log| log.wait(|_| {}), &[]),
    ("waits for five minutes", |log| log.wait(|_| {}).age(300), &[]),
    ("waits for longer than five minutes", |log| log.wait(|_| {}).age(301), &["- Waiting { events: 1, age: 301s }"]),
    ("waits, and nothing is sealed yet", |log| log.put_back(0).wait(|_| {}), &[]),
    ("waits, changed", |log| log.wait(rename), &["- MadeUp"]),
    ("waits, blanked", |log| log.wait(|event| event.salt = None), &["- MadeUp"]),
    ("waits, code of another event", |log| log.wait(code_of_another), &["- MadeUp"]),
    ("waits, key of the code unknown", |log| log.wait(|event| event.mac_key = Some("x".to_owned())), &["- MadeUp"]),
    ("waits, half a code", |log| log.wait(|event| event.mac = None), &["- MadeUp"]),
    ("waits, no code", |log| log.wait(without_code), &["- MadeUp"]),
    ("waits, no code, such events are sealed", |log| log.wait(without_code).take_bare(), &[]),
    ("waits, changed, events without a code are sealed", |log| log.wait(rename).take_bare(), &["- MadeUp"]),
    (
        "waits, half a code, events without a code are sealed",
        |log| log.wait(|event| event.mac = None).take_bare(),
        &["- MadeUp"],
    ),
    ("rejected", |log| log.reject(1), &["- MadeUp"]),
    ("rejected, events without a code are sealed", |log| log.reject(1).take_bare(), &["- MadeUp"]),
    ("rejected, and end moved back", |log| log.reject(1).end_at(5), &["- HeadChanged", "- MadeUp", "6 Outside"]),
];

#[test]
fn each_chain_is_found_to_be_what_was_done_to_it() {
    let mut wrong = Vec::new();
    for (name, done, expected) in
        [EVENTS, PLACES, HEADS, FORGOTTEN, RESTARTS, SEEN, CODES, WAITING].into_iter().flatten()
    {
        let found = done(&mut Log::of(6)).found();
        if found != *expected {
            wrong.push(format!("{name}:\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn a_summary_says_how_far_the_chain_goes() {
    let mut log = Log::of(6);
    let link = log.link(6);
    let whole = Summary { tenant: DEFAULT_TENANT, events: 6, first: 1, last: 6, link, found: Vec::new(), more: 0 };
    assert_eq!(log.verify(), whole);
    assert!(whole.is_sound());
    assert_eq!(log.forget(2).verify(), Summary { events: 4, first: 3, ..whole.clone() });
    let cut = log.drop(5..=6).verify();
    assert_eq!((cut.events, cut.first, cut.last, &cut.link), (2, 3, 6, &whole.link), "where it ends is known");
    assert!(!cut.is_sound());
    let cut = log.drop_head().verify();
    assert_eq!((cut.events, cut.first, cut.last, cut.link), (2, 1, 4, log.link(4)), "nothing says where it ended");
}

#[test]
fn of_many_changed_events_none_is_said_to_be_moved_and_a_thousand_findings_are_kept() {
    let mut log = Log::of(40);
    log.sealed.iter_mut().for_each(rename);
    let changed: Vec<_> = (1..=40).map(|position| format!("{position} Changed")).collect();
    assert_eq!(log.found(), changed);
    let summary = log.reject(1_100).verify();
    assert_eq!((summary.found.len(), summary.more), (1_000, 140));
}

/// A name, the change to six events that are old enough to be purged, up to which position an operator has accepted
/// findings, and whether the events may be purged.
const OLD: &[(&str, Done, i64, bool)] = &[
    ("intact", |log| log, 0, true),
    ("changed", |log| log.change(3, rename), 0, false),
    ("changed, and accepted", |log| log.change(3, rename), 3, true),
    ("changed after the accepted position", |log| log.change(3, rename), 2, false),
    ("dropped", |log| log.drop(2..=2), 0, false),
    ("restarted", |log| log.seal_restart(6, "head missing"), 0, true),
    ("blanked, account deleted", |log| log.blank(3).delete_account(), 0, true),
    ("blanked, account not deleted", |log| log.blank(3), 0, false),
    ("sealed without a code", |log| log.seal(without_code), 0, false),
    ("sealed without a code, within the record", |log| log.seal(without_code).record(7), 0, true),
];

#[test]
fn events_that_were_changed_are_not_purged() {
    for (name, done, accepted, expected) in OLD {
        let mut log = Log::of(6);
        let Log { keys, head, sealed, deleted, .. } = done(&mut log);
        assert_eq!(is_whole(keys, head.as_ref().unwrap(), sealed, deleted, *accepted), *expected, "{name}");
    }
}

#[test]
fn a_restart_says_behind_which_position_and_why() {
    assert_eq!(read_restart(Some(&describe_restart(6, "head missing"))), (Some(6), "head missing".to_owned()));
    assert_eq!(read_restart(Some("behind six; x")), (None, "behind six; x".to_owned()));
    assert_eq!(read_restart(None), (None, String::new()));
}
