/// What happens on a stream trigger, for metrics and the log.
package enum StreamReport: Sendable, Hashable {
    /// An event was handed to the function.
    case delivered(invocation: String, entries: [String], attempt: Int)
    /// Entries are done with.
    case acked(entries: [String])
    /// Entries were acknowledged without being run, as the filter says.
    case filtered(entries: [String])
    /// How many entries there are, and what became of the others.
    case counts(StreamCounts)
    /// An event did not succeed; the entry is run again after the wait.
    case retried(entry: String, after: Duration)
    case deadLettered(entry: String, reason: String, attempts: Int)
    /// The entries' data was trimmed away before they were run: work is lost.
    case lost(entries: [String])
    /// The group was gone and was made again, from where it first began: entries may run a second time.
    case groupLost
    /// An acknowledgement or dead letter was not taken; it is sent again.
    case settleFailed(RedisError)
    case redisDown(RedisError)
    case redisUp
}
