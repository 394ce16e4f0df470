-- Counts a call against all of its limits, or against none. The rule is `decide` in crates/domain/src/limit.rs, and a
-- test compares the two.
--
-- KEYS  what is drawn from, each key once
-- ARGV  of each key: the charge, the capacity and the horizon, in microseconds
--
-- Returns the number of the key with the longest wait, and that wait in microseconds; two zeros when the call is
-- admitted.
--
-- The clock is Redis's own: those of replicas differ, and one that runs ahead would refill too early. Every number here
-- is an integer below 2^53, and so exact in a double; as text it must be written with all its digits.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- MGET returns nothing for a value that is not a string, so a key of another type counts as missing.
local stored = redis.call('MGET', unpack(KEYS))
local owed = {}
local longest, wait = 0, 0
for at = 1, #KEYS do
    local charge, capacity, horizon = tonumber(ARGV[3 * at - 2]), tonumber(ARGV[3 * at - 1]), tonumber(ARGV[3 * at])
    local ahead = (stored[at] and tonumber(stored[at]) or now) - now
    -- Negated, so that NaN counts as 0, too.
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
    -- The key expires when it owes nothing any more.
    local tat, expiry = now + owed[at], math.ceil(owed[at] / 1000)
    redis.call('SET', KEYS[at], string.format('%.0f', tat), 'PX', string.format('%.0f', expiry))
end
return { 0, 0 }
