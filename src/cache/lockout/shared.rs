use super::LockKey;
use crate::cache::SharedRedis;
use countersign_domain::lockout::LoginAttempts;
use fred::types::scripts::Script;
use std::time::Duration;

/// Wrong attempts, in Redis. The rule is written only once, in Rust: the record of a key is read, changed here, and
/// written back if no other process has written in between (compare-and-swap). After a lost race the record is read
/// again. Few attempts on a key are admitted, so few write; the others only read that they must wait.
pub(super) struct Shared {
    shared_redis: SharedRedis,
    script: Script,
    /// How long attempts are kept, in milliseconds.
    life: u128,
}

/// The hash tag of the limiter: one slot of a cluster, so one connection whose state is known.
///
/// The number is the version of the text format of records: replicas with different versions count separately as long
/// as both run.
const PREFIX: &str = "{countersign}:lockout:2:";
/// Most reads of one record. Each time, another attempt was admitted or settled, and the rule admits few.
const MOST_LOOKS: usize = 64;

/// Stores the second argument if the first is the current value, and returns the current value. A missing value reads
/// as an empty text, and an empty text is not stored.
const SWAP: &str = r"
local there = redis.pcall('GET', KEYS[1])
if type(there) ~= 'string' then
    there = ''
end
if there ~= ARGV[1] then
    return { 0, there }
end
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
elseif ARGV[2] ~= there then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return { 1, ARGV[2] }
";

/// The outcome of a change.
pub(super) enum Told<T> {
    Done(T),
    /// Redis did not answer: the change may be stored there, and must be made here.
    Unanswered(T),
    /// The change must be made here.
    NotAsked,
}

impl Shared {
    pub(super) fn new(shared_redis: SharedRedis, life: Duration) -> Self {
        Self { shared_redis, script: Script::from_lua(SWAP), life: life.as_millis() }
    }

    pub(super) async fn change<T>(
        &self,
        key: LockKey,
        change: impl Fn(&mut LoginAttempts) -> T + Send + Sync,
    ) -> Told<T> {
        // The record is almost always empty: then one round trip is enough.
        let mut there = String::new();
        for _ in 0..MOST_LOOKS {
            if self.shared_redis.is_down() {
                return Told::NotAsked;
            }
            let mut guesses = LoginAttempts::from_text(&there);
            let changed = change(&mut guesses);
            let new = if guesses.is_empty() { String::new() } else { guesses.to_text() };
            let arguments = vec![there, new, self.life.to_string()];
            let answer = self.shared_redis.run_script(&self.script, vec![format!("{PREFIX}{key}")], arguments).await;
            let (swapped, found): (u8, String) = match answer {
                Some(answer) => answer,
                None => return Told::Unanswered(changed),
            };
            if swapped == 1 {
                return Told::Done(changed);
            }
            there = found;
        }
        tracing::warn!(
            "too many parallel login attempts for one key: Redis could not count this one, this process counts it alone"
        );
        Told::NotAsked
    }
}
