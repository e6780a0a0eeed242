-- worker, id, run, job, body, alone
local worker, id, run, job, body, flag = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local state = state_of(run, job)
if not state or string.sub(state, 1, 1) ~= 'P' then return 0 end
local s = parse(state)
if s.id ~= id or holder(body, id) ~= worker then return 0 end
if not has(s, flag) then
  s.flags = s.flags .. flag
  set_state(run, job, s)
end
return 1
