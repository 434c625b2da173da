import Recordings

/// What a developer wants of an invocation beyond its reply: that it is kept, or that it is one of before once more.
///
/// A class, as next to no invocation has one: it takes one word of the others.
package final class Trial: Sendable {
    /// Whether a recording is kept however it ends.
    package let isRecorded: Bool
    /// What it is a repetition of.
    package let replay: ReplayScript?
    /// What is to fail.
    package let faults: [InjectedFault]

    package init(isRecorded: Bool = false, replay: ReplayScript? = nil, faults: [InjectedFault] = []) {
        self.isRecorded = isRecorded
        self.replay = replay
        self.faults = faults
    }

    /// What the provider is to do to its requests.
    package var providerFault: InjectedFault.Provider? {
        for case .provider(let fault) in faults { return fault }
        return nil
    }
}
