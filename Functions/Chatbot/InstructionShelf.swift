import FunctionCore

/// Reads instructions at every reply, and remembers the last of each bot for when Redis is away.
actor InstructionShelf {
    /// How many bots a worker remembers; at the bound the one read longest ago makes room.
    private static let capacity = 64

    private var held: [String: Instructions] = [:]
    /// The bots in the order in which they were read, the latest last.
    private var order: [String] = []

    /// The instructions that hold for the next reply.
    /// - Throws: what `state` throws, but for its being away.
    func instructions(of bot: String, in context: Context) async throws -> Instructions {
        let fields: [String: String]
        do {
            fields = try await context.bindings.state.fields("chat:instructions:\(bot)")
        } catch let error as FunctionError where error.status == 503 {
            context.log.warning("instructions cannot be read", ["code": error.code, "bot": bot])
            guard var last = held[bot] else { return .builtIn }
            last.source = .stale
            return last
        }
        guard let instructions = Instructions(fields: fields) else {
            // They were taken away: what is remembered must not come back.
            held[bot] = nil
            order.removeAll { $0 == bot }
            return .builtIn
        }
        keep(instructions, of: bot)
        return instructions
    }

    private func keep(_ instructions: Instructions, of bot: String) {
        held[bot] = instructions
        order.removeAll { $0 == bot }
        order.append(bot)
        if order.count > InstructionShelf.capacity {
            held[order.removeFirst()] = nil
        }
    }
}
