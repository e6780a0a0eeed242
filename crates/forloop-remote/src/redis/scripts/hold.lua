-- run, producer, milliseconds, milliseconds after which the run expires or 'never'
local run, producer, lease, expiry = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held_by = redis.call('GET', lease_key(run))
if held_by and held_by ~= producer then return 0 end
redis.call('SET', lease_key(run), producer, 'PX', lease)
-- Not before the lease is over.
local expires = '+inf'
if expiry ~= 'never' then expires = now() + math.max(tonumber(lease), tonumber(expiry)) end
redis.call('ZADD', runs_key, expires, run)
-- Reports to another producer mean nothing to this one.
if not held_by then redis.call('DEL', reports_key(run)) end
return 1
