/// The account and the region that AWS's documents name, and ARNs there.
package struct LambdaPlace: Sendable, Hashable {
    /// The account's number.
    package var account: String
    /// The region's name.
    package var region: String

    package init(account: String, region: String) {
        self.account = account
        self.region = region
    }

    /// The place of a host on one's own machine: the account of AWS's own examples.
    package static let host = LambdaPlace(account: "123456789012", region: "us-east-1")

    /// `arn:aws:lambda:us-east-1:123456789012:function:NAME`, with a qualifier where one is given.
    package func arn(of function: String, qualifier: String? = nil) -> String {
        let name = "arn:aws:lambda:\(region):\(account):function:\(function)"
        return qualifier.map { "\(name):\($0)" } ?? name
    }
}
