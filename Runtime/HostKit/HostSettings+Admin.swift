import HTTPTrigger
import Settings

extension Configuration {
    /// Who may use the admin port.
    func admin(_ problems: Problems) -> AdminAccess {
        var access = AdminAccess()
        let address = self["admin.bind"]
        if AdminAccess.isLoopback(address) || (!address.contains("/") && AddressRange(address) != nil) {
            access.bind = address
        } else {
            wrong("admin.bind", "`\(address)` is no address", "such as 127.0.0.1, 0.0.0.0 or ::", problems)
        }
        access.hosts = list("admin.hosts").map { $0.lowercased() }
        access.token = self["admin.token"]
        if !access.token.isEmpty {
            checkToken("admin.token", problems)
        } else if !access.isLocal {
            let key = access.hosts.isEmpty ? "admin.bind" : "admin.hosts"
            wrong(
                key,
                "the admin port can be reached from elsewhere, and nothing authenticates callers",
                "set admin.token, such as `openssl rand -hex 32` prints, or leave it on loopback",
                problems
            )
        }
        return access
    }

    /// The token of `key`, empty for none; one that could be guessed is a problem.
    @discardableResult
    func checkToken(_ key: String, _ problems: Problems) -> String {
        let token = self[key]
        if !token.isEmpty,
            token.utf8.count < AdminAccess.shortest || !token.utf8.allSatisfy({ (33...126).contains($0) })
        {
            wrong(
                key,
                "it is too short, or holds spaces or other signs",
                "\(AdminAccess.shortest) letters and digits or more, such as `openssl rand -hex 32` prints",
                problems
            )
        }
        return token
    }
}

extension Inheritance {
    /// A socket that is passed on has an address of its own, whatever `admin.bind` says.
    func check(_ access: AdminAccess, _ problems: Problems) {
        guard let listener = listeners["admin"], access.token.isEmpty, !Inheritance.isLocal(listener) else {
            return
        }
        problems.add(
            Problem(
                file: "admin.bind",
                message: "the socket that is passed on for the admin port can be reached from elsewhere",
                hint: "set admin.token, such as `openssl rand -hex 32` prints, or pass on one on loopback"
            )
        )
    }
}
