#!lua
-- commit: verify everything, then write everything. It knows keys, versions and ledgers, not the business.
--
-- KEYS   every key the program names, all of one market (one hash tag, one slot); a key is named by its place
-- ARGV   a tag, repeated in the answer, so that no answer is taken for another's; then the program: checks,
--        in any order, then the word `writes`, then these to the end. K is a place in KEYS.
--   fence    K token                                the fence must be token
--   command  K fingerprint                          the command id must be unknown
--   version  K expected                             the document's first 4 bytes must be expected ('': no document),
--                                                   whether it is written afterwards or only relied on
--   unbook   K(used) first count units daily        what is booked must suffice to give this back
--   book     K(limit) K(used) first count units daily   used + units must stay within limit, cell by cell
--   cap      K(limits) K(used) payer day trips cents   what is used of the payer's caps of the day, its month and its
--                                                   year, with so much more, must stay within those that there are
--   ceiling  K(used) limit                          used must be within this new limit, cell by cell
--   writes, each of:
--            K name n arg...                        the command `name K arg...`.
--                                                   PUBLISH is a hint: where it is not allowed, none is given.
--                                                   `~name`, as `~HINCRBY`, is a figure: where it cannot be
--                                                   written it is left out, and all else is done
--
-- A ledger is a string of cells, 16 bits each, high byte first: cell 0 counts the day, cell 1 + b is bucket b.
-- Cells beyond its end are 0. `first` is a cell; `daily` is what the day's count changes by (0: leave it alone).
--
-- Answers, each an array; c is the place (from 0) of the check that failed, among all checks:
--   {tag, 'ok', key...}              the key of each figure that was left out
--   {tag, 'duplicate', answer}       this command was committed before with this fingerprint; what was kept
--   {tag, 'reused'}                  this command id came before with another fingerprint
--   {tag, 'fenced', current}         the fence is another one
--   {tag, 'stale', c, document}      another version is current: this one ('' if none)
--   {tag, 'full', c, cell, used, limit}   a booking or ceiling does not fit
--   {tag, 'broken', c, cell, used}   an unbooking would give back more than is booked
-- or one of these errors, each with the tag and the key:
--   UNWRITABLE tag key reason        a key of another type, a count that is none, a command not allowed
--   EXHAUSTED tag key                a stream whose ids are used up: see replace_stream.lua
-- All checks precede the first write, and so does the proof that each write can succeed: Lua does not roll
-- back. Memory, disk and role need no proof: the server looks at them before it starts a script that may write.

--
-- Every function costs half a microsecond a run, for it is made anew: so there are few, and the rest is in line.

local tag, at, place = ARGV[1], 2, 0 -- at: where in ARGV we are; place: which check it is
local ENDS_SANE = '999999999999999-18446744073709551615' -- no clock gives a later stream id before the year 33658
local SANE_DASH = 16 -- where an id's dash is at most
local FIGURE = 126 -- ~
local MOST = 2 ^ 52 -- numbers beyond cannot be told apart here; the server's own limit is 2^63

local function refuse(key, reason) error({ err = 'UNWRITABLE ' .. tag .. ' ' .. key .. ' ' .. reason }) end

local function read(command, key, ...) -- as redis.call, but a failure names the key
  local found = redis.pcall(command, key, ...)
  if type(found) == 'table' and found.err then refuse(key, found.err) end
  return found
end

local function cell_of(raw, index) -- index counts from 0 within raw
  local high, low = string.byte(raw, 2 * index + 1, 2 * index + 2)
  return low and high * 256 + low or 0
end

local staged = {} -- used key → cell → value after the program; later checks see earlier ones
local changed = {} -- runs of cells to write: {key, first, count}

local function move(limit, used, first, count, units) -- books within a limit; gives back where there is none
  local last = 2 * (first + count) - 1
  local cells, raw = staged[used] or {}, read('GETRANGE', used, 2 * first, last)
  local limits = limit and read('GETRANGE', limit, 2 * first, last)
  staged[used], changed[#changed + 1] = cells, { used, first, count }
  for i = 0, count - 1 do
    local c, most = first + i, limits and cell_of(limits, i)
    local booked = cells[c] or cell_of(raw, i)
    if most and booked + units > most then return { tag, 'full', place, c, booked, most } end
    if not most and booked < units then return { tag, 'broken', place, c, booked } end
    cells[c] = most and booked + units or booked - units
  end
end

-- 1. The checks. `at` is at an operation; its key and its words follow.
local operation = ARGV[at]
while operation and operation ~= 'writes' do
  local key, word = KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2]
  local refusal
  if operation == 'version' then
    if read('GETRANGE', key, 0, 3) ~= word then return { tag, 'stale', place, read('GET', key) or '' } end
    at = at + 3
  elseif operation == 'command' then
    local known = read('GET', key)
    if known and string.sub(known, 1, #word) ~= word then return { tag, 'reused' } end
    if known then return { tag, 'duplicate', string.sub(known, #word + 1) } end
    at = at + 3
  elseif operation == 'book' or operation == 'unbook' then
    local limit = operation == 'book' and key
    local used = limit and KEYS[tonumber(word)] or key
    at = at + (limit and 3 or 2)
    local first, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local units, daily = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    refusal = move(limit, used, first, count, units) or (daily ~= 0 and move(limit, used, 0, 1, daily))
    at = at + 4
  elseif operation == 'cap' then -- limits and counts are hashes: `payer:period:unit`, `payer:day, month or year:unit`
    local used, payer, day = KEYS[tonumber(word)], ARGV[at + 3] .. ':', ARGV[at + 4]
    local counted, more = staged[used] or {}, { ARGV[at + 5], ARGV[at + 6] }
    staged[used] = counted
    local limits = read('HMGET', key, payer .. 'day:trips', payer .. 'day:cents', payer .. 'month:trips',
      payer .. 'month:cents', payer .. 'year:trips', payer .. 'year:cents')
    for i = 1, 6 do
      local units = limits[i] and tonumber(more[2 - i % 2])
      if units and units ~= 0 then
        local field = payer .. string.sub(day, 1, i > 4 and 4 or i > 2 and 7 or 10) .. (i % 2 == 1 and ':trips' or ':cents')
        local booked, most = counted[field] or tonumber(read('HGET', used, field) or 0), tonumber(limits[i])
        if not booked then refuse(used, field .. ' is no count') end
        if not most then refuse(key, payer .. ' has a cap that is no count') end
        if units > 0 and booked + units > most then return { tag, 'full', place, i, booked, most } end
        counted[field] = booked + units
      end
    end
    at = at + 7
  elseif operation == 'fence' then
    local current = read('GET', key) or ''
    if current ~= word then return { tag, 'fenced', current } end
    at = at + 3
  else -- ceiling
    local used = read('GET', key) or ''
    for c = 0, #used / 2 - 1 do
      local booked, most = cell_of(used, c), cell_of(word, c)
      if booked > most then return { tag, 'full', place, c, booked, most } end
    end
    at = at + 3
  end
  if refusal then return refusal end
  place, operation = place + 1, ARGV[at]
end

-- 2. The proof that each write can succeed: its command is allowed, and its key is of the right type; each key is
-- looked at once for each command. SET and DEL take a key of any type.
for _, run in ipairs(changed) do
  local cells, bytes = staged[run[1]], {}
  for c = run[2], run[2] + run[3] - 1 do
    bytes[#bytes + 1] = string.char(math.floor(cells[c] / 256), cells[c] % 256)
  end
  if not redis.acl_check_cmd('SETRANGE', run[1], 0, 'x') then
    refuse(run[1], 'the ACL does not allow SETRANGE')
  end
  run[2], run[3] = 2 * run[2], table.concat(bytes)
end

-- what is allowed on this key is allowed on all of the market
local anywhere = (string.match(KEYS[1] or '', '^.-}:') or '') .. '\0'
local everywhere, proven = {}, {} -- command → whether it is; key → the command it was last proven for
local appends, writes = {}, {} -- places in ARGV, each of: K, name, n, arg...
at = at + 1
while ARGV[at] do
  local key, name, count = KEYS[tonumber(ARGV[at])], ARGV[at + 1], tonumber(ARGV[at + 2])
  if name ~= 'PUBLISH' and string.byte(name) ~= FIGURE and (proven[key] ~= name or name == 'HINCRBY') then
    if everywhere[name] == nil then -- whole commands: a server may crash when asked about half a one
      everywhere[name] = redis.acl_check_cmd(name, anywhere, unpack(ARGV, at + 3, at + 2 + count))
    end
    if not (everywhere[name] or redis.acl_check_cmd(name, key, unpack(ARGV, at + 3, at + 2 + count))) then
      refuse(key, 'the ACL does not allow ' .. name)
    end
    if name == 'ZADD' or name == 'ZREM' then
      read('ZCARD', key)
    elseif name == 'XADD' then -- the first append is the first write: what it fails of, it says itself, see below
      local found = appends[1] and redis.pcall('XREAD', 'COUNT', 1, 'STREAMS', key, ENDS_SANE)
      if found and found.err then refuse(key, found.err) end
      if found then error({ err = 'EXHAUSTED ' .. tag .. ' ' .. key }) end
    elseif name == 'HINCRBY' then
      local value = read('HGET', key, ARGV[at + 3])
      local number = value and string.match(value, '^-?%d+$') and tonumber(value)
      if value and not (number and number <= MOST and number >= -MOST) then
        refuse(key, ARGV[at + 3] .. ' is no count')
      end
    elseif name == 'HSET' or name == 'HDEL' then
      read('HGET', key, ARGV[at + 3])
    elseif name == 'SADD' then
      read('SCARD', key)
    elseif name == 'XACK' then
      read('XLEN', key)
    elseif name ~= 'SET' and name ~= 'DEL' and name ~= 'PEXPIRE' then
      refuse(key, name .. ' is no write of ours')
    end
    proven[key] = name
  end
  local list = name == 'XADD' and appends or writes
  list[#list + 1] = at
  at = at + 3 + count
end

-- 3. The writes, appends first: one that fails after all is the first write, or those before it are taken back
-- (nobody has read them, for the script is not over). To ask XINFO before would cost a quarter of a commit.
local ids = {}
for i, first in ipairs(appends) do
  local key, words = KEYS[tonumber(ARGV[first])], first + 2 + ARGV[first + 2]
  local id = redis.pcall('XADD', key, unpack(ARGV, first + 3, words))
  local failed = type(id) == 'table' and id.err
  if not failed then ids[i] = id end
  if failed or string.find(id, '-', 1, true) > SANE_DASH then
    for k, each in ipairs(ids) do
      local stream = KEYS[tonumber(ARGV[appends[k]])]
      redis.pcall('XDEL', stream, each)
      if redis.call('XLEN', stream) == 0 and #redis.call('XINFO', 'GROUPS', stream) == 0 then
        redis.pcall('DEL', stream)
      end
    end
    if failed and not string.find(failed, 'exhausted', 1, true) then refuse(key, failed) end
    error({ err = 'EXHAUSTED ' .. tag .. ' ' .. key })
  end
end
for _, run in ipairs(changed) do redis.call('SETRANGE', run[1], run[2], run[3]) end
local done = { tag, 'ok' }
for _, first in ipairs(writes) do
  local name, key, words = ARGV[first + 1], KEYS[tonumber(ARGV[first])], first + 2 + ARGV[first + 2]
  if name == 'PUBLISH' then -- a hint
    redis.pcall(name, key, unpack(ARGV, first + 3, words))
  elseif string.byte(name) == FIGURE then
    local found = redis.pcall(string.sub(name, 2), key, unpack(ARGV, first + 3, words))
    if type(found) == 'table' and found.err then done[#done + 1] = key end
  else
    redis.call(name, key, unpack(ARGV, first + 3, words))
  end
end
return done
