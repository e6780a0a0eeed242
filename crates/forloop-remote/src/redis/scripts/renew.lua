-- worker, then for each delivery: id, run, job, body
local worker, answers = ARGV[1], {}
for at = 2, #ARGV, 4 do
  local id, run, job, body = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local state = state_of(run, job)
  local answer = 'T'
  if state and string.sub(state, 1, 1) == 'P' and holder(body, id) == worker then
    redis.call('XCLAIM', stream_key(body), 'w', worker, 0, id, 'JUSTID')
    answer = has(parse(state), 's') and 'S' or 'K'
  end
  answers[#answers + 1] = answer
end
return answers
