import FunctionCore

/// Hears what became of something asked of Redis, once.
typealias RedisCompletion<Value> = (Result<Value, RedisError>) -> Void

/// Where a trigger's entries come from: a stream's group, or a list.
///
/// Whatever is read stays with this consumer in Redis until it is settled, so that a host that dies loses
/// nothing.
///
/// Threading: the client's event loop, completions included.
protocol EntrySource: AnyObject {
    /// The stream's or the list's key.
    var key: String { get }
    /// Makes what has to be there before the first read; tells whether it had been there, and was gone.
    func prepare(_ completion: @escaping RedisCompletion<Bool>)
    /// Takes new entries, at most `count`; waits up to `StreamCommands.block` for the first, and gives none
    /// after that.
    func read(count: Int, _ completion: @escaping RedisCompletion<[StreamEntry]>)
    /// What this consumer took and did not settle, behind an id, `0` for the oldest; none at the end.
    func readPending(after id: String, count: Int, _ completion: @escaping RedisCompletion<[StreamDelivery]>)
    /// Takes over what lies with consumers that have not been heard of for a while.
    func claimStale(from cursor: String, count: Int, _ completion: @escaping RedisCompletion<StaleEntries>)
    /// Tells that these are still being worked on.
    func renew(_ ids: [String])
    /// Keeps an entry's number of failures.
    func record(_ id: String, failures: Int)
    /// Settles entries for good; `counted` tells whether failures were recorded that can be forgotten.
    ///
    /// Sent again, it does no more.
    func acknowledge(
        _ ids: [String],
        counted: Bool,
        as ending: StreamEnding,
        _ completion: @escaping RedisCompletion<Void>
    )
    /// Settles an entry by a dead letter, in one step: both or neither.
    func deadLetter(
        _ letter: StreamDeadLetter,
        at instant: Instant,
        _ completion: @escaping RedisCompletion<Void>
    )
    /// Removes what all groups have been done with for a while.
    func trim(keeping time: Duration)
    /// How many entries there are, and what became of the others.
    func counts(_ completion: @escaping RedisCompletion<StreamCounts>)
    /// Gives up a read under way.
    func close()
}

/// What `EntrySource.claimStale` brings.
struct StaleEntries {
    var deliveries: [StreamDelivery] = []
    /// Where to go on; `0-0` at the end.
    var cursor = "0-0"
    /// Ids whose data was gone.
    var lost: [String] = []
}

extension Result where Success == RedisValue, Failure == RedisError {
    /// The reply with an error reply made a failure.
    var accepted: Result<RedisValue, RedisError> {
        flatMap { reply in
            if case .error(let text) = reply { .failure(RedisError(refusal: text)) } else { .success(reply) }
        }
    }

    /// Success where the reply is a number, as of commands that count what they have done.
    var counted: Result<Void, RedisError> {
        accepted.flatMap { reply in
            if case .integer = reply { return .success(()) }
            return .failure(
                RedisError(.protocolError, "Redis answered with something else than a number")
            )
        }
    }
}
