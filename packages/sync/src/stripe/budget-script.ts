/**
 * One token bucket in Redis for all workers, timed by Redis's own clock. It fills with `perSecond × factor`; the
 * factor is halved when Stripe answers 429 (once a second at most) and recovers by 2 % a second. Background reads have
 * a second bucket of half the size, which counts while urgent reads were requested within the last two seconds: at
 * least half of the budget is for those. Returns 0, or how many ms to wait.
 */
export const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local perSecond = tonumber(ARGV[1])
local isUrgent = ARGV[2] == 'urgent'
local state = redis.call('HMGET', KEYS[1], 'at', 'tokens', 'background', 'factor', 'urgentAt', 'pausedUntil')
local at = tonumber(state[1] or now)
local elapsed = math.max(0, now - at) / 1000
local factor = math.min(1, tonumber(state[4] or 1) + elapsed * 0.02)
local rate = perSecond * factor
local tokens = math.min(math.max(1, rate), tonumber(state[2] or rate) + elapsed * rate)
local half = rate / 2
local background = math.min(math.max(1, half), tonumber(state[3] or half) + elapsed * half)
local urgentAt = tonumber(state[5] or 0)
local pausedUntil = tonumber(state[6] or 0)
if isUrgent then urgentAt = now end
local wait = 0
if now < pausedUntil then
  wait = pausedUntil - now
elseif tokens < 1 then
  wait = math.ceil((1 - tokens) / rate * 1000)
elseif not isUrgent and now - urgentAt < 2000 and background < 1 then
  wait = math.ceil((1 - background) / half * 1000)
else
  tokens = tokens - 1
  if not isUrgent then background = math.max(0, background - 1) end
end
redis.call('HSET', KEYS[1], 'at', now, 'tokens', tostring(tokens), 'background', tostring(background),
  'factor', tostring(factor), 'urgentAt', urgentAt, 'pausedUntil', pausedUntil)
redis.call('PEXPIRE', KEYS[1], 120000)
return wait`;

/** After a 429: half the rate, no token left, and no read before the pause that Stripe named is over. */
export const throttleScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'factor', 'halvedAt', 'pausedUntil', 'at')
local elapsed = math.max(0, now - tonumber(state[4] or now)) / 1000
local factor = math.min(1, tonumber(state[1] or 1) + elapsed * 0.02)
local halvedAt = tonumber(state[2] or 0)
if now - halvedAt >= 1000 then
  factor = math.max(0.05, factor / 2)
  halvedAt = now
end
local pausedUntil = math.max(tonumber(state[3] or 0), now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'at', now, 'tokens', '0', 'factor', tostring(factor), 'halvedAt', halvedAt,
  'pausedUntil', pausedUntil)
redis.call('PEXPIRE', KEYS[1], 120000)
return tostring(factor)`;

/** What of the budget is left, without taking any: the rate a second, and how many reads may be made at once. */
export const lookScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local perSecond = tonumber(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'at', 'tokens', 'factor', 'pausedUntil')
local elapsed = math.max(0, now - tonumber(state[1] or now)) / 1000
local rate = perSecond * math.min(1, tonumber(state[3] or 1) + elapsed * 0.02)
local tokens = math.min(math.max(1, rate), tonumber(state[2] or rate) + elapsed * rate)
if now < tonumber(state[4] or 0) then tokens = 0 end
return {tostring(rate), tostring(tokens)}`;
