import FunctionCore

/// A failure that somebody has asked for, to see what comes of it.
package enum InjectedFault: Sendable, Hashable {
    /// What the provider of texts and images does instead of an answer.
    package enum Provider: String, Sendable, CaseIterable {
        case rateLimited = "429"
        case serverError = "500"
        /// It never answers.
        case hang
        /// Its stream ends half way, or its answer does not come.
        case cut
    }

    case provider(Provider)
    /// The worker is killed when it is about to reply, or to call.
    case workerKill

    /// Reads `provider=429` or `worker=kill`; several are separated by commas.
    /// - Throws: 400 that names what there is.
    package static func read(_ text: String) throws(FunctionError) -> [InjectedFault] {
        var faults: [InjectedFault] = []
        for word in text.split(separator: ",") {
            let word = word.filter { $0 != " " }
            let known = InjectedFault.Provider.allCases.map(InjectedFault.provider) + [.workerKill]
            guard let fault = known.first(where: { $0.text == word }) else {
                let all = known.map(\.text).joined(separator: ", ")
                throw .badRequest("unknown_fault", "there is no fault `\(word)`; there are \(all)")
            }
            faults.append(fault)
        }
        return faults
    }

    package var text: String {
        switch self {
        case .provider(let fault): "provider=\(fault.rawValue)"
        case .workerKill: "worker=kill"
        }
    }
}
