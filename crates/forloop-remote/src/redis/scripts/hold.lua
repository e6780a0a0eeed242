-- run, producer, milliseconds
local run, producer, lease = ARGV[1], ARGV[2], ARGV[3]
local held_by = redis.call('GET', lease_key(run))
if held_by and held_by ~= producer then return 0 end
redis.call('SET', lease_key(run), producer, 'PX', lease)
-- Reports to another producer mean nothing to this one.
if not held_by then redis.call('DEL', reports_key(run)) end
return 1
