/// Why a host does not start, or a command of it fails: one sentence that names the remedy.
package struct HostError: Error, Sendable, CustomStringConvertible {
    /// The kinds, each with the exit code that it gives the process (after sysexits.h).
    package enum Code: Int32, Sendable {
        /// A part of the host failed in a way nobody foresaw.
        case failed = 70
        /// A flag, a file or a variable says something that cannot be.
        case configuration = 78
        /// A program or a service that is needed is missing.
        case unavailable = 69
        /// The data directory cannot be used.
        case dataDirectory = 73
        /// A port is taken.
        case port = 75
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
