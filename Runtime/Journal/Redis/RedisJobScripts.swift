import FunctionCore

/// What the Redis engine has its server do in one step each.
///
/// KEYS[1] is the name before all keys of the journal; its hash tag keeps them in one slot. Nothing is
/// decided here: what becomes of a job is decided by its host, which sends it with what it has read, and
/// finds it refused where that has changed. What stays here is the index of open lanes, as it follows from
/// numbers that others change as well.
enum RedisJobScripts {
    /// Writes, where all that was read is still so; else nothing, and replies which guard did not hold.
    ///
    /// ARGV: the instant in microseconds; the count of guards, each of four words: `is`, a key, a field, its
    /// text, empty for none, or `below`, a key, a field, a number; then steps, each with the count of its
    /// words. A step is a word of `steps` or a command. Replies 0 and the numbers of the jobs that were made.
    static let commit = RedisScript(
        lanes + """
            local i = 3
            for guard = 1, tonumber(ARGV[2]) do
                local found = redis.call('HGET', ARGV[i + 1], ARGV[i + 2]) or ''
                if ARGV[i] == 'is' then
                    if found ~= ARGV[i + 3] then return {guard} end
                elseif tonumber(found == '' and '0' or found) >= tonumber(ARGV[i + 3]) then
                    return {guard}
                end
                i = i + 4
            end
            local reply, turn = {0}, nil
            local steps = {}
            -- function, key, held and later jobs that come to it
            steps.lane = function(s) settle(s[2], s[3], s[4], s[5]) end
            -- function, key, whether it holds for a lane that is there, at once, interval, burst
            steps.enter = function(s)
                local lane = base .. ':lane:' .. s[2] .. ':' .. s[3]
                local last = tonumber(redis.call('GET', base .. ':turn') or 0)
                local isNew = redis.call('HSETNX', lane, 'turn', string.format('%016.0f', last))
                if isNew == 1 then redis.call('SADD', base .. ':lanes:' .. s[2], s[3]) end
                if isNew == 0 and s[4] ~= '1' then return end
                for n, field in ipairs({'perKey', 'interval', 'burst'}) do
                    if s[4 + n] == '' then
                        redis.call('HDEL', lane, field)
                    else
                        redis.call('HSET', lane, field, s[4 + n])
                    end
                end
            end
            -- function, key, when its bucket is full, until when it rests or 0, whether its turn is over
            steps.serve = function(s)
                local lane = base .. ':lane:' .. s[2] .. ':' .. s[3]
                if s[6] == '1' then
                    turn = turn or string.format('%016.0f', redis.call('INCR', base .. ':turn'))
                    redis.call('HSET', lane, 'turn', turn)
                end
                redis.call('HSET', lane, 'fullAt', s[4])
                if s[5] ~= '0' then
                    redis.call('HSET', lane, 'freeAt', s[5])
                    redis.call('ZADD', base .. ':resting:' .. s[2], s[5], s[3])
                end
            end
            -- id, function, owner, state, what stands before and behind its number in its lane's order, its
            -- lane's ready jobs or nothing, its fields
            steps.insert = function(s)
                local number = redis.call('INCR', base .. ':seq')
                local job = base .. ':job:' .. s[2]
                local member = s[6] .. string.format('%019.0f', number) .. s[7]
                redis.call('HSET', job, 'number', number, 'member', member, unpack(s, 9))
                redis.call('SADD', base .. ':functions', s[3])
                redis.call('ZADD', base .. ':in:' .. s[3] .. ':' .. s[5], number, s[2])
                if s[4] ~= '' then redis.call('ZADD', base .. ':owner:' .. s[4], number, s[2]) end
                if s[8] ~= '' then redis.call('ZADD', s[8], 0, member) end
                reply[#reply + 1] = number
            end
            -- the job, its id, fields of a delivery
            steps.deliver = function(s)
                local number = redis.call('INCR', base .. ':deliveries:seq')
                redis.call('HSET', base .. ':delivery:' .. number, 'number', number, unpack(s, 3))
                redis.call('ZADD', base .. ':deliveries', ARGV[1], number)
                redis.call('ZADD', base .. ':told:' .. s[2], number, number)
            end
            -- id: what was given up to tell of it
            steps.forget = function(s)
                for _, number in ipairs(redis.call('ZRANGE', base .. ':told:' .. s[2], 0, -1)) do
                    if redis.call('SREM', base .. ':deliveries:dead', number) == 1 then
                        redis.call('DEL', base .. ':delivery:' .. number)
                        redis.call('ZREM', base .. ':told:' .. s[2], number)
                    end
                end
            end
            -- a key, a field, its text: deletes the key where it is so
            steps.free = function(s)
                if redis.call('HGET', s[2], s[3]) == s[4] then redis.call('DEL', s[2]) end
            end
            -- an idempotency key, the job, those under way
            steps.bind = function(s)
                if redis.call('EXISTS', s[2]) == 0 then return end
                redis.call('HSET', s[2], 'job', s[3])
                redis.call('SREM', s[4], s[2])
            end
            while i <= #ARGV do
                local words = {}
                for n = 1, tonumber(ARGV[i]) do words[n] = ARGV[i + n] end
                i = i + #words + 1
                local step = steps[words[1]]
                if step then step(words) else redis.call(unpack(words)) end
            end
            return reply
            """
    )

    /// Puts what has become due into its lane, opens lanes that have rested, and replies which are open.
    ///
    /// ARGV: the instant in microseconds, then functions, each with how many lanes are of use. Replies of
    /// each function that has any: its name, then of each lane with the highest priority its key, its head,
    /// turn, jobs under way, their limit, its rate and when its bucket is full.
    static let prepare = RedisScript(
        lanes + """
            local reply = {}
            for i = 2, #ARGV, 2 do
                local fn = ARGV[i]
                local later = base .. ':later:' .. fn
                for _, id in ipairs(redis.call('ZRANGE', later, '-inf', now, 'BYSCORE', 'LIMIT', 0, 256)) do
                    local job = base .. ':job:' .. id
                    local at = redis.call('HMGET', job, 'lane', 'member', 'state', 'ordered')
                    redis.call('ZREM', later, id)
                    redis.call('HSET', job, 'ready', 1)
                    redis.call('HINCRBY', job, 'v', 1)
                    redis.call('ZADD', base .. ':ready:' .. fn .. ':' .. at[1], 0, at[2])
                    local isHeld = at[3] == 'retry_wait' and at[4] == '1'
                    settle(fn, at[1], isHeld and -1 or 0, isHeld and 0 or -1)
                end
                local resting = base .. ':resting:' .. fn
                for _, key in ipairs(redis.call('ZRANGE', resting, '-inf', now, 'BYSCORE')) do
                    redis.call('ZREM', resting, key)
                    redis.call('HDEL', base .. ':lane:' .. fn .. ':' .. key, 'freeAt')
                    settle(fn, key, 0, 0)
                end
                local open, head = {fn}, nil
                for _, place in ipairs(redis.call('ZRANGE', base .. ':open:' .. fn, 0, ARGV[i + 1] - 1)) do
                    head = head or string.sub(place, 1, 1)
                    if string.sub(place, 1, 1) ~= head then break end
                    local key = string.sub(place, 18)
                    local lane = redis.call('HMGET', base .. ':lane:' .. fn .. ':' .. key,
                        'turn', 'held', 'perKey', 'interval', 'burst', 'fullAt')
                    open[#open + 1] = {key, head, unpack(lane, 1, 6)}
                end
                if #open > 1 then reply[#reply + 1] = open end
            end
            return reply
            """
    )

    /// The first ready jobs of lanes, of one priority each: all their fields.
    ///
    /// ARGV: of each lane its ready jobs' key, the priority as it stands in their order, and how many.
    static let heads = RedisScript(
        """
        local base, reply = KEYS[1], {}
        for i = 1, #ARGV, 3 do
            local jobs = {}
            for _, member in ipairs(redis.call('ZRANGE', ARGV[i], 0, ARGV[i + 2] - 1)) do
                if string.sub(member, 1, 1) == ARGV[i + 1] then
                    jobs[#jobs + 1] = redis.call('HGETALL', base .. ':job:' .. string.sub(member, 41))
                end
            end
            reply[#reply + 1] = jobs
        end
        return reply
        """
    )

    /// Moves the ends of leases.
    ///
    /// ARGV: the new end in nanoseconds and microseconds, then ids and tokens. Replies the ids of those that are not held so.
    static let renew = RedisScript(
        """
        local base, lost = KEYS[1], {}
        for i = 3, #ARGV, 2 do
            local job = base .. ':job:' .. ARGV[i]
            if redis.call('HGET', job, 'lease') == ARGV[i + 1] then
                redis.call('HSET', job, 'leaseUntil', ARGV[1])
                redis.call('HINCRBY', job, 'v', 1)
                redis.call('ZADD', base .. ':running', ARGV[2], ARGV[i])
            else
                lost[#lost + 1] = ARGV[i]
            end
        end
        return lost
        """
    )

    /// Deliveries whose time has come, put out of sight.
    ///
    /// ARGV: the instant, until when, how many.
    static let deliveries = RedisScript(
        """
        local base, reply = KEYS[1], {}
        local due = base .. ':deliveries'
        for _, number in ipairs(redis.call('ZRANGE', due, '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
            redis.call('ZADD', due, ARGV[2], number)
            reply[#reply + 1] = redis.call('HGETALL', base .. ':delivery:' .. number)
        end
        return reply
        """
    )

    /// All numbers of one instant: the jobs that were ever made, those running, the counters, and of each
    /// function how many are in each state, and what its lanes say.
    ///
    /// A function with more than 10,000 lanes is spared that count, as the server stands still meanwhile.
    static let audit = RedisScript(
        """
        local base = KEYS[1]
        local reply = {
            tonumber(redis.call('GET', base .. ':seq') or 0), redis.call('ZCARD', base .. ':running'),
            redis.call('HGETALL', base .. ':counts')
        }
        for _, fn in ipairs(redis.call('SMEMBERS', base .. ':functions')) do
            local line = {fn, -1, -1, redis.call('ZCARD', base .. ':later:' .. fn)}
            local lanes = base .. ':lanes:' .. fn
            if redis.call('SCARD', lanes) <= 10000 then
                local ready, held = 0, 0
                for _, key in ipairs(redis.call('SMEMBERS', lanes)) do
                    ready = ready + redis.call('ZCARD', base .. ':ready:' .. fn .. ':' .. key)
                    for _, n in ipairs(redis.call('HMGET', base .. ':lane:' .. fn .. ':' .. key, 'held', 'later')) do
                        held = held + tonumber(n or 0)
                    end
                end
                line[2], line[3] = ready, held
            end
            for _, state in ipairs(ARGV) do
                line[#line + 1] = redis.call('ZCARD', base .. ':in:' .. fn .. ':' .. state)
            end
            reply[#reply + 1] = line
        end
        return reply
        """
    )

    /// Brings a lane's place among the open ones up to date with its numbers; forgets an empty lane, of which
    /// nothing needs to be remembered.
    private static let lanes = """
        local base, now = KEYS[1], ARGV[1]
        local function settle(fn, key, held, later)
            local name = fn .. ':' .. key
            local lane, open = base .. ':lane:' .. name, base .. ':open:' .. fn
            held = redis.call('HINCRBY', lane, 'held', held)
            later = redis.call('HINCRBY', lane, 'later', later)
            local known = redis.call('HMGET', lane, 'perKey', 'freeAt', 'turn', 'place', 'fullAt')
            local first = redis.call('ZRANGE', base .. ':ready:' .. name, 0, 0)[1]
            local place = false
            if first and not known[2] and (not known[1] or held < tonumber(known[1])) then
                place = string.sub(first, 1, 1) .. known[3] .. key
            end
            if place ~= known[4] then
                if known[4] then redis.call('ZREM', open, known[4]) end
                if place then
                    redis.call('ZADD', open, 0, place)
                    redis.call('HSET', lane, 'place', place)
                else
                    redis.call('HDEL', lane, 'place')
                end
            end
            if first or held > 0 or later > 0 then return end
            if tonumber(known[5] or 0) > tonumber(now) then
                redis.call('ZADD', base .. ':spent', known[5], name)
            else
                redis.call('DEL', lane)
                redis.call('ZREM', base .. ':spent', name)
                redis.call('ZREM', base .. ':resting:' .. fn, key)
                redis.call('SREM', base .. ':lanes:' .. fn, key)
            end
        end

        """
}
