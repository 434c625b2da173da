import Recordings

/// What a developer wants of an invocation beyond its reply: that it is kept, or that it is one of before once more.
///
/// A class, as next to no invocation has one: it takes one word of the others.
package final class Trial: Sendable {
    /// Whether a recording is kept however it ends.
    package let isRecorded: Bool
    /// What it is a repetition of.
    package let replay: ReplayScript?

    package init(isRecorded: Bool = false, replay: ReplayScript? = nil) {
        self.isRecorded = isRecorded
        self.replay = replay
    }
}
