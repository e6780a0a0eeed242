local time = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', P .. ':served', time[1] * 1000 + math.floor(time[2] / 1000), '+inf')
