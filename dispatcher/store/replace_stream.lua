#!lua
-- replace_stream: give a stream whose ids are used up a successor under its name.
--
-- KEYS[1] the stream   KEYS[2] where the old one goes   KEYS[3] the set that names those that went
-- ARGV[1] how many of its newest entries come along
-- Answer: 0 if its ids are not used up (somebody was faster), else {entries, groups, entries left behind}.
--
-- A last id cannot be lowered once an entry had it (XSETID refuses), so the old stream is moved aside, whole,
-- and entries and groups are written anew: entries under their own ids, so that whoever reads by position goes
-- on; those with an id that no clock gives, or with more fields than ours have, are left behind: they are not
-- ours. Groups keep their place, and consumers what they have not acknowledged. Everything is looked at before
-- the first write: Lua does not roll back.

local stream, aside, list, most = KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1])
local SANE = '999999999999999-18446744073709551615' -- as in commit.lua
local AT_ONCE, MOST_WORDS = 200, 100

local function sane(id) return string.find(id, '-', 1, true) <= 16 end
local function field(pairs_of, wanted)
  for at = 1, #pairs_of, 2 do
    if pairs_of[at] == wanted then return pairs_of[at + 1] end
  end
end

local last = field(redis.call('XINFO', 'STREAM', stream), 'last-generated-id')
if sane(last) then return 0 end
if redis.call('EXISTS', aside) == 1 then error({ err = 'ERR ' .. aside .. ' is there already' }) end

local groups, pending = redis.call('XINFO', 'GROUPS', stream), {}
for at, group in ipairs(groups) do
  local name = field(group, 'name')
  pending[at] = { name, redis.call('XPENDING', stream, name, '-', SANE, field(group, 'pending') + 1) }
end

-- from which entry on: the `most` newest that have an id of ours
local first, before, counted, total = '-', SANE, 0, redis.call('XLEN', stream)
while total > most and counted < most do
  local some = redis.call('XREVRANGE', stream, before, '-', 'COUNT', math.min(AT_ONCE, most - counted))
  if #some == 0 then break end
  first, counted = some[#some][1], counted + #some
  before = '(' .. first
end

local needed = {
  { 'RENAME', stream, aside },
  { 'SADD', list, aside },
  { 'XADD', stream, '*', 'field', 'value' },
  { 'XGROUP', 'CREATE', stream, 'group', '0', 'MKSTREAM' },
  { 'XCLAIM', stream, 'group', 'consumer', 0, '0-1', 'FORCE' },
}
for _, words in ipairs(needed) do
  if not redis.acl_check_cmd(unpack(words)) then error({ err = 'NOPERM the ACL does not allow ' .. words[1] }) end
end
redis.call('SADD', list, aside)
redis.call('RENAME', stream, aside)
local copied, newest = 0, '0-0'
while true do
  local some = redis.call('XRANGE', aside, first, SANE, 'COUNT', AT_ONCE)
  for _, entry in ipairs(some) do
    newest = entry[1]
    if #entry[2] <= MOST_WORDS then
      redis.call('XADD', stream, newest, unpack(entry[2]))
      copied = copied + 1
    end
  end
  if #some < AT_ONCE then break end
  first = '(' .. newest
end
for at, group in ipairs(groups) do
  local name, delivered = pending[at][1], field(group, 'last-delivered-id')
  redis.call('XGROUP', 'CREATE', stream, name, sane(delivered) and delivered or newest, 'MKSTREAM')
  for _, each in ipairs(pending[at][2]) do
    redis.call('XCLAIM', stream, name, each[2], 0, each[1], 'IDLE', each[3], 'RETRYCOUNT', each[4], 'FORCE', 'JUSTID')
  end
end
return { copied, #groups, total - copied }
