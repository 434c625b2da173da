/// What happens on a stream trigger, for metrics and the log.
package enum StreamReport: Sendable, Hashable {
    /// An event was handed to the function.
    case delivered(invocation: String, entries: [String], attempt: Int)
    /// Entries are done with.
    case acked(entries: [String])
    /// An event did not succeed; the entry is run again after the wait.
    case retried(entry: String, after: Duration)
    case deadLettered(entry: String, reason: String, attempts: Int)
    /// The entries' data was trimmed away before they were run: work is lost.
    case lost(entries: [String])
    /// The group was gone and is made again, from the stream's beginning: entries may run a second time.
    case groupLost
    /// An acknowledgement or dead letter was not taken; it is sent again.
    case settleFailed(RedisError)
    case redisDown(RedisError)
    case redisUp
}
