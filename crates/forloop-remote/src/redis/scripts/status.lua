-- how many runs, at most; answers runs, bodies and workers
local most, time = tonumber(ARGV[1]), now()
local runs, bodies, workers = {}, {}, {}
local function facts_of(fields)
  local facts = {}
  for at = 1, #fields, 2 do facts[fields[at]] = fields[at + 1] end
  return facts
end
-- Exact for runs of some ten thousand jobs.
local function count(run)
  local buckets = redis.call('SCARD', run_key(run))
  if buckets > 1000 then return 64 * buckets end
  local jobs = 0
  for _, bucket in ipairs(redis.call('SMEMBERS', run_key(run))) do jobs = jobs + redis.call('HLEN', bucket) end
  return jobs
end
local listed = redis.call('ZRANGE', runs_key, 0, most - 1, 'WITHSCORES')
for at = 1, #listed, 2 do
  local run, expires = listed[at], tonumber(listed[at + 1])
  local left = 'never'
  if expires < math.huge then left = string.format('%d', math.max(0, expires - time)) end
  runs[#runs + 1] = { run, redis.call('EXISTS', lease_key(run)), count(run), left }
end
for _, body in ipairs(redis.call('SMEMBERS', bodies_key)) do
  local stream = stream_key(body)
  local information = redis.pcall('XINFO', 'STREAM', stream)
  if not information.err then
    local facts = facts_of(information)
    local pending = redis.pcall('XPENDING', stream, 'w')
    local held = not pending.err and pending[1] or 0
    -- Servers before version 7 do not count them.
    local completed = facts['entries-added'] and facts['entries-added'] - facts.length or -1
    local served = tonumber(redis.call('ZSCORE', P .. ':served', body) or 0) > time
    local deaths = tonumber(redis.call('HGET', deaths_key, body) or 0)
    bodies[#bodies + 1] = { body, served and 1 or 0, facts.length - held, held, completed, deaths }
    local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, 'w')
    for _, consumer in ipairs(consumers.err and {} or consumers) do
      local facts = facts_of(consumer)
      workers[#workers + 1] = { facts.name, facts.pending, facts.idle }
    end
  end
end
return { runs, bodies, workers }
