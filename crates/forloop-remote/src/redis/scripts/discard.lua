-- body, then each id: entries that are no jobs
for at = 2, #ARGV do
  remove(ARGV[1], ARGV[at])
  redis.call('XADD', P .. ':dead', 'MAXLEN', '~', 1000, '*', 'body', ARGV[1], 'id', ARGV[at])
end
return 0
