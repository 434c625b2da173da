/// Where the entry of an id stands in a list: a table of places, four times as small as a dictionary with its keys.
struct ScheduleIndex: Sendable {
    /// Places by their ids' hashes, -1 where there is none; at least half of it is free.
    private var table: [Int32] = [-1]

    init(_ entries: [ScheduleEntry]) {
        var size = 1
        while size < entries.count * 2 { size *= 2 }
        table = [Int32](repeating: -1, count: size)
        for (number, entry) in entries.enumerated() {
            table[slot(of: entry.id, in: entries)] = Int32(clamping: number)
        }
    }

    /// The place of an id in the entries that the index was made of.
    func place(of id: String, in entries: [ScheduleEntry]) -> Int? {
        let place = table[slot(of: id, in: entries)]
        return place < 0 ? nil : Int(place)
    }

    /// Where an id stands in the table, or would.
    private func slot(of id: String, in entries: [ScheduleEntry]) -> Int {
        var slot = id.hashValue & (table.count - 1)
        while table[slot] >= 0, entries[Int(table[slot])].id != id { slot = (slot + 1) & (table.count - 1) }
        return slot
    }
}
