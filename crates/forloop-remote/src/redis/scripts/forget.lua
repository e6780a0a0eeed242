-- run, producer, how many buckets; answers whether there are more
local run, producer, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local held_by = redis.call('GET', lease_key(run))
if held_by and held_by ~= producer then return redis.error_reply('RUNTAKEN another producer has the run') end
for _ = 1, most do
  local bucket = redis.call('SPOP', run_key(run))
  if not bucket then
    redis.call('DEL', reports_key(run), lease_key(run))
    return 0
  end
  for _, state in ipairs(redis.call('HVALS', bucket)) do
    if string.sub(state, 1, 1) == 'P' then
      local s = parse(state)
      remove(s.body, s.id)
    end
  end
  redis.call('DEL', bucket)
end
return 1
