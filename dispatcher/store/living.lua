#!lua
-- living: which processes live, for one market: its matchers; its readers of patient keys.
--
-- KEYS[1] hash: name → until when it is taken for alive, ms by the server's clock
-- ARGV    'here' name ttl_ms → the names of all that live, this one among them
--         'gone' name        → the names of all others that live
-- Who says nothing for its time is forgotten by whoever asks next. Nobody is believed for longer than whoever
-- says 'here' is: what was said before the server's clock went back would hold for as long as the jump.

local verb, name = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local most_ms = math.huge
if verb == 'here' then
  most_ms = now_ms + ARGV[3]
  redis.call('HSET', KEYS[1], name, most_ms)
else
  redis.call('HDEL', KEYS[1], name)
end
local living, found = {}, redis.call('HGETALL', KEYS[1])
for at = 1, #found, 2 do
  if tonumber(found[at + 1]) > now_ms then
    if tonumber(found[at + 1]) > most_ms then redis.call('HSET', KEYS[1], found[at], most_ms) end
    table.insert(living, found[at])
  else
    redis.call('HDEL', KEYS[1], found[at])
  end
end
return living
