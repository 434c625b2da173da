import FunctionCore

/// What a worker takes from itself before it runs any code of its function.
///
/// Zero, nil and empty stand for "not".
package struct Confinement: Sendable, Equatable {
    /// Bytes of data, by RLIMIT_DATA.
    package var memory: UInt64 = 0
    package var openFiles: UInt32 = 64
    /// Processes and threads of its user, by RLIMIT_NPROC.
    package var processes: UInt32 = 0
    /// Processor time that it begins with.
    package var cpuSeconds: UInt32 = 0
    /// The number of its own user and group.
    package var uid: UInt32 = 0
    /// Its temporary and working directory.
    package var directory: String = ""
    /// A seccomp program: instructions of eight bytes.
    package var filter = Bytes()
    /// What it may read, and besides `directory` nothing else, by Landlock; nil without.
    package var readable: [String]?
    /// Whether Landlock leaves TCP alone.
    package var network = false

    package init() {}

    func write(to writer: inout WireWriter) {
        writer.integer(memory)
        writer.integer(openFiles)
        writer.integer(processes)
        writer.integer(cpuSeconds)
        writer.integer(uid)
        writer.string(directory)
        writer.block(filter)
        writer.integer(UInt8(readable == nil ? 0 : 1))
        writer.integer(UInt16(clamping: readable?.count ?? 0))
        for path in readable ?? [] { writer.string(path) }
        writer.integer(UInt8(network ? 1 : 0))
    }

    init(_ reader: inout WireReader) throws(WireError) {
        memory = try reader.integer()
        openFiles = try reader.integer()
        processes = try reader.integer()
        cpuSeconds = try reader.integer()
        uid = try reader.integer()
        directory = try reader.string()
        filter = try reader.block()
        let confined = try reader.integer(UInt8.self) == 1
        var paths: [String] = []
        for _ in 0..<(try reader.integer(UInt16.self)) { paths.append(try reader.string()) }
        readable = confined ? paths : nil
        network = try reader.integer(UInt8.self) == 1
    }
}
