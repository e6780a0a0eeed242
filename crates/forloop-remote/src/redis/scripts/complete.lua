-- worker, then for each delivery: id, run, job, body, end
local worker = ARGV[1]
-- The entries to remove, by body: one call for many is a third of the time of a call for each.
local entries = {}
local function remove_later(body, id)
  local ids = entries[body]
  if not ids then
    ids = {}
    entries[body] = ids
  end
  ids[#ids + 1] = id
end
for at = 2, #ARGV, 5 do
  local id, run, job, body, ended = unpack(ARGV, at, at + 4)
  local state = state_of(run, job)
  if state and string.sub(state, 1, 1) == 'P' then
    local s = parse(state)
    -- An outcome counts, from any worker; only who holds a job may cancel it.
    if ended ~= 'c' then
      finish(run, job, s, ended)
      remove_later(body, id)
      -- Alone: an id that another client has written may be none, and fails its call.
      if s.id ~= id or s.body ~= body then remove(s.body, s.id) end
    elseif s.id == id and holder(body, id) == worker then
      finish(run, job, s, ended)
      remove_later(body, id)
    end
  else
    remove_later(body, id)
  end
end
for body, ids in pairs(entries) do remove(body, unpack(ids)) end
return 0
