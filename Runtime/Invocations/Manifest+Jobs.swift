import FunctionCore

extension Manifest {
    /// How the function's jobs wait for one another.
    package struct Jobs: Sendable, Hashable {
        /// Under way at once; nil for as many as the workers hold.
        package var concurrency: Int?
        /// Under way at once of one key; nil without a limit.
        package var perKey: Int?
        /// Whether the jobs of one key run one at a time and in the order of their acceptance.
        package var isOrdered = false
        /// How many are begun in a time, of the function.
        package var rate: BucketRule?
        /// How many are begun in a time, of one key.
        package var ratePerKey: BucketRule?
        /// Whether a job's key is the user who asked, where the request names none.
        package var keyIsUser = false
        /// How long a job may wait before it expires.
        package var expires: Duration?

        package init() {}

        /// What holds in the lane of a key.
        package func lane(_ key: String) -> JobLanePolicy {
            // Jobs without a key have nothing in common but their function.
            guard !key.isEmpty else { return JobLanePolicy() }
            return JobLanePolicy(perKey: isOrdered ? 1 : perKey, isOrdered: isOrdered, rate: ratePerKey)
        }
    }
}

/// What holds among the jobs of one function and one key.
package struct JobLanePolicy: Sendable, Hashable {
    /// Under way at once; nil without a limit.
    package var perKey: Int?
    package var isOrdered: Bool
    package var rate: BucketRule?

    package init(perKey: Int? = nil, isOrdered: Bool = false, rate: BucketRule? = nil) {
        self.perKey = perKey
        self.isOrdered = isOrdered
        self.rate = rate
    }
}
