-- run, producer, how many buckets; answers whether there are more
local run, producer, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local held_by = redis.call('GET', lease_key(run))
if held_by and held_by ~= producer then return redis.error_reply('RUNTAKEN another producer has the run') end
return delete_run(run, most)
