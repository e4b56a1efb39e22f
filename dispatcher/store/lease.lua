#!lua
-- lease: who may match a market, and the fence number that its commits must carry.
--
-- KEYS[1] lease (the owner's name, gone after its time)   KEYS[2] fence (a number that only grows)
-- ARGV    'acquire' owner ttl_ms → the new fence number, or 0 if another owns it
--         'renew'   owner ttl_ms → 1, or 0 if it is no longer ours
--         'release' owner        → 1, or 0 if it is no longer ours
-- An owner that acquires again gets a new number: what it sent before is refused from then on.

local verb, owner = ARGV[1], ARGV[2]
local current = redis.call('GET', KEYS[1])
if verb == 'acquire' then
  if current and current ~= owner then return 0 end
  redis.call('SET', KEYS[1], owner, 'PX', ARGV[3])
  return redis.call('INCR', KEYS[2])
end
if current ~= owner then return 0 end
if verb == 'renew' then return redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('DEL', KEYS[1])
