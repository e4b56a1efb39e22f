#!lua
-- commit: verify everything, then write everything. It knows keys, versions and ledgers, not the business.
--
-- KEYS   every key the program names, all of one market (one hash tag, one slot); a key is named by its place
-- ARGV   a tag, repeated in the answer, so that no answer is taken for another's; then the program: checks,
--        in any order, then writes. K is a place in KEYS.
--   fence    K token                                the fence number must be token
--   command  K fingerprint                          the command id must be unknown
--   version  K expected                             the document's first 4 bytes must be expected ('': no document),
--                                                   whether it is written afterwards or only relied on
--   unbook   K(used) first count units daily        what is booked must suffice to give this back
--   book     K(limit) K(used) first count units daily   used + units must stay within limit, cell by cell
--   ceiling  K(used) limit                          used must be within this new limit, cell by cell
--   write    K name n arg...                        the command `name K arg...`; writes follow all checks.
--                                                   PUBLISH is a hint: where it is not allowed, none is given
--
-- A ledger is a string of cells, 16 bits each, high byte first: cell 0 counts the day, cell 1 + b is bucket b.
-- Cells beyond its end are 0. `first` is a cell; `daily` is what the day's count changes by (0: leave it alone).
--
-- Answers, each an array; c is the place (from 0) of the check that failed, among all checks:
--   {tag, 'ok'}
--   {tag, 'duplicate', answer}       this command was committed before with this fingerprint; what was kept
--   {tag, 'reused'}                  this command id came before with another fingerprint
--   {tag, 'fenced', current}         the fence number has moved on
--   {tag, 'stale', c, document}      another version is current: this one ('' if none)
--   {tag, 'full', c, cell, used, limit}   a booking or ceiling does not fit
--   {tag, 'broken', c, cell, used}   an unbooking would give back more than is booked
--   {tag, 'unwritable', key, reason}   a key of another type, a count that is none, a command not allowed
--   {tag, 'exhausted', key}          a stream whose ids are used up: see replace_stream.lua
-- All checks precede the first write, and so does the proof that each write can succeed: Lua does not roll
-- back. Memory, disk and role need no proof: the server looks at them before it starts a script that may write.

local at = 0
local function arg()
  at = at + 1
  return ARGV[at]
end
local function key() return KEYS[tonumber(arg())] end
local function number() return tonumber(arg()) end

local function refuse(name, reason) error({ 'unwritable', name, reason }) end

local function read(command, name, ...) -- as redis.call, but a failure names the key
  local found = redis.pcall(command, name, ...)
  if type(found) == 'table' and found.err then refuse(name, found.err) end
  return found
end

local function cell_of(raw, index) -- index counts from 0 within raw
  local high, low = string.byte(raw, 2 * index + 1, 2 * index + 2)
  return low and high * 256 + low or 0
end

local staged = {} -- used key → cell → value after the program; later checks see earlier ones
local changed = {} -- runs of cells to write: {key, first, count}

local function stage(used, first, count)
  local cells = staged[used] or {}
  staged[used] = cells
  local raw = read('GETRANGE', used, 2 * first, 2 * (first + count) - 1)
  for i = 0, count - 1 do
    cells[first + i] = cells[first + i] or cell_of(raw, i)
  end
  changed[#changed + 1] = { used, first, count }
  return cells
end

local function give_back(used, first, count, units)
  local cells = stage(used, first, count)
  for c = first, first + count - 1 do
    if cells[c] < units then return { 'broken', 0, c, cells[c] } end
    cells[c] = cells[c] - units
  end
end

local function book(limit, used, first, count, units)
  local cells = stage(used, first, count)
  local raw = read('GETRANGE', limit, 2 * first, 2 * (first + count) - 1)
  for c = first, first + count - 1 do
    local most = cell_of(raw, c - first)
    if cells[c] + units > most then return { 'full', 0, c, cells[c], most } end
    cells[c] = cells[c] + units
  end
end

local checks = {}

function checks.fence()
  local current, token = read('GET', key()) or '', arg()
  if current ~= token then return { 'fenced', current } end
end

function checks.command()
  local known, fingerprint = read('GET', key()), arg()
  if not known then return end
  if string.sub(known, 1, #fingerprint) ~= fingerprint then return { 'reused' } end
  return { 'duplicate', string.sub(known, #fingerprint + 1) }
end

function checks.version()
  local document, expected = key(), arg()
  if read('GETRANGE', document, 0, 3) == expected then return end
  return { 'stale', 0, read('GET', document) or '' }
end

function checks.unbook()
  local used, first, count, units, daily = key(), number(), number(), number(), number()
  local refusal = give_back(used, first, count, units)
  if refusal or daily == 0 then return refusal end
  return give_back(used, 0, 1, daily)
end

function checks.book()
  local limit, used, first, count, units, daily = key(), key(), number(), number(), number(), number()
  local refusal = book(limit, used, first, count, units)
  if refusal or daily == 0 then return refusal end
  return book(limit, used, 0, 1, daily)
end

function checks.ceiling()
  local used, limit = read('GET', key()) or '', arg()
  for c = 0, #used / 2 - 1 do
    local booked, most = cell_of(used, c), cell_of(limit, c)
    if booked > most then return { 'full', 0, c, booked, most } end
  end
end

-- How it is known that a write can succeed, each key looked at once for each command. A command that is not
-- listed is refused. SET and DEL take a key of any type.
local SANE = '999999999999999-18446744073709551615' -- no clock gives a later stream id before the year 33658
local MOST = 2 ^ 52 -- numbers beyond cannot be told apart here; the server's own limit is 2^63
local proofs = { SET = false, DEL = false, PEXPIRE = false, SETRANGE = false }
function proofs.ZADD(target) read('ZCARD', target) end
proofs.ZREM = proofs.ZADD
function proofs.SADD(target) read('SCARD', target) end
function proofs.XACK(target) read('XLEN', target) end

function proofs.HINCRBY(target, field)
  local count = read('HGET', target, field)
  if not count then return end
  local value = string.match(count, '^-?%d+$') and tonumber(count)
  if not value or value > MOST or value < -MOST then refuse(target, field .. ' is no count') end
end

-- A last id that was set without an entry (XSETID) is not seen here, but XINFO would cost half a commit: so
-- the appends are the first writes, and `append` takes them back.
function proofs.XADD(target)
  local found = redis.pcall('XREAD', 'COUNT', 1, 'STREAMS', target, SANE)
  if not found then return end
  if found.err then refuse(target, found.err) end
  error({ 'exhausted', target })
end

local proven = {} -- key → the command it was last proven for
local function prove(write) -- whole: a server may crash when it is asked about a command without its arguments
  local name, target = write[1], write[2]
  local proof = proofs[name]
  if proof == nil then refuse(target, name .. ' is no write of ours') end
  if proven[target] == name and name ~= 'HINCRBY' then return end
  if not redis.acl_check_cmd(unpack(write)) then refuse(target, 'the ACL does not allow ' .. name) end
  if proof then proof(target, write[3]) end
  proven[target] = name
end

local place, appends, writes = 0, {}, {}

local function check(operation) -- all checks, until one fails; the first operation that is none
  while operation and operation ~= 'write' do
    local refusal = checks[operation]()
    if refusal then
      if refusal[1] == 'stale' or refusal[1] == 'full' or refusal[1] == 'broken' then refusal[2] = place end
      error(refusal)
    end
    place, operation = place + 1, arg()
  end
  return operation
end

local function stage_ledgers()
  for _, run in ipairs(changed) do
    local used, first, count = run[1], run[2], run[3]
    local bytes = {}
    for c = first, first + count - 1 do
      local value = staged[used][c]
      bytes[#bytes + 1] = string.char(math.floor(value / 256), value % 256)
    end
    writes[#writes + 1] = { 'SETRANGE', used, 2 * first, table.concat(bytes) }
    prove(writes[#writes])
  end
end

local function stage_writes(operation)
  while operation do
    local target, name = key(), arg()
    local write = { name, target }
    for i = 1, number() do write[i + 2] = arg() end
    if name ~= 'PUBLISH' then prove(write) end
    local list = name == 'XADD' and appends or writes
    list[#list + 1] = write
    operation = arg()
  end
end

local function take_back(ids) -- nobody has read them: the script is not over
  for i, id in ipairs(ids) do
    local stream = appends[i][2]
    redis.pcall('XDEL', stream, id)
    if redis.call('XLEN', stream) == 0 and #redis.call('XINFO', 'GROUPS', stream) == 0 then
      redis.pcall('DEL', stream)
    end
  end
end

local function append()
  local ids = {}
  for i, write in ipairs(appends) do
    local id = redis.pcall(unpack(write))
    if type(id) == 'table' then
      take_back(ids)
      if string.find(id.err, 'exhausted', 1, true) then error({ 'exhausted', write[2] }) end
      refuse(write[2], id.err)
    end
    ids[i] = id
    if string.find(id, '-', 1, true) > 16 then -- more than 15 digits: see SANE
      take_back(ids)
      error({ 'exhausted', write[2] })
    end
  end
end

local function verify_and_append()
  local operation = check(arg())
  stage_ledgers()
  stage_writes(operation)
  append()
end

local tag = arg()
local fine, refusal = pcall(verify_and_append)
if not fine then
  if type(refusal) ~= 'table' or not refusal[1] then error(refusal) end -- a fault of the program: nothing is written
  table.insert(refusal, 1, tag)
  return refusal
end
for _, write in ipairs(writes) do
  if write[1] == 'PUBLISH' then redis.pcall(unpack(write)) else redis.call(unpack(write)) end
end
return { tag, 'ok' }
