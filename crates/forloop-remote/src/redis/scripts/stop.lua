-- run, then each job
local run, answers = ARGV[1], {}
for at = 2, #ARGV do
  local job = ARGV[at]
  local state = state_of(run, job)
  if not state then
    answers[#answers + 1] = 'n'
  elseif string.sub(state, 1, 1) == 'D' then
    answers[#answers + 1] = string.sub(state, 18)
  else
    local s = parse(state)
    if holder(s.body, s.id) then
      if not has(s, 's') then
        s.flags = s.flags .. 's'
        set_state(run, job, s)
      end
      answers[#answers + 1] = ''
    else
      redis.call('HDEL', bucket_key(run, job), job)
      remove(s.body, s.id)
      answers[#answers + 1] = 'n'
    end
  end
end
return answers
