-- run, producer, then for each job: job, fingerprint, once, body, payload, context
local run, producer = ARGV[1], ARGV[2]
if redis.call('GET', lease_key(run)) ~= producer then return redis.error_reply('RUNTAKEN another producer has the run') end
local answers, streams, buckets = {}, {}, {}
for at = 3, #ARGV, 6 do
  local job, fingerprint, once, body, payload, context = unpack(ARGV, at, at + 5)
  local bucket = bucket_key(run, job)
  local state = redis.call('HGET', bucket, job)
  if not state then
    local stream = streams[body]
    if not stream then
      stream = stream_key(body)
      if redis.call('EXISTS', stream) == 0 then
        redis.call('XGROUP', 'CREATE', stream, 'w', '0', 'MKSTREAM')
        redis.call('SADD', bodies_key, body)
      end
      streams[body] = stream
    end
    local id
    if context == '' then
      id = redis.call('XADD', stream, '*', 'r', run, 'k', job, 'f', fingerprint, 'o', once, 'p', payload)
    else
      id = redis.call('XADD', stream, '*', 'r', run, 'k', job, 'f', fingerprint, 'o', once, 'p', payload, 'c', context)
    end
    redis.call('HSET', bucket, job, format({ fingerprint = fingerprint, id = id, flags = '-', alone = 0, body = body }))
    if not buckets[bucket] then
      redis.call('SADD', run_key(run), bucket)
      buckets[bucket] = true
    end
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
