import ArgumentParser
import FunctionCore

/// `swiftlet credits`.
struct Credits: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows and grants users' credits.",
        subcommands: [Show.self, Grant.self]
    )

    /// `swiftlet credits show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what a user has, and the last transfers, newest first."
        )

        @Argument(help: "The user's number, from 1.") var user: Int
        @Option(help: "How many transfers at most.") var limit = 20
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let client = HostClient(base: address.urls().admin)
            let account = client.value("GET", "/v1/credits/\(user)?limit=\(limit)")
            if output.json { return print(account.text) }
            let (available, held) = (account["available"]?.intValue ?? 0, account["held"]?.intValue ?? 0)
            print("user \(user) has \(available) credits available, and \(held) held for jobs under way")
            for transfer in account["transfers"]?.arrayValue ?? [] {
                let words = ["time", "kind", "credits", "account", "id"].map { name -> String in
                    let value = transfer[name] ?? .null
                    return Banner.padded(value.stringValue ?? value.text, name == "time" ? 32 : 10)
                }
                print((words + [transfer["note"]?.stringValue ?? ""]).joined(separator: " "))
            }
        }
    }

    /// `swiftlet credits grant`.
    struct Grant: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a user credits.",
            discussion: "With --id a command that is repeated grants once."
        )

        @Argument(help: "The user's number, from 1.") var user: Int
        @Argument(help: "How many credits.") var credits: Int
        @Option(help: "The grant's id, such as that of a payment. Default: a new one.") var id: String?
        @Option(help: "Why, for the user's transfers.") var note: String?
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let client = HostClient(base: address.urls().admin)
            let id = id ?? String(UInt64.random(in: 0 ... .max), radix: 36)
            var body: JSONObject = ["id": .string(id), "credits": .integer(Int64(credits))]
            if let note { body["note"] = .string(note) }
            let granted = client.value("POST", "/v1/credits/\(user)/grants", body: .object(body))
            if output.json { return print(granted.text) }
            let available = granted["available"]?.intValue ?? 0
            print("granted \(credits) credits (id \(id)); user \(user) has \(available) available")
        }
    }
}
