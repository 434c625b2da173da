import FunctionCore

extension RequestHead {
    /// All fields but for the session of the host's console, which is none of a function's business.
    ///
    /// Browsers send cookies to all ports of a host. That one is for paths below `/console`, which a function may
    /// have a route for, too.
    var functionHeaders: [Header] {
        guard target.hasPrefix("/console") else { return headers }
        return headers.compactMap { header in
            guard header.name.isHeader("cookie") else { return header }
            let kept = header.value.split(separator: ";").filter { pair in
                !pair.drop { $0 == " " }.hasPrefix("swiftlet_console")
            }
            return kept.isEmpty ? nil : Header(header.name, kept.joined(separator: ";"))
        }
    }
}
