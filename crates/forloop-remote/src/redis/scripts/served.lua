return redis.call('ZRANGEBYSCORE', P .. ':served', now(), '+inf')
