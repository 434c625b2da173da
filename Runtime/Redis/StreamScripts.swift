import FunctionCore

/// What the stream source has Redis do in one step each.
///
/// KEYS of all: the stream, the dead letters, the failures by entry, the counts. ARGV[1] is the group. What is
/// counted is counted in the step that does it, by what Redis says that it did: sent twice after a lost reply,
/// it counts once.
enum StreamScripts {
    /// Makes the group where it is missing, and remembers how many entries lay before its start.
    ///
    /// ARGV: where to start, and whether the group was there before: then it begins where it first did, at the
    /// beginning where that is not known, as what was added meanwhile must not be passed over. 1 where the
    /// group was made.
    static let ensure: Bytes = """
        local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
        for _, row in ipairs(groups.err and {} or groups) do
            local group = {}
            for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
            if group['name'] == ARGV[1] then
                local read = group['entries-read']
                if read then redis.pcall('HSETNX', KEYS[4], 'before', read - group['pending']) end
                return 0
            end
        end
        local from = ARGV[2]
        if ARGV[3] == '1' then from = redis.call('HGET', KEYS[4], 'from') or '0' end
        local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
        local stream = {['entries-added'] = 0, length = 0, ['last-generated-id'] = '0-0'}
        if not info.err then for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end end
        redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], from, 'MKSTREAM')
        redis.call('DEL', KEYS[3], KEYS[4])
        redis.call('HSET', KEYS[4], 'from', from == '$' and stream['last-generated-id'] or from)
        local before = stream['entries-added']
        if from == '0' then before = before - stream['length'] end
        if from == '0' or from == '$' then redis.call('HSET', KEYS[4], 'before', before) end
        return 1
        """

    /// ARGV: how the entries ended, whether their failures are to be forgotten, their ids.
    static let acknowledge: Bytes = """
        local done = redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 4))
        if done > 0 then redis.call('HINCRBY', KEYS[4], ARGV[2], done) end
        if ARGV[3] == '1' then redis.call('HDEL', KEYS[3], unpack(ARGV, 4)) end
        return done
        """

    /// ARGV: the id, the letter's fields.
    ///
    /// A script, not MULTI: where the dead letter cannot be written (a key of the wrong type, no memory)
    /// MULTI would acknowledge the entry all the same and lose it. An entry of a group that has vanished
    /// meanwhile counts as pending: better a dead letter twice than none.
    static let deadLetter: Bytes = """
        local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
        if not pending.err and #pending == 0 then return 0 end
        redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
        if not pending.err then
            redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
            redis.call('HINCRBY', KEYS[4], 'dead', 1)
        end
        redis.call('HDEL', KEYS[3], ARGV[2])
        return 1
        """

    /// Only what is still this consumer's: an entry that another has taken over is not taken back.
    ///
    /// An XCLAIM of an entry whose data is gone takes it out of the group.
    static let renew: Bytes = """
        for i = 3, #ARGV do
            local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
            if pending[1] and pending[1][2] == ARGV[2] then
                local kept = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
                if #kept == 0 then redis.call('HINCRBY', KEYS[4], 'lost', 1) end
            end
        end
        return #ARGV - 2
        """

    /// ARGV: the consumer, the idle time, where to go on, how many.
    static let claim: Bytes = """
        local claimed = redis.call(
            'XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
        if claimed[3] and #claimed[3] > 0 then redis.call('HINCRBY', KEYS[4], 'lost', #claimed[3]) end
        return claimed
        """

    /// ARGV: how many milliseconds an entry stays that all groups are done with.
    ///
    /// Nothing goes that any group has not read, or has read and not settled.
    static let trim: Bytes = """
        local function less(a, b)
            local am, as = string.match(a, '(%d+)-(%d+)')
            local bm, bs = string.match(b, '(%d+)-(%d+)')
            am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
            return am < bm or (am == bm and as < bs)
        end
        local time = redis.call('TIME')
        local floor = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[2])
        local found = false
        for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
            local group = {}
            for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
            found = found or group['name'] == ARGV[1]
            local needed = group['last-delivered-id']
            if group['pending'] > 0 then
                needed = redis.call('XPENDING', KEYS[1], group['name'])[2]
            end
            if less(needed, floor) then floor = needed end
        end
        if not found then return 0 end
        return redis.call('XTRIM', KEYS[1], 'MINID', floor)
        """

    /// The numbers of `StreamCounts`, -1 for what Redis cannot tell.
    ///
    /// Redis loses count of a group's lag where entries are deleted; then as many as a thousand are counted by
    /// hand.
    static let counts: Bytes = """
        local kept = redis.call('HMGET', KEYS[4], 'before', 'completed', 'filtered', 'discarded', 'lost', 'dead')
        local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
        local read, pending, lag = -1, 0, 0
        for _, row in ipairs(groups.err and {} or groups) do
            local group = {}
            for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
            if group['name'] == ARGV[1] then
                read = group['entries-read'] or -1
                pending = group['pending']
                lag = group['lag']
                    or #redis.call('XRANGE', KEYS[1], '(' .. group['last-delivered-id'], '+', 'COUNT', 1000)
            end
        end
        local accepted = (kept[1] and read >= 0) and (read - kept[1]) or -1
        local counts = {accepted}
        for i = 2, 6 do counts[i] = tonumber(kept[i] or '0') end
        counts[7], counts[8] = pending, lag
        return counts
        """
}
