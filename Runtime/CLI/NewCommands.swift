import ArgumentParser
import Glibc
import HostKit
import Scaffold
import Storage

/// `swiftlet new`.
struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a function, or a package of one's own.",
        subcommands: [NewFunction.self, NewProject.self]
    )
}

/// `swiftlet new function`.
struct NewFunction: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "function",
        abstract:
            "Writes a function with its manifest and its test, and enters it where functions are listed.",
        discussion: """
            Run it in the package's folder. It writes Functions/NAME/, Tests/FunctionsTests/ and, for a schedule, \
            schedules/NAME.yaml, and adds the function to Package.swift and Functions/Catalog/Catalog.swift. \
            Nothing that is there is written over. Exit code 64 where it cannot be, and then nothing has changed.
            """
    )

    @Argument(help: "Its name: lower case, words joined by a dash, such as sales-report.") var name: String
    @Option(help: "What starts it: http, redis, schedule or stream.") var template = FunctionTemplate.http
    @Option(help: "The package's folder.") var package = "."

    func run() throws {
        do {
            let name = try FunctionName(name)
            let scaffold = ScaffoldWriter(folder: package)
            let manifest = try scaffold.read("Package.swift", orElse: "run this in the folder of a package")
            let catalogue = "Functions/Catalog/Catalog.swift"
            let list = try scaffold.read(catalogue, orElse: "there is no catalogue to enter the function in")
            let files = template.files(name)
            // All is found to be right before the first byte is written.
            let edits = [
                ScaffoldFile("Package.swift", try PackageEdit.manifest(manifest, adding: name)),
                ScaffoldFile(catalogue, try PackageEdit.catalogue(list, adding: name)),
            ]
            try scaffold.refuseWhatIsThere(["Functions/\(name.module)"] + files.map(\.path))
            try scaffold.write(files + edits)
            files.forEach { print("wrote   \($0.path)") }
            print("entered in Package.swift and \(catalogue)")
            print("test it by `swift test --filter \(name.module)Tests`, run it by `swiftlet dev`")
        } catch {
            leave(64, "\(error)")
        }
    }
}

/// `swiftlet new project`.
struct NewProject: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Writes a package of one's own that depends on Swiftlet, with one function and its test.",
        discussion: """
            In its folder `swiftlet dev` builds and runs it, and `swiftlet new function` adds to it. Without \
            --swiftlet it depends on the checkout that this program was built in.
            """
    )

    @Argument(help: "The folder to make; its last part is the package's name.") var directory: String
    @Option(help: "Where Swiftlet's package is: a folder, or the URL of a repository.") var swiftlet: String?

    func run() throws {
        do {
            let folder = DataDirectory.absolute(directory)
            let name = folder.split(separator: "/").last.map(String.init) ?? ""
            let source = try source()
            let template = try ProjectTemplate(name, source)
            let scaffold = ScaffoldWriter(folder: folder)
            try scaffold.refuseWhatIsThere(["Package.swift", "Functions"])
            var files = try template.files()
            // The versions that Swiftlet was tested with.
            if case .path(let path) = source, let pins = readText("\(path)/Package.resolved") {
                files.append(ScaffoldFile("Package.resolved", pins))
            }
            try scaffold.write(files)
            files.forEach { print("wrote   \($0.path)") }
            print("now: cd \(directory) && swiftlet dev")
        } catch {
            leave(64, "\(error)")
        }
    }

    private func source() throws(ScaffoldError) -> ProjectTemplate.Source {
        if let swiftlet, swiftlet.contains("://") || swiftlet.hasPrefix("git@") { return .url(swiftlet) }
        let path = swiftlet.map { DataDirectory.absolute($0) } ?? NewProject.checkout()
        guard let path else {
            throw ScaffoldError("name Swiftlet's package by --swiftlet, a folder or a repository's URL")
        }
        guard readText("\(path)/Package.swift")?.contains("name: \"swiftlet\"") == true else {
            throw ScaffoldError("\(path) is not Swiftlet's package; name its folder or a repository's URL")
        }
        return .path(path)
    }

    /// The checkout that this program lies in, where it is built: some folders above `.build/release/swiftlet`.
    private static func checkout() -> String? {
        var folder = parent(of: programPath())
        while folder.count > 1 {
            if readText("\(folder)/Package.swift")?.contains("name: \"swiftlet\"") == true { return folder }
            folder = parent(of: folder)
        }
        return nil
    }
}

extension FunctionTemplate: ExpressibleByArgument {}

/// Files of a package.
private struct ScaffoldWriter {
    let folder: String

    func read(_ path: String, orElse remedy: String) throws(ScaffoldError) -> String {
        guard let text = readText("\(folder)/\(path)") else {
            throw ScaffoldError("there is no \(path) in \(DataDirectory.absolute(folder)); \(remedy)")
        }
        return text
    }

    func refuseWhatIsThere(_ paths: [String]) throws(ScaffoldError) {
        let found = paths.filter { access("\(folder)/\($0)", F_OK) == 0 }
        guard found.isEmpty else {
            let verb = found.count == 1 ? "is" : "are"
            throw ScaffoldError(
                "\(found.joined(separator: ", ")) \(verb) there already; nothing has been written"
            )
        }
    }

    func write(_ files: [ScaffoldFile]) throws(ScaffoldError) {
        for file in files {
            let path = "\(folder)/\(file.path)"
            do {
                try makeFolder(parent(of: path))
                // A whole file in the place of the old one, also where the disk is full.
                let draft = "\(path).new"
                let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
                guard descriptor >= 0 else { throw fileError("open", draft) }
                defer { close(descriptor) }
                try writeAll(descriptor, Array(file.content.utf8), path: draft)
                guard rename(draft, path) == 0 else { throw fileError("rename", path) }
            } catch {
                throw ScaffoldError("\(error)")
            }
        }
    }

    private func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw fileError("mkdir", path) }
        try makeFolder(parent(of: path))
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw fileError("mkdir", path) }
    }
}
