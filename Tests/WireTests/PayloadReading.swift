import FunctionCore
import Wire

// Payloads read from arrays: what a reader's memory holds otherwise.

extension ArraySlice<UInt8> {
    func read<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try withUnsafeBytes(body)
    }
}

extension Hello {
    init(_ payload: ArraySlice<UInt8>) throws { self = try payload.read { try Hello($0) } }
}

extension Ready {
    init(_ payload: ArraySlice<UInt8>) throws { self = try payload.read { try Ready($0) } }
}

extension InvokeHead {
    static func read(_ payload: ArraySlice<UInt8>) throws -> (InvokeHead, Bytes) {
        try payload.read {
            let (head, rest) = try InvokeHead.read($0)
            return (head, Bytes(Array(rest)))
        }
    }
}

extension ReplyHead {
    static func read(_ payload: ArraySlice<UInt8>) throws -> (ReplyHead, [UInt8]) {
        try payload.read {
            let (head, rest) = try ReplyHead.read($0)
            return (head, Array(rest))
        }
    }
}

extension CallHead {
    static func read(_ payload: ArraySlice<UInt8>) throws -> (CallHead, Bytes) {
        try payload.read { try CallHead.read($0) }
    }
}

extension LogPayload {
    init(_ payload: ArraySlice<UInt8>) throws { self = try payload.read { try LogPayload($0) } }
}

extension ErrorPayload {
    static func read(_ payload: ArraySlice<UInt8>) throws -> FunctionError {
        try payload.read { try ErrorPayload.read($0) }
    }
}

/// A frame in memory of its own.
struct KeptFrame: Equatable {
    let kind: Frame.Kind
    let id: UInt32
    let isLast: Bool
    let payload: [UInt8]

    init(_ frame: Frame) {
        kind = frame.kind
        id = frame.id
        isLast = frame.isLast
        payload = Array(frame.payload)
    }
}
