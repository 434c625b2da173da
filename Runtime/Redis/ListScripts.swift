import FunctionCore

/// What the list source has Redis do in one step each.
///
/// KEYS: the list, what this consumer has taken, the consumers with the server's time of their last sign of
/// life, the counts of failures by content, the dead letters. The server's clock is the only one asked, as
/// hosts' clocks differ and may be virtual.
enum ListScripts {
    /// A sign of life.
    static let prepare: Bytes = """
        local kind = redis.call('TYPE', KEYS[1]).ok
        if kind ~= 'list' and kind ~= 'none' then
            return redis.error_reply('WRONGTYPE the key of the list trigger holds a ' .. kind)
        end
        local time = redis.call('TIME')
        redis.call('HSET', KEYS[3], ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000))
        return 1
        """

    static let take: Bytes = """
        local taken = {}
        for i = 1, tonumber(ARGV[4]) do
            local value = redis.call('LMOVE', KEYS[1], KEYS[2], ARGV[2], ARGV[3])
            if not value then break end
            taken[i] = value
        end
        return taken
        """

    /// A consumer that held nothing more is forgotten.
    static let claim: Bytes = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local claimed = {}
        local takers = redis.call('HGETALL', KEYS[3])
        local prefix = string.sub(KEYS[2], 1, #KEYS[2] - #ARGV[1])
        for i = 1, #takers, 2 do
            if takers[i] ~= ARGV[1] and now - tonumber(takers[i + 1]) > tonumber(ARGV[5]) then
                local left = prefix .. takers[i]
                while #claimed < tonumber(ARGV[4]) do
                    local value = redis.call('LMOVE', left, KEYS[2], ARGV[2], ARGV[3])
                    if not value then break end
                    claimed[#claimed + 1] = value
                end
                if redis.call('EXISTS', left) == 0 then redis.call('HDEL', KEYS[3], takers[i]) end
            end
        end
        return claimed
        """

    static let failures: Bytes = """
        local counts = {}
        for i = 1, #ARGV do
            counts[i] = redis.call('HGET', KEYS[4], redis.sha1hex(ARGV[i])) or '0'
        end
        return counts
        """

    static let record: Bytes = "return redis.call('HSET', KEYS[4], redis.sha1hex(ARGV[1]), ARGV[2])"

    static let acknowledge: Bytes = """
        local removed = 0
        for i = 2, #ARGV do
            removed = removed + redis.call('LREM', KEYS[2], 1, ARGV[i])
            redis.call('HDEL', KEYS[4], redis.sha1hex(ARGV[i]))
        end
        return removed
        """

    /// What another consumer has taken over meanwhile is its own to give up.
    static let deadLetter: Bytes = """
        if not redis.call('LPOS', KEYS[2], ARGV[2]) then return 0 end
        redis.call('XADD', KEYS[5], '*', unpack(ARGV, 3))
        redis.call('LREM', KEYS[2], 1, ARGV[2])
        redis.call('HDEL', KEYS[4], redis.sha1hex(ARGV[2]))
        return 1
        """
}
