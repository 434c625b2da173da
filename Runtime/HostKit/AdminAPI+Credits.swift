import FunctionCore
import HTTPTrigger
import Observe
import Storage
import UserData

/// Users' credits: looked at, and granted.
extension AdminAPI {
    static let creditFamilies: [Metrics.Family] = [
        .init(
            "swiftlet_credits_total",
            .counter,
            labels: ["function", "kind"],
            help: "Credits moved by the ledger: grant (of no function), hold, post, void, expire."
        ),
        .init(
            "swiftlet_credits_held",
            .gauge,
            labels: ["function"],
            help: "Credits held for jobs that have not ended."
        ),
    ]

    func credits(_ request: EndpointRequest) async -> EndpointResponse {
        await answering(request) { user in
            let limit = min(max(request.query["limit"].flatMap { Int($0) } ?? 20, 1), 500)
            let (balance, transfers) = try await host.stores.credits.statement(of: user, limit: limit)
            return [
                "user": .integer(Int64(user)), "posted": .integer(Int64(balance.posted)),
                "held": .integer(Int64(balance.held)), "available": .integer(Int64(balance.available)),
                "transfers": .array(transfers.map(\.json)),
            ]
        }
    }

    func grant(_ request: EndpointRequest) async -> EndpointResponse {
        await answering(request) { user in
            let body = try? JSON.parse(request.body)
            guard let id = body?["id"]?.stringValue, let credits = body?["credits"]?.intValue else {
                throw FunctionError.badRequest(
                    "bad_grant",
                    "send {\"id\": text, \"credits\": whole number, \"note\": text}; the same id grants once"
                )
            }
            let transfer = try await host.stores.credits.grant(
                credits,
                to: user,
                id: id,
                note: body?["note"]?.stringValue,
                now: host.clock.now
            )
            let balance = try await host.stores.credits.statement(of: user, limit: 1).balance
            return ["transfer": transfer.json, "available": .integer(Int64(balance.available))]
        }
    }

    func noteCredits(_ metrics: Metrics) {
        var held: [String: Int] = [:]
        for total in host.stores.credits.totals {
            let function = LedgerTransfer.function(of: total.account)
            metrics.set(
                "swiftlet_credits_total",
                [function, total.kind.rawValue],
                to: Double(total.credits)
            )
            guard total.kind != .grant else { continue }
            held[function, default: 0] += total.kind == .hold ? total.credits : -total.credits
        }
        for (function, credits) in held {
            metrics.set("swiftlet_credits_held", [function], to: Double(credits))
        }
    }

    private func answering(
        _ request: EndpointRequest,
        _ body: (Int) async throws -> JSON
    ) async -> EndpointResponse {
        guard let user = request.parameters["user"].flatMap({ Int($0) }) else {
            return .failure(.invalid("user", "integer", "`user` must be a whole number from 1"))
        }
        do {
            return .json(try await body(user))
        } catch let error as FunctionError {
            return .failure(error)
        } catch let error as StorageError {
            return .failure(error.functionError)
        } catch {
            let message = "the ledger cannot be reached; see the host's log"
            return .failure(FunctionError(status: 503, code: "storage_failed", message: message))
        }
    }
}

extension LedgerTransfer {
    /// The transfer as the admin API shows it.
    var json: JSON {
        var object: JSONObject = [
            "id": .string(id), "kind": .string(kind.rawValue), "credits": .integer(Int64(credits)),
            "account": .string(account), "time": .string(created.rfc3339),
        ]
        if let hold { object["hold"] = .string(hold) }
        if let note { object["note"] = .string(note) }
        return .object(object)
    }
}
