/// Which scenes there are to be, how long each lasts and how many words it may have.
///
/// Time is counted in deciseconds, as integers, so that the scenes add up to the length asked for exactly.
struct ScenePlan: Sendable {
    /// One scene to be written.
    struct Scene: Sendable, Hashable {
        var beat: String
        var purpose: String
        var deciseconds: Int

        /// The words to aim at.
        var words: Int { max(1, (deciseconds * ScenePlan.wordsPerMinute + 300) / 600) }
        /// The words that are still accepted: 30 % off, which a change of the voice's pace makes good.
        var accepted: ClosedRange<Int> { ScenePlan.around(words, percent: 30) }
    }

    /// The pace of a calm narrator.
    static let wordsPerMinute = 150
    /// A shorter scene cannot be followed.
    static let shortestScene = 30
    /// How long a scene is at least on average, where nobody asks for a number of scenes.
    private static let comfortableScene = 50
    /// As many as the renderer is given at most, without asking for more memory than a film is worth.
    static let mostScenes = 40

    let scenes: [Scene]

    /// A plan over `structure` of `count` scenes; nil for one a beat, or fewer where the time is short.
    ///
    /// The caller has checked that `count` scenes of `shortestScene` fit.
    init(_ structure: PlotStructure, deciseconds: Int, count: Int?) {
        let fitting = max(1, deciseconds / ScenePlan.comfortableScene)
        let beats = ScenePlan.beats(structure.beats, count: count ?? min(structure.beats.count, fitting))
        let lengths = ScenePlan.allot(deciseconds, by: beats.map(\.share), least: ScenePlan.shortestScene)
        scenes = zip(beats, lengths).map { Scene(beat: $0.name, purpose: $0.purpose, deciseconds: $1) }
    }

    /// The words to aim at in all.
    var words: Int { scenes.map(\.words).reduce(0, +) }

    /// The words that are accepted in all: 10 % off.
    var accepted: ClosedRange<Int> { ScenePlan.around(words, percent: 10) }

    private static func around(_ words: Int, percent: Int) -> ClosedRange<Int> {
        (words * (100 - percent) / 100)...((words * (100 + percent) + 99) / 100)
    }

    /// `count` beats: neighbours joined where there are too many, the longest ones in parts where there are
    /// too few.
    private static func beats(_ beats: [PlotStructure.Beat], count: Int) -> [PlotStructure.Beat] {
        var joined = beats
        while joined.count > max(1, count) {
            let sums = joined.indices.dropLast().map { joined[$0].share + joined[$0 + 1].share }
            guard let least = sums.indices.min(by: { sums[$0] < sums[$1] }) else { break }
            let second = joined.remove(at: least + 1)
            joined[least].name += " and \(second.name)"
            joined[least].purpose += "; then \(second.purpose)"
            joined[least].share += second.share
        }
        var parts = [Int](repeating: 1, count: joined.count)
        while parts.reduce(0, +) < count {
            let longest = parts.indices.max { joined[$0].share * parts[$1] < joined[$1].share * parts[$0] }
            parts[longest ?? 0] += 1
        }
        return zip(joined, parts).flatMap { beat, parts in
            guard parts > 1 else { return [beat] }
            return allot(beat.share, by: [Int](repeating: 1, count: parts), least: 1).enumerated().map {
                index,
                share in
                let name = "\(beat.name), part \(index + 1)"
                return PlotStructure.Beat(
                    name: name,
                    purpose: "\(beat.purpose) (\(index + 1) of \(parts))",
                    share: share
                )
            }
        }
    }

    /// Splits `total` in proportion to `shares`, by largest remainders; what would get less than `least` gets
    /// `least`, and the others share the rest.
    ///
    /// The parts add up to `total`, which must be at least `least` for each.
    static func allot(_ total: Int, by shares: [Int], least: Int) -> [Int] {
        precondition(
            !shares.isEmpty && total >= least * shares.count,
            "allot needs room for the least of each part"
        )
        var fixed: Set<Int> = []
        while true {
            let free = shares.indices.filter { !fixed.contains($0) }
            let rest = total - least * fixed.count
            let sum = max(1, free.map { shares[$0] }.reduce(0, +))
            let short = free.filter { rest * shares[$0] / sum < least }
            if short.isEmpty || short.count == free.count {
                var parts = [Int](repeating: least, count: shares.count)
                for index in free { parts[index] = rest * shares[index] / sum }
                if short.count == free.count { for index in free { parts[index] = least } }
                let order = free.sorted { left, right in
                    let (a, b) = (rest * shares[left] % sum, rest * shares[right] % sum)
                    return a == b ? left < right : a > b
                }
                var missing = total - parts.reduce(0, +)
                var turn = 0
                while missing > 0 {
                    parts[order[turn % order.count]] += 1
                    missing -= 1
                    turn += 1
                }
                return parts
            }
            fixed.formUnion(short)
        }
    }
}
