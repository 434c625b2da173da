import ArgumentParser
import FunctionCore

/// `swiftlet dead-letters`.
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Shows what was given up of a stream or a list, sends it again, or removes it.",
        discussion: "Dead letters of jobs are with `swiftlet jobs`."
    )

    @Argument(help: "The stream's or the list's name.") var key: String
    @Option(help: "Send this letter again; its id in the list.") var redrive: String?
    @Flag(help: "Send all letters again.") var redriveAll = false
    @Option(help: "Remove this letter for good.") var purge: String?
    @Flag(help: "Remove all letters for good.") var purgeAll = false
    @Option(help: "Of all letters, only those whose last error has this code.") var code: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func validate() throws {
        let wanted = [redrive != nil, redriveAll, purge != nil, purgeAll].count(where: { $0 })
        guard wanted < 2 else { throw ValidationError("choose one of --redrive, --purge and their -all") }
        guard code == nil || redriveAll || purgeAll else {
            throw ValidationError("--code goes with --redrive-all or --purge-all")
        }
    }

    func run() {
        let client = HostClient(base: address.urls().admin)
        let query = "key=\(encoded(key))"
        guard redrive != nil || redriveAll || purge != nil || purgeAll else {
            return show(client.value("GET", "/v1/dead-letters?\(query)"))
        }
        let which =
            (redrive ?? purge).map { "id=\(encoded($0))" }
            ?? "all=1" + (code.map { "&code=\(encoded($0))" } ?? "")
        let step = redrive != nil || redriveAll ? "redrive" : "purge"
        let answer = client.value("POST", "/v1/dead-letters/\(step)?\(query)&\(which)")
        if output.json { return print(answer.text) }
        let count = answer["redriven"]?.intValue ?? answer["purged"]?.intValue ?? 0
        print("\(count) \(step == "redrive" ? "sent again" : "removed")")
    }

    private func show(_ answer: JSON) {
        let letters = answer["letters"]?.arrayValue ?? []
        if output.json { return letters.forEach { print($0.text) } }
        for letter in letters {
            let fields = letter["fields"]
            func field(_ name: String) -> String { fields?["dead.\(name)"]?.stringValue ?? "-" }
            let head = [letter["id"]?.stringValue ?? "", field("at"), field("function")]
            let text = head.map { Banner.padded($0, 22) }.joined()
            print("\(text)\(field("attempts")) attempts  \(field("code")): \(field("message"))")
        }
        let more = (answer["count"]?.intValue ?? 0) - letters.count
        if more > 0 { print("and \(more) more") }
    }
}
