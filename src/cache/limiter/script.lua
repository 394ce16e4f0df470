-- Counts a call against all of its limits, or against none. The rule is `decide` in crates/domain/src/limit.rs, and a
-- test compares the two.
--
-- KEYS  what is drawn from, each key once
-- ARGV  of each key: the charge, the capacity and the horizon, in microseconds
--
-- Answers the number of the key with the longest wait, and that wait in microseconds; two zeros when the call is
-- admitted.
--
-- The clock is Redis's own. Those of replicas differ, and one that runs ahead would forgive too early. Every number
-- here is a whole one below 2^53, and so exact in a double; only as text it has to be written with all its digits.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- MGET passes over what is no string, so that a key which somebody else wrote is a key that is not there.
local stored = redis.call('MGET', unpack(KEYS))
local owed = {}
local longest, wait = 0, 0
for at = 1, #KEYS do
    local charge, capacity, horizon = tonumber(ARGV[3 * at - 2]), tonumber(ARGV[3 * at - 1]), tonumber(ARGV[3 * at])
    local ahead = (stored[at] and tonumber(stored[at]) or now) - now
    -- Written so that what is no number at all counts as nothing, too.
    if not (ahead > 0 and ahead <= horizon) then
        ahead = 0
    end
    owed[at] = ahead + charge
    local over = owed[at] - capacity
    if charge > capacity then
        over = capacity
    end
    if over > wait then
        longest, wait = at, over
    end
end
if wait > 0 then
    return { longest, wait }
end

for at = 1, #KEYS do
    -- It expires when it is worth nothing any more.
    local tat, expiry = now + owed[at], math.ceil(owed[at] / 1000)
    redis.call('SET', KEYS[at], string.format('%.0f', tat), 'PX', string.format('%.0f', expiry))
end
return { 0, 0 }
