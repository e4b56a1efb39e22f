#!lua
-- decided: decisions at their places in the chain, all or none, and that each is the last on its requests.
--
-- KEYS[1] stream: the ledger of decisions   KEYS[1 + n] hash of the day of the n-th: request → decision
-- ARGV[1] field; then of each decision: place, entry, name, seconds that its day is kept, how many requests,
--         requests …
--         → the keys where nothing could be noted; an error where the first place is taken, or does not follow
--         the last that was given (a fail-over lost that one): then nothing is
-- The first XADD is the one that may refuse, and comes first: the places follow each other. A fail-over loses
-- the end of a ledger; one that is gone as a whole was taken away, and shows by where the next begins.
local field, at, notes, left_out = ARGV[1], 2, {}, {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  local told, last = redis.call('XINFO', 'STREAM', KEYS[1]), 0
  for nth = 1, #told, 2 do
    if told[nth] == 'last-generated-id' then last = tonumber(string.match(told[nth + 1], '^%d+')) end
  end
  if last + 1 < tonumber(string.match(ARGV[2], '^%d+')) then
    return redis.error_reply('FELLBACK the ledger ends at ' .. last .. ', before ' .. ARGV[2])
  end
end
for nth = 2, #KEYS do
  local place, entry, name, seconds, many = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  redis.call('XADD', KEYS[1], place, field, entry)
  notes[#notes + 1] = { KEYS[nth], name, seconds, at + 5, at + 4 + many }
  at = at + 5 + many
end
for _, note in ipairs(notes) do
  local day, name, seconds, first, last = unpack(note)
  for each = first, last do
    local noted = redis.pcall('HSET', day, ARGV[each], name)
    if type(noted) == 'table' and noted.err then -- a key of another type: that keeps no decision from its place
      left_out[#left_out + 1] = day
      break
    end
  end
  if first <= last then redis.call('EXPIRE', day, seconds) end
end
return left_out
