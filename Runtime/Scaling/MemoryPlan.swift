import Invocations

/// A way of running a model with less memory, and what it costs.
///
/// The figures are rules of thumb, good for admission: a function's own measurement, stated as its `model` and
/// `inference`, is what they start from.
package enum MemoryTechnique: String, Sendable, Hashable, CaseIterable {
    /// Attention kernels that keep nothing in between: 15 % faster, and nothing lost.
    case xformers
    /// The picture is decoded in slices: 20 % less while a job runs.
    case vaeSlicing = "vae-slicing"
    /// Attention is computed in slices: 30 % less while a job runs.
    case attentionSlicing = "attention-slicing"
    /// Numbers of 16 bits: half of all.
    case fp16
    /// Numbers of fewer bits still: 40 % less for the model.
    case quantisation

    /// Percent of the model's memory that it saves.
    var ofModel: Int {
        switch self {
        case .fp16: 50
        case .quantisation: 40
        case .xformers, .vaeSlicing, .attentionSlicing: 0
        }
    }

    /// Percent of a job's memory that it saves.
    var ofInference: Int {
        switch self {
        case .fp16: 50
        case .attentionSlicing: 30
        case .vaeSlicing: 20
        case .xformers, .quantisation: 0
        }
    }

    /// How much worse the result is, in order: seen by nobody, seldom, often.
    var loss: Int {
        switch self {
        case .xformers, .vaeSlicing, .attentionSlicing: 0
        case .fp16: 1
        case .quantisation: 3
        }
    }

    /// Percent of the time that it costs; less than nothing where it is faster.
    var slowdown: Int {
        switch self {
        case .xformers: -15
        case .vaeSlicing: 5
        case .attentionSlicing: 10
        case .fp16, .quantisation: 0
        }
    }
}

/// What a model runs with, so that it fits.
package struct MemoryPlan: Sendable, Equatable {
    /// In the order of `MemoryTechnique`.
    package var techniques: [MemoryTechnique]
    /// Bytes.
    package var model: Int
    package var inference: Int
    package var size: Int { model + inference }

    init(_ techniques: [MemoryTechnique], model: Int, inference: Int) {
        self.techniques = techniques
        var (model, inference) = (model, inference)
        for technique in techniques {
            model = model * (100 - technique.ofModel) / 100
            inference = inference * (100 - technique.ofInference) / 100
        }
        self.model = model
        self.inference = inference
    }

    private var loss: Int { techniques.reduce(0) { $0 + $1.loss } }
    private var slowdown: Int { techniques.reduce(0) { $0 + $1.slowdown } }

    /// The set of techniques that loses least of those that fit into `room` bytes, and of equals the fastest;
    /// nil where none fits.
    package static func fitting(_ slot: Manifest.Slot, into room: Int) -> MemoryPlan? {
        let known = MemoryTechnique.allCases.filter { slot.techniques.contains($0.rawValue) }
        return (0..<(1 << known.count))
            .map { set in
                let chosen = known.indices.filter { set & (1 << $0) != 0 }.map { known[$0] }
                return MemoryPlan(chosen, model: slot.model, inference: slot.inference)
            }
            .filter { $0.size <= room }
            .min { ($0.loss, $0.slowdown, -$0.size) < ($1.loss, $1.slowdown, -$1.size) }
    }
}
