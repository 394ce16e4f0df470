use super::LockKey;
use crate::cache::SharedRedis;
use countersign_domain::lockout::LoginAttempts;
use fred::types::scripts::Script;
use std::time::Duration;

/// Remembering together, in Redis. The rule is not told twice, once here and once in Lua: what is remembered of a key
/// is read, changed here, and written if nobody else has written meanwhile. Whoever comes too late looks again; since
/// few guesses of a key are ever admitted, few ever write, and the others find that they must wait and write nothing.
pub(super) struct Shared {
    shared_redis: SharedRedis,
    script: Script,
    /// How long guesses are kept, in milliseconds.
    life: u128,
}

/// The hash tag of the limiter: one slot of a cluster, one connection that is known to answer.
///
/// The number is that of the text in which guesses are written: replicas that write it differently count apart for as
/// long as both run.
const PREFIX: &str = "{countersign}:lockout:2:";
/// How often is looked again. Each time, somebody else was admitted or settled, and the rule admits few.
const MOST_LOOKS: usize = 64;

/// Writes the second argument if the first is what is there, and answers what is there then. Nothing there reads as an
/// empty text, and an empty text is not kept.
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

/// What became of a change.
pub(super) enum Told<T> {
    Done(T),
    /// Redis was asked and gave no answer: it may have been done there, and has to be decided here.
    Unanswered(T),
    /// It has to be decided here.
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
        // Nothing, as nearly always: then one round trip does it.
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
