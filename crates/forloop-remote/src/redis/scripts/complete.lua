-- worker, then for each delivery: id, run, job, body, end
local worker = ARGV[1]
for at = 2, #ARGV, 5 do
  local id, run, job, body, ended = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local state = state_of(run, job)
  if state and string.sub(state, 1, 1) == 'P' then
    local s = parse(state)
    -- An outcome counts, from any worker; only who holds a job may cancel it.
    if ended ~= 'c' then
      finish(run, job, s, ended)
      remove(body, id)
    elseif s.id == id and holder(body, id) == worker then
      finish(run, job, s, ended)
    end
  else
    remove(body, id)
  end
end
return 0
