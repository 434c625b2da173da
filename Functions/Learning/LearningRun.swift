import FunctionCore

/// One run of learning: search on the first 70 % of each symbol's bars, judgement on the rest, publication.
struct LearningRun: Sendable {
    private static let championKey = "model:champion"

    var context: Context
    var occasion: LearningOccasion

    /// Trains once and tells what came of it; the same is kept for `status`.
    func perform() async throws -> JSON {
        let settings = try LearningSettings(context.environment)
        var all: [GatheredBars] = []
        for symbol in settings.symbols {
            all.append(try await GatheredBars.read(symbol, until: occasion.cutoff, context))
        }
        let bars = all.filter { $0.closes.count >= settings.minBars }
        var report = head(all, settings)
        guard !bars.isEmpty else {
            report["status"] = "not_enough_bars"
            return try await finish(report)
        }
        let standing = try await context.bindings.state.get(LearningRun.championKey)
        let champion = StandingModel(standing)
        let series = bars.map {
            (series: Backtest.Series($0.closes), split: $0.split, count: $0.closes.count)
        }
        let backtest = Backtest(costBps: settings.cost)
        var search = RuleSearch()
        let ending = await search.run(
            backtest,
            on: series.map { ($0.series, 0..<$0.split - 1) },
            mayGoOn: mayGoOn
        )
        report["candidates"] = .integer(Int64(search.tried))
        report["champion"] = .string(champion.id)
        if ending == .stopped { return try await stop(report) }
        guard let best = search.best else {
            report["status"] = "kept"
            report["objections"] = ["no_candidate"]
            return try await finish(report)
        }
        let later = series.map { ($0.series, $0.split..<$0.count) }
        let test = backtest.run(best.rule, on: later)
        let standard = backtest.run(champion.rule, on: later)
        report["rule"] = try JSONCoder.json(of: best.rule)
        report["train"] = best.performance.json
        report["test"] = test.json
        report["champion_test"] = standard.json
        var objections = PromotionGate(marginBps: settings.margin).objections(to: test, against: standard)
        if best.rule == champion.rule { objections = ["same_rule"] }
        guard objections.isEmpty else {
            report["status"] = "kept"
            report["objections"] = .array(objections.map { .string($0) })
            return try await finish(report)
        }
        return try await publish(best.rule, bars, report, over: standing)
    }

    private func mayGoOn() -> Bool {
        if Task.isCancelled || context.isCancelled { return false }
        return occasion.until.map { context.now < $0 } ?? true
    }

    private func head(_ bars: [GatheredBars], _ settings: LearningSettings) -> JSONObject {
        let counts = bars.map { ($0.symbol, JSON.integer(Int64($0.closes.count))) }
        return [
            "status": .null, "last_run": .string(context.now.rfc3339),
            "window": occasion.window.map { .string($0) } ?? .null,
            "fencing_token": context.fencingToken.map { .integer(Int64(clamping: $0)) } ?? .null,
            "cutoff": .string(occasion.cutoff.rfc3339), "bars": .object(JSONObject(counts)),
            "min_bars": .integer(Int64(settings.minBars)),
        ]
    }

    /// Puts the model in the champion's place, unless another has taken it since the run began.
    private func publish(
        _ rule: CrossRule,
        _ bars: [GatheredBars],
        _ report: JSONObject,
        over standing: String?
    ) async throws -> JSON {
        var report = report
        let end = Instant(seconds: bars.map(\.end).max() ?? 0)
        let id = "ma-cross-\(rule.fast)-\(rule.slow)-\(rule.threshold)@\(end.rfc3339)"
        var model: JSONObject = [
            "id": .string(id), "kind": "ma-cross", "rule": try JSONCoder.json(of: rule),
            "published": .string(context.now.rfc3339),
        ]
        for name in ["train", "test", "champion_test", "champion", "bars"] { model[name] = report[name] }
        let text = JSON.object(model).text
        let state = context.bindings.state
        guard try await state.replace(LearningRun.championKey, expected: standing, with: text) else {
            report["status"] = "superseded"
            return try await finish(report)
        }
        try await state.append("model:history", text, keep: 20)
        report["status"] = "published"
        report["model"] = .string(id)
        context.log.info("a model was published", ["model": id])
        return try await finish(report)
    }

    private func stop(_ report: JSONObject) async throws -> JSON {
        var report = report
        report["status"] = "stopped"
        let stopped = report
        guard Task.isCancelled || context.isCancelled else { return try await finish(stopped) }
        // A task of its own, as this one's calls are given up; where the host takes no more calls, nothing is
        // lost but the note.
        _ = await Task { try? await finish(stopped) }.value
        throw CancellationError()
    }

    private func finish(_ report: JSONObject) async throws -> JSON {
        try await LearningStatus.write(report, context)
        return .object(report)
    }
}

/// The model that stands in Redis as a run begins.
struct StandingModel: Sendable {
    var id = "initial"
    var rule = CrossRule.initial

    /// Reads a model; one that is absent or unreadable counts as the initial rule, by which `trading` then
    /// decides too.
    init(_ text: String?) {
        guard let text, let json = try? JSON.parse(Bytes(text)), json["kind"]?.stringValue == "ma-cross",
            let id = json["id"]?.stringValue, let parameters = json["rule"],
            let rule = try? JSONCoder.decode(CrossRule.self, from: parameters), rule.isValid
        else { return }
        self.id = id
        self.rule = rule
    }
}
