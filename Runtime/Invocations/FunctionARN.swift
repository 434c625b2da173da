/// Names of functions as AWS writes them.
package enum FunctionARN {
    /// The region and the account that a host on one's own machine has.
    package static let region = "us-east-1"
    package static let account = "000000000000"

    /// `arn:aws:lambda:us-east-1:000000000000:function:NAME`, with a qualifier where one is given.
    package static func of(_ function: String, qualifier: String? = nil) -> String {
        let name = "arn:aws:lambda:\(region):\(account):function:\(function)"
        return qualifier.map { "\(name):\($0)" } ?? name
    }
}
