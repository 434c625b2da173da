import Invocations
import Processes

/// The programs that services start, by the bindings that need them.
///
/// A function that was granted one finds it missing only in the middle of its work, so the host looks first.
package enum RequiredPrograms {
    private static let all = [
        (binding: "render", program: "ffmpeg", package: "ffmpeg"),
        (binding: "render", program: "ffprobe", package: "ffmpeg"),
        (binding: "speech", program: "espeak-ng", package: "espeak-ng"),
    ]

    /// - Throws: `HostError` unavailable, naming every program that is missing and the packages with them.
    package static func check(
        _ manifests: [Manifest],
        isThere: (String) -> Bool = { findExecutable($0) != nil }
    ) throws(HostError) {
        var missing: [String] = []
        var packages: [String] = []
        for need in all where !isThere(need.program) {
            let askers = manifests.filter { $0.grants(need.binding) }.map(\.name)
            if askers.isEmpty { continue }
            missing.append("\(need.program) (\(need.binding), granted to \(askers.joined(separator: ", ")))")
            if !packages.contains(need.package) { packages.append(need.package) }
        }
        guard !missing.isEmpty else { return }
        throw HostError(
            .unavailable,
            "missing: \(missing.joined(separator: ", ")); apt-get install \(packages.joined(separator: " "))"
        )
    }
}
