-- worker, milliseconds, room, then each body; answers for each delivery: body, id, deliveries, fields
local worker, lease, room = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = now()
local answers = {}
redis.call('ZREMRANGEBYSCORE', P .. ':served', '-inf', time)
for at = 4, #ARGV do
  local body = ARGV[at]
  local stream = stream_key(body)
  -- An error if there is one already.
  redis.pcall('XGROUP', 'CREATE', stream, 'w', '0', 'MKSTREAM')
  redis.call('ZADD', P .. ':served', 'GT', time + lease, body)
  redis.call('SADD', bodies_key, body)
  -- Now and then: consumers that hold nothing and have been silent for long, as those of workers that have ended. One that
  -- still lives is made again when it reads.
  if math.floor(time / 1000) % 16 == 0 then
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, 'w')) do
      local facts = {}
      for field = 1, #consumer, 2 do facts[consumer[field]] = consumer[field + 1] end
      if facts.pending == 0 and facts.idle > 20 * lease then
        redis.call('XGROUP', 'DELCONSUMER', stream, 'w', facts.name)
      end
    end
  end
  local over = {}
  if #answers < room then over = redis.call('XPENDING', stream, 'w', 'IDLE', lease, '-', '+', room + 100) end
  for _, pending in ipairs(over) do
    if #answers >= room then break end
    local id, deliveries = pending[1], pending[4]
    local entry = redis.call('XRANGE', stream, id, id)[1]
    local fields = {}
    if entry then
      for field = 1, #entry[2], 2 do fields[entry[2][field]] = entry[2][field + 1] end
    end
    local run, job = fields.r, fields.k
    local is_job = run and job and string.match(job, '^%d+%.%d+$')
    local state = is_job and state_of(run, job)
    if not state or string.sub(state, 1, 1) ~= 'P' or parse(state).id ~= id then
      remove(body, id)
    else
      local s = parse(state)
      redis.call('HINCRBY', deaths_key, body, 1)
      if has(s, 'a') then s.alone = s.alone + 1 end
      local is_lost = (fields.o == '1' and has(s, 'b')) or s.alone >= 2
      if is_lost then
        finish(run, job, s, 'l')
        remove(body, id)
      elseif has(s, 's') then
        finish(run, job, s, 'c')
        remove(body, id)
      else
        s.flags = '-'
        set_state(run, job, s)
        redis.call('XCLAIM', stream, 'w', worker, 0, id)
        answers[#answers + 1] = { body, id, tostring(deliveries), entry[2] }
      end
    end
  end
end
-- A run that no producer has continued for long. A part of it now, the next one in a second.
for _, run in ipairs(redis.call('ZRANGEBYSCORE', runs_key, '-inf', time, 'LIMIT', 0, 1)) do delete_run(run, 200) end
return answers
