#!lua flags=no-writes
-- rights: which of these commands the user that we are logged in as may not use. None of them is run.
--
-- ARGV  for each command: how many words, then the words
-- Answer: the places (from 0) of those that are not allowed, or that this server does not have.

local missing, at, place = {}, 1, 0
while ARGV[at] do
  local words = {}
  for i = 1, tonumber(ARGV[at]) do words[i] = ARGV[at + i] end
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if not (known and allowed) then missing[#missing + 1] = place end
  at, place = at + #words + 1, place + 1
end
return missing
