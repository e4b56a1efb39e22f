#!lua
-- lease: who may match a market, and the fence that its commits must carry.
--
-- KEYS[1] lease (the owner's name, gone after its time)   KEYS[2] fence (`<number>-<nonce>`)
-- ARGV    'acquire' owner ttl_ms nonce → the new fence, or '' if another owns it
--         'renew'   owner ttl_ms       → 1, or 0 if it is no longer ours
--         'release' owner              → 1, or 0 if it is no longer ours
-- An owner that acquires again gets a new fence: what it sent before is refused from then on.
-- The number only tells people which came later: a fail-over that lost the last write gives it again. The
-- nonce is the caller's, new for each call, so that no fence ever comes twice. Before, it was the number alone.
-- A lease is kept as the instant at which it ends. Where the server's clock goes back, or a server whose clock
-- is behind was promoted, that of an owner who is dead would last as long as the jump: whoever is refused cuts
-- it to what he asks for himself, which takes nothing from an owner who renews.

local verb, owner = ARGV[1], ARGV[2]
local current = redis.call('GET', KEYS[1])
if verb == 'acquire' then
  if current and current ~= owner then
    redis.call('PEXPIRE', KEYS[1], ARGV[3], 'LT')
    return ''
  end
  local last = tonumber(string.match(redis.call('GET', KEYS[2]) or '', '^%d+') or '0')
  local fence = string.format('%.0f-%s', last + 1, ARGV[4])
  redis.call('SET', KEYS[1], owner, 'PX', ARGV[3])
  redis.call('SET', KEYS[2], fence)
  return fence
end
if current ~= owner then return 0 end
if verb == 'renew' then return redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('DEL', KEYS[1])
