#!lua
-- decided: a decision at its place in the chain, and that it is the last on these requests. Both or neither.
--
-- KEYS[1] stream: the ledger of decisions   KEYS[2] hash of the day: request → decision
-- ARGV    place, field, entry, the decision's name, seconds that the day is kept, requests …
--         → the place; an error where the place is taken, and then nothing is noted
-- XADD is the one that may refuse, and comes first.
local place = redis.call('XADD', KEYS[1], ARGV[1], ARGV[2], ARGV[3])
for at = 6, #ARGV do redis.call('HSET', KEYS[2], ARGV[at], ARGV[4]) end
if #ARGV > 5 then redis.call('EXPIRE', KEYS[2], ARGV[5]) end
return place
