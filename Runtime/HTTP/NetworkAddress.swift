import Glibc

/// An IPv4 or IPv6 address; an IPv4 address mapped into IPv6 is the IPv4 address.
struct NetworkAddress: Sendable, Hashable {
    /// The 128 bits, IPv4 as `::ffff:a.b.c.d`.
    let high: UInt64
    let low: UInt64

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, without brackets, port or zone.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        let text = String(text)
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(high: 0, low: 0xffff_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr)))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let words = six.__in6_u.__u6_addr32
        self.init(
            high: UInt64(UInt32(bigEndian: words.0)) << 32 | UInt64(UInt32(bigEndian: words.1)),
            low: UInt64(UInt32(bigEndian: words.2)) << 32 | UInt64(UInt32(bigEndian: words.3))
        )
    }

    var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// The address with all but the first `bits` of the 128 cleared.
    func prefix(_ bits: Int) -> NetworkAddress {
        NetworkAddress(
            high: bits >= 64 ? high : high & ~(UInt64.max >> UInt64(bits)),
            low: bits <= 64 ? 0 : low & ~(UInt64.max >> UInt64(bits - 64))
        )
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
package struct AddressRange: Sendable, Hashable {
    private let start: NetworkAddress
    private let bits: Int

    /// Reads a range; nil for what is none, also where bits beyond the prefix are set, as a slip of the
    /// pen there would trust other hosts than were meant.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = NetworkAddress(first) else { return nil }
        var bits = 128
        if parts.count == 2 {
            let longest = address.isIPv4 && !first.contains(":") ? 32 : 128
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1]),
                length <= longest
            else { return nil }
            bits = 128 - longest + length
        }
        guard address.prefix(bits) == address else { return nil }
        self.start = address
        self.bits = bits
    }

    func contains(_ address: NetworkAddress) -> Bool {
        address.prefix(bits) == start
    }
}
