import FunctionCore

/// What a function's workers are counted by.
package enum ScaleMetric: String, Sendable, Hashable, CaseIterable {
    /// Invocations that run.
    case inFlight
    /// Invocations that wait for a worker.
    case queueDepth
    /// Connected users: streams and sockets that are open.
    case connections
    /// Arrivals a second.
    case requestRate
    /// Percent of one core, of all workers together.
    case cpu

    /// Whether it is noisy and therefore taken as an average, with a tolerance.
    ///
    /// The others are counts: the eleventh user is one too many for a worker of ten at once, and for certain.
    package var isAveraged: Bool {
        switch self {
        case .inFlight, .requestRate, .cpu: true
        case .queueDepth, .connections: false
        }
    }
}

extension Manifest {
    /// How many workers, and by what.
    ///
    /// Without a target a pool grows by what waits, and shrinks by `idle`; a target adds workers ahead of that.
    package struct Scale: Sendable, Hashable {
        package var min: Int = 0
        package var max: Int = 4
        /// A worker idle for this long is retired, down to `min` or to what the targets ask for.
        package var idle: Duration = .seconds(60)
        /// How much of each metric one worker is meant to bear; the metric that asks for most workers wins.
        package var target: [ScaleMetric: Int] = [:]
        /// What averages are taken over.
        package var window: Duration = .seconds(30)
        /// An average this many percent off its target changes nothing.
        package var tolerance: Int = 10
        /// The number of workers falls only to the highest that was wanted within this time.
        package var stabilization: Duration = .seconds(60)
        /// For how long after a rise it does not fall.
        package var scaleDownDelay: Duration = .zero
        package var panic = Panic()

        package init() {}
    }

    /// When a burst is answered by its own short average, and nothing is taken back for a `window`.
    package struct Panic: Sendable, Hashable {
        /// Percent of the workers there are that the short average must ask for.
        package var threshold: Int = 200
        /// The short average.
        package var window: Duration = .seconds(3)

        package init() {}
    }

    /// What a worker takes of the host's capacity.
    package struct Resources: Sendable, Hashable {
        /// Thousandths of a core that are kept for it.
        package var cpu: Int = 0
        /// Bytes; nil counts `limits.memory`.
        package var memory: Int?
        /// Of named slots, such as the memory of a GPU.
        package var slots: [Slot] = []

        package init() {}
    }

    /// What a worker takes of one named slot.
    package struct Slot: Sendable, Hashable {
        package var name: String
        /// Bytes for what stays loaded.
        package var model: Int
        /// Bytes that a job takes on top.
        package var inference: Int
        /// Ways to do with less that the function knows, by name.
        package var techniques: [String]
        package var line: Int

        package init(
            name: String,
            model: Int,
            inference: Int = 0,
            techniques: [String] = [],
            line: Int = 0
        ) {
            self.name = name
            self.model = model
            self.inference = inference
            self.techniques = techniques
            self.line = line
        }
    }
}
