import Glibc

/// What to start, and what the child inherits: nothing that is not named here.
package struct ChildSpec: Sendable {
    package var executable: String
    package var arguments: [String]
    package var environment: [String: String]
    package var directory: String?
    /// The child's descriptor, and the one here that it becomes.
    ///
    /// 0, 1 and 2 are /dev/null unless they are named.
    package var descriptors: [Int32: Int32] = [:]

    /// What to start: an absolute path, or a name looked up in PATH.
    ///
    /// An `environment` of nil stands for PATH, HOME and a C.UTF-8 locale alone.
    package init(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        directory: String? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment ?? ChildSpec.plainEnvironment
        self.directory = directory
    }

    /// PATH and HOME of this process and a neutral locale; read once.
    private static let plainEnvironment: [String: String] = {
        var result = ["LANG": "C.UTF-8"]
        for name in ["PATH", "HOME"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }()
}

/// How a child ended.
package enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    package var succeeded: Bool { self == .exited(0) }

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal): "signal: \(ExitStatus.name(of: signal))"
        }
    }

    /// `killed`: the system's word, in a sentence.
    private static func name(of signal: Int32) -> String {
        let name = String(cString: strsignal(signal))
        let isWord = name.dropFirst().first?.isLowercase == true
        return isWord ? name.prefix(1).lowercased() + name.dropFirst() : name
    }
}

/// Why a child could not be started.
package struct SpawnError: Error, Sendable, CustomStringConvertible {
    package let executable: String
    package let reason: String

    package init(executable: String, reason: String) {
        self.executable = executable
        self.reason = reason
    }

    package var description: String { "cannot start \(executable): \(reason)" }
}

/// The path of a program: the argument itself where it has a slash, else the first match in PATH that may be
/// executed.
package func findExecutable(_ name: String) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
