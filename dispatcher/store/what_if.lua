#!lua
-- what_if: puts a what-if behind the others of its market, if not too many wait; whichever processes ask.
--
-- KEYS[1] hash: id → what was asked; id:state → how far it is; id:cancel → it is not wanted any more
-- ARGV    id, what was asked, how many may not be over, ids that cannot be read …
--         → how many were not over before it; -1: it is there
-- Nothing is counted beside them: what a process that is gone has left is as it is stored.
local id, asked, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('HEXISTS', KEYS[1], id) == 1 then return -1 end
local ended = {done = true, failed = true, cancelled = true, interrupted = true}
local found, raws, aside, waiting = redis.call('HGETALL', KEYS[1]), {}, {}, 0
for at = 4, #ARGV do aside[ARGV[at]] = true end
for at = 1, #found, 2 do raws[found[at]] = found[at + 1] end
for name in pairs(raws) do
  if not string.find(name, ':', 1, true) and not aside[name] then
    local state, read, told = 'queued', pcall(cmsgpack.unpack, raws[name .. ':state'] or '\192')
    if read and type(told) == 'table' then state = told.state end
    local unwanted = state == 'queued' and raws[name .. ':cancel']
    if not ended[state] and not unwanted then waiting = waiting + 1 end
  end
end
if waiting < most then redis.call('HSET', KEYS[1], id, asked) end
return waiting
