#!lua
-- consumers: forget those of a consumer group whose process has ended.
--
-- KEYS[1] stream   ARGV group idle_ms → how many were forgotten
-- One that has something pending stays, however long it is idle: with it its entries would be forgotten. Both
-- are looked at in one step, so that none is given an entry in between.

local forgotten = 0
for _, pairs_of in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local found = {}
  for at = 1, #pairs_of, 2 do found[pairs_of[at]] = pairs_of[at + 1] end
  if found.pending == 0 and found.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], found.name)
    forgotten = forgotten + 1
  end
end
return forgotten
