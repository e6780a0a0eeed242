-- What all scripts share. The state of a job is a field `index.attempt` of a hash that has 64 items of its run:
--   P fingerprint(16) id flags alone body    queued, or held if the group has it pending
--   D fingerprint(16) end                    done
-- Flags: b started, a started alone, s stopped; `-` for none. `alone` counts the deaths while it was alone.
local P = KEYS[1]
local runs_key, bodies_key, deaths_key = P .. ':runs', P .. ':bodies', P .. ':deaths'
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function run_key(run) return P .. ':run:' .. run end
local function lease_key(run) return P .. ':lease:' .. run end
local function reports_key(run) return P .. ':reports:' .. run end
local function stream_key(body) return P .. ':jobs:' .. body end
local function bucket_key(run, job)
  return run_key(run) .. ':' .. string.format('%d', math.floor(tonumber(string.match(job, '^%d+')) / 64))
end
local function parse(state)
  local fingerprint, id, flags, alone, body = string.match(state, '^P(................) (%S+) (%S+) (%d+) (.*)$')
  -- What others have written is a job that nobody holds.
  if not body then return { fingerprint = string.rep('0', 16), id = '0-0', flags = '-', alone = 0, body = '' } end
  return { fingerprint = fingerprint, id = id, flags = flags, alone = tonumber(alone), body = body }
end
local function format(s)
  return 'P' .. s.fingerprint .. ' ' .. s.id .. ' ' .. s.flags .. ' ' .. s.alone .. ' ' .. s.body
end
local function has(s, flag) return string.find(s.flags, flag, 1, true) ~= nil end
local function holder(body, id)
  -- An error if there is no such stream or group.
  local pending = redis.pcall('XPENDING', stream_key(body), 'w', id, id, 1)
  return pending[1] and pending[1][2]
end
local function remove(body, ...)
  redis.pcall('XACK', stream_key(body), 'w', ...)
  redis.pcall('XDEL', stream_key(body), ...)
end
local function report(run, job, ended)
  redis.call('XADD', reports_key(run), '*', 'k', job, 'e', ended)
end
local function state_of(run, job) return redis.call('HGET', bucket_key(run, job), job) end
local function set_state(run, job, s) redis.call('HSET', bucket_key(run, job), job, format(s)) end
-- Deletes up to `most` buckets of a run, and answers whether there are more.
local function delete_run(run, most)
  for _ = 1, most do
    local bucket = redis.call('SPOP', run_key(run))
    if not bucket then
      redis.call('DEL', reports_key(run), lease_key(run))
      redis.call('ZREM', runs_key, run)
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
end
-- Ends a job that has no end, and whose entry the caller removes: what is cancelled is not known afterwards.
local function finish(run, job, s, ended)
  if ended == 'c' then
    redis.call('HDEL', bucket_key(run, job), job)
  else
    redis.call('HSET', bucket_key(run, job), job, 'D' .. s.fingerprint .. ended)
  end
  report(run, job, ended)
end
