//! `[lockout]`: how many wrong passwords are allowed.

use super::reader::Reader;
use super::value::DAY;
use countersign_domain::lockout::LockoutRule;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// For an identifier, and for each recognized device.
    pub rule: LockoutRule,
    /// Wrong passwords in a row after which the right password is accepted from recognized devices only.
    pub disable_after: u32,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Lockout {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section(
            "lockout",
            "Brute force: wrong passwords are counted for each identifier and each recognized device (`limits.store`).",
        );
        let second = Duration::from_secs(1);
        let lockout = Self {
            rule: LockoutRule {
                captcha_after: section.whole(
                    "captcha_after",
                    3,
                    1..=100,
                    "After this many wrong passwords a login needs a captcha, if a provider is configured.",
                ),
                captcha_window: section.duration(
                    "captcha_window",
                    5 * MINUTE,
                    second..=DAY,
                    "Time window in which wrong passwords count for `captcha_after`.",
                ),
                lock_after: section.whole(
                    "lock_after",
                    5,
                    1..=100,
                    "After this many wrong passwords further login attempts are delayed.",
                ),
                lock_window: section.duration(
                    "lock_window",
                    10 * MINUTE,
                    second..=DAY,
                    "Time window in which wrong passwords count for `lock_after`.",
                ),
                first_wait: section.duration(
                    "first_wait",
                    MINUTE,
                    second..=DAY,
                    "First delay. Each further wrong password doubles it.",
                ),
                longest_wait: section.duration("longest_wait", 15 * MINUTE, second..=DAY, "Longest delay."),
            },
            disable_after: section.whole(
                "disable_after",
                100,
                10..=100,
                "After this many wrong passwords in a row the account's password is disabled until it is reset, \
                 except on devices that logged in before. NIST SP 800-63B-4 allows at most 100.",
            ),
        };
        let holds = lockout.rule.first_wait <= lockout.rule.longest_wait;
        section.reader().require(
            &["lockout.first_wait", "lockout.longest_wait"],
            holds,
            "must not be longer than lockout.longest_wait",
        );
        lockout
    }
}
