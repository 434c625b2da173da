/// Decides what becomes of a channel's messages: at most once each, in the order in which they came.
///
/// Messages wait, `buffer` of them at most, until one of `concurrency` events is free to take up to `batch` of
/// them. Redis keeps nothing back for a reader that is slow, so what comes to a full buffer is dropped, and
/// counted.
struct ChannelMachine<Message> {
    let batch: Int
    let concurrency: Int
    let buffer: Int
    private var waiting: [Message] = []
    private(set) var inFlight = 0
    private(set) var dropped = 0
    private(set) var isStopped = false

    init(batch: Int, concurrency: Int, buffer: Int) {
        self.batch = batch
        self.concurrency = concurrency
        self.buffer = buffer
    }

    var isDrained: Bool { isStopped && inFlight == 0 && waiting.isEmpty }

    /// Takes a message in; false where it was dropped.
    mutating func arrived(_ message: Message) -> Bool {
        guard !isStopped, waiting.count < buffer else {
            dropped += 1
            return false
        }
        waiting.append(message)
        return true
    }

    /// The next event to be run, if one is free.
    mutating func next() -> [Message]? {
        guard inFlight < concurrency, !waiting.isEmpty else { return nil }
        let event = Array(waiting.prefix(batch))
        waiting.removeFirst(event.count)
        inFlight += 1
        return event
    }

    mutating func finished() {
        inFlight -= 1
    }

    /// Takes nothing more in; what waits is still run.
    mutating func stopped() {
        isStopped = true
    }

    /// Gives up what waits; tells how much it was.
    mutating func abandoned() -> Int {
        let count = waiting.count
        waiting = []
        dropped += count
        return count
    }
}
