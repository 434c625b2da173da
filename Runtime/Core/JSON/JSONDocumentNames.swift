import Glibc

// Names are compared as bytes. Only where bytes do not settle it, by escapes or by letters above ASCII, which
// Unicode may spell in several ways, are strings made of them.
extension JSONDocument {
    /// Up to this many names are compared each with each, in about a microsecond; more are put into an index.
    static let comparisonLimit = 64

    /// The place of the value of that name in an object, if there is one; of two the last.
    ///
    /// Types ask in the order in which they were written, mostly, so the search begins after the last find.
    func member(_ name: String, of object: Int) -> Int? {
        let marks = self[object].marks
        if marks.contains(.searchAll) { return lastMember(name, of: object) }
        if marks.contains(.indexed) { return index(of: object)[name].map { $0 + 1 } }
        let found: Int? =
            name.utf8.withContiguousStorageIfAvailable { bytes in
                let end = self[object].low
                let start = Int(self[object].offset)
                guard start < end else { return search(bytes, object + 1, end) }
                return search(bytes, start, end) ?? search(bytes, object + 1, start)
            } ?? nil
        if let found {
            let next = end(of: found + 1)
            expect(next < self[object].low ? next : object + 1, in: object)
            return found + 1
        }
        // An ASCII name in the text can equal one that is not, such as K and the sign for kelvin.
        if name.utf8.allSatisfy({ $0 < 0x80 }) { return nil }
        return lastMember(name, of: object)
    }

    /// An object's names in their order, each once.
    func names(of object: Int) -> [String] {
        var names: [String] = []
        names.reserveCapacity(self[object].high)
        eachName(of: object) { names.append(string($0)) }
        if self[object].marks.isDisjoint(with: [.searchAll, .indexed]) { return names }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// Compares an object's names with each other, once.
    func compareNames(of object: Int) {
        let entry = self[object]
        guard !entry.marks.contains(.compared) else { return }
        mark(object, .compared)
        guard entry.high > 1 || entry.high == 1 && !isPlain(object + 1) else { return }
        if entry.high > Self.comparisonLimit {
            mark(object, .indexed)
        } else if !namesAreDistinct(object, entry) {
            mark(object, .searchAll)
        }
    }

    /// Whether all names are plain, and no two alike.
    private func namesAreDistinct(_ object: Int, _ entry: JSONTapeEntry) -> Bool {
        // SAFETY: there is room for every name, and the buffer lives for the closure only.
        withUnsafeTemporaryAllocation(of: Int.self, capacity: entry.high) { seen in
            var name = object + 1
            for count in 0..<entry.high {
                guard isPlain(name) else { return false }
                for earlier in 0..<count where isSame(seen[earlier], name) { return false }
                seen[count] = name
                name = end(of: name + 1)
            }
            return true
        }
    }

    /// Whether two plain names are the same: by their fingerprints, mostly.
    @inline(__always)
    private func isSame(_ left: Int, _ right: Int) -> Bool {
        let payload = self[left].payload
        guard payload == self[right].payload else { return false }
        return self[left].low <= 4 || withSource(right) { hasBytes(left, $0) }
    }

    @inline(__always)
    private func isPlain(_ name: Int) -> Bool {
        self[name].marks.isEmpty
    }

    /// The first name of these bytes from one name on.
    // SAFETY: the caller's buffer stays valid for the call.
    @inline(__always)
    private func search(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Int? {
        let payload = JSONTapeEntry.payload(of: bytes)
        var name = start
        while name < end {
            if self[name].payload == payload, bytes.count <= 4 || hasBytes(name, bytes) { return name }
            name = self.end(of: name + 1)
        }
        return nil
    }

    // SAFETY: as above; both have the same length.
    @inline(__always)
    private func hasBytes(_ name: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let left = bytes.baseAddress else { return true }
        return withSource(name) { memcmp($0.baseAddress ?? left, left, bytes.count) == 0 }
    }

    private func lastMember(_ name: String, of object: Int) -> Int? {
        var found: Int?
        eachName(of: object) { if string($0) == name { found = $0 + 1 } }
        return found
    }
}
