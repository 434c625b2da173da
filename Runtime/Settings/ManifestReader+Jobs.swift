import FunctionCore
import Invocations

extension ManifestReader {
    /// Reads `jobs`, and who is told of their ends.
    static func readJobs(_ members: [String: SettingsNode], _ manifest: inout Manifest) {
        manifest.onSuccess = members["onSuccess"].flatMap(readDestination)
        manifest.onFailure = members["onFailure"].flatMap(readDestination)
        if let node = members["jobs"] { readJobs(node, &manifest.jobs) }
    }

    private static func readJobs(_ node: SettingsNode, _ jobs: inout Manifest.Jobs) {
        let members = node.members([
            "concurrency", "perKey", "ordered", "rate", "ratePerKey", "key", "expires",
        ])
        jobs.concurrency = members["concurrency"]?.integer(1...100_000)
        jobs.perKey = members["perKey"]?.integer(1...100_000)
        jobs.isOrdered = members["ordered"]?.flag() ?? false
        jobs.rate = members["rate"].flatMap(readPace)
        jobs.ratePerKey = members["ratePerKey"].flatMap(readPace)
        jobs.keyIsUser = members["key"]?.word(["none", "user"]) == "user"
        jobs.expires = members["expires"]?.duration(.seconds(1) ... .seconds(365 * 86_400))
        if jobs.isOrdered, let perKey = jobs.perKey, perKey > 1 {
            members["perKey"]?.wrong(
                "an ordered function runs one job of a key at a time",
                hint: "remove perKey, or set ordered: false"
            )
        }
    }

    /// `10/s` as the measures of a bucket that holds as many as come in its time.
    private static func readPace(_ node: SettingsNode) -> BucketRule? {
        guard let text = node.string() else { return nil }
        guard let (count, window) = parseRate(text) else {
            node.wrong("`\(text)` is no rate", hint: "such as 10/s, 100/m or 5/30s")
            return nil
        }
        let interval = window.nanoseconds / 1000 / Int64(count)
        guard interval >= 100, window <= .seconds(7 * 86_400) else {
            node.wrong("`\(text)` is out of range", hint: "at most 10000/s, in at most 7d")
            return nil
        }
        return BucketRule(interval: interval, burst: Int64(count))
    }
}
