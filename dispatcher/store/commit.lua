#!lua
-- commit: verify everything, then write everything. It knows keys, versions and ledgers, not the business.
--
-- KEYS   every key the program names, all of one market (one hash tag, one slot); a key is named by its place
-- ARGV   a tag, repeated in the answer, so that no answer is taken for another's; then the program: checks,
--        in any order, then writes. K is a place in KEYS.
--   fence    K token                                the fence must be token
--   command  K fingerprint                          the command id must be unknown
--   version  K expected                             the document's first 4 bytes must be expected ('': no document),
--                                                   whether it is written afterwards or only relied on
--   unbook   K(used) first count units daily        what is booked must suffice to give this back
--   book     K(limit) K(used) first count units daily   used + units must stay within limit, cell by cell
--   ceiling  K(used) limit                          used must be within this new limit, cell by cell
--   write    K name n arg...                        the command `name K arg...`; writes follow all checks
--
-- A ledger is a string of cells, 16 bits each, high byte first: cell 0 counts the day, cell 1 + b is bucket b.
-- Cells beyond its end are 0. `first` is a cell; `daily` is what the day's count changes by (0: leave it alone).
--
-- Answers, each an array; c is the place (from 0) of the check that failed, among all checks:
--   {tag, 'ok'}
--   {tag, 'duplicate', answer}       this command was committed before with this fingerprint; what was kept
--   {tag, 'reused'}                  this command id came before with another fingerprint
--   {tag, 'fenced', current}         the fence is another one
--   {tag, 'stale', c, document}      another version is current: this one ('' if none)
--   {tag, 'full', c, cell, used, limit}   a booking or ceiling does not fit
--   {tag, 'broken', c, cell, used}   an unbooking would give back more than is booked: nothing is written
-- All checks precede the first write: Lua does not roll back.

local at = 0
local function arg()
  at = at + 1
  return ARGV[at]
end
local function key() return KEYS[tonumber(arg())] end
local function number() return tonumber(arg()) end

local function cell_of(raw, index) -- index counts from 0 within raw
  local high, low = string.byte(raw, 2 * index + 1, 2 * index + 2)
  return low and high * 256 + low or 0
end

local staged = {} -- used key → cell → value after the program; later checks see earlier ones
local changed = {} -- runs of cells to write: {key, first, count}

local function stage(used, first, count)
  local cells = staged[used] or {}
  staged[used] = cells
  local raw = redis.call('GETRANGE', used, 2 * first, 2 * (first + count) - 1)
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
  local raw = redis.call('GETRANGE', limit, 2 * first, 2 * (first + count) - 1)
  for c = first, first + count - 1 do
    local most = cell_of(raw, c - first)
    if cells[c] + units > most then return { 'full', 0, c, cells[c], most } end
    cells[c] = cells[c] + units
  end
end

local checks = {}

function checks.fence()
  local current, token = redis.call('GET', key()) or '', arg()
  if current ~= token then return { 'fenced', current } end
end

function checks.command()
  local known, fingerprint = redis.call('GET', key()), arg()
  if not known then return end
  if string.sub(known, 1, #fingerprint) ~= fingerprint then return { 'reused' } end
  return { 'duplicate', string.sub(known, #fingerprint + 1) }
end

function checks.version()
  local document, expected = key(), arg()
  if redis.call('GETRANGE', document, 0, 3) == expected then return end
  return { 'stale', 0, redis.call('GET', document) or '' }
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
  local used, limit = redis.call('GET', key()) or '', arg()
  for c = 0, #used / 2 - 1 do
    local booked, most = cell_of(used, c), cell_of(limit, c)
    if booked > most then return { 'full', 0, c, booked, most } end
  end
end

local tag = arg()
local place, operation = 0, arg()
while operation and operation ~= 'write' do
  local refusal = checks[operation]()
  if refusal then
    if refusal[1] == 'stale' or refusal[1] == 'full' or refusal[1] == 'broken' then refusal[2] = place end
    table.insert(refusal, 1, tag)
    return refusal
  end
  place, operation = place + 1, arg()
end

for _, run in ipairs(changed) do
  local used, first, count = run[1], run[2], run[3]
  local bytes = {}
  for c = first, first + count - 1 do
    local value = staged[used][c]
    bytes[#bytes + 1] = string.char(math.floor(value / 256), value % 256)
  end
  redis.call('SETRANGE', used, 2 * first, table.concat(bytes))
end

while operation do
  local target, name, words = key(), arg(), {}
  for i = 1, number() do words[i] = arg() end
  redis.call(name, target, unpack(words))
  operation = arg()
end
return { tag, 'ok' }
