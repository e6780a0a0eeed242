-- run, producer, then for each job: job, fingerprint, once, body, payload, context
local run, producer = ARGV[1], ARGV[2]
if redis.call('GET', lease_key(run)) ~= producer then return redis.error_reply('RUNTAKEN another producer has the run') end
local answers = {}
for at = 3, #ARGV, 6 do
  local job, fingerprint, once, body, payload, context = unpack(ARGV, at, at + 5)
  local state = state_of(run, job)
  if not state then
    local stream = stream_key(body)
    if redis.call('EXISTS', stream) == 0 then
      redis.call('XGROUP', 'CREATE', stream, 'w', '0', 'MKSTREAM')
      redis.call('SADD', bodies_key, body)
    end
    local fields = { 'r', run, 'k', job, 'f', fingerprint, 'o', once, 'p', payload }
    if context ~= '' then
      fields[11], fields[12] = 'c', context
    end
    local id = redis.call('XADD', stream, '*', unpack(fields))
    set_state(run, job, { fingerprint = fingerprint, id = id, flags = '-', alone = 0, body = body })
    redis.call('SADD', run_key(run), bucket_key(run, job))
    answers[#answers + 1] = 'P'
  elseif string.sub(state, 2, 17) ~= fingerprint then
    answers[#answers + 1] = 'X'
  elseif string.sub(state, 1, 1) == 'D' then
    answers[#answers + 1] = 'D' .. string.sub(state, 18)
  else
    answers[#answers + 1] = 'P'
  end
end
return answers
