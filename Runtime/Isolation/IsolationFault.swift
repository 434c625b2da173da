import Glibc

/// Why a means of isolation is not at hand: a sentence.
struct IsolationFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What was tried, and what the system says.
    static func system(_ what: String, _ error: Int32 = errno) -> IsolationFault {
        IsolationFault("\(what): \(String(cString: strerror(error)))")
    }
}
