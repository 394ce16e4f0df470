-- Gives back what a call without effect took. The rule is `given_back` in crates/domain/src/limit.rs.
--
-- KEYS  what was drawn from, each key once
-- ARGV  of each key: the charge, the capacity and the horizon, in microseconds
--
-- Returns how many keys still owed something.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local stored = redis.call('MGET', unpack(KEYS))
local owing = 0
for at = 1, #KEYS do
    local charge, horizon = tonumber(ARGV[3 * at - 2]), tonumber(ARGV[3 * at])
    local ahead = (stored[at] and tonumber(stored[at]) or now) - now
    -- A value that a draw would ignore is ignored here, too.
    if ahead > 0 and ahead <= horizon then
        owing = owing + 1
        local owed = ahead - charge
        if owed > 0 then
            redis.call('SET', KEYS[at], string.format('%.0f', now + owed), 'PX', string.format('%.0f', math.ceil(owed / 1000)))
        else
            redis.call('DEL', KEYS[at])
        end
    end
end
return owing
