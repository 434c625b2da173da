extension Manifest {
    /// The program that runs a function by the Lambda Runtime API, in the place of the bundle.
    package struct Foreign: Sendable, Hashable {
        /// The program, then its arguments; a path in it is relative to `folder`.
        package var command: [String]
        /// What the program is told by `_HANDLER`; empty where the manifest names none.
        package var handler: String
        /// The function's folder: where the program starts.
        package var folder: String
        /// The line of the command in the manifest, for messages.
        package var line: Int
        /// Another where a file of the folder is.
        package var mark = ""

        package init(command: [String], handler: String = "", folder: String, line: Int = 0) {
            self.command = command
            self.handler = handler
            self.folder = folder
            self.line = line
        }

        /// The program's path, or a name without a slash, which is looked up in PATH.
        package var program: String {
            guard let name = command.first else { return "" }
            if name.hasPrefix("/") || !name.contains("/") { return name }
            return "\(folder)/\(name)"
        }
    }
}
