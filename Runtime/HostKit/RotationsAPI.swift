import FunctionCore
import HTTPTrigger
import Journal
import Scheduling

/// What the admin port tells of the windows that take turns.
extension AdminAPI {
    /// Looks through what each rotation did, as the journal has it.
    func rotationAudit() async -> EndpointResponse {
        var rotations: [JSON] = []
        var isSound = true
        do {
            for plan in host.project.book.rotations.sorted(by: { $0.id < $1.id }) {
                var audit = RotationAudit(gap: plan.gap)
                for row in try await host.stores.journal.rotations.rows(of: plan.id) {
                    if let event = RotationEvent(row) { audit.take(event) }
                }
                isSound = isSound && audit.findings.isEmpty
                rotations.append([
                    "rotation": .string(plan.id), "grants": .integer(Int64(audit.grants)),
                    "late": .integer(Int64(audit.late)),
                    "findings": .array(audit.findings.map { .string($0) }),
                ])
            }
        } catch {
            let message = "the journal cannot be read: \(error)"
            return .failure(FunctionError(status: 503, code: "journal_unreadable", message: message))
        }
        return .json(["sound": .bool(isSound), "rotations": .array(rotations)])
    }
}
