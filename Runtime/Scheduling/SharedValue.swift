/// A value that many hold and none changes, kept once.
final class SharedValue<Value: Hashable & Sendable>: Sendable, Hashable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }

    static func == (left: SharedValue, right: SharedValue) -> Bool {
        left === right || left.value == right.value
    }

    func hash(into hasher: inout Hasher) { value.hash(into: &hasher) }
}
