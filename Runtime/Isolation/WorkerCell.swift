import CShims
import FunctionCore
import Glibc
import Synchronization
import Wire

/// The place of one worker: its directory, its group, and what it takes from itself.
///
/// Threading: any; all but `confinement` may block.
package final class WorkerCell: Sendable {
    private struct State {
        var pid: Int32 = 0
        var group: WorkerGroup?
        var isOver = false
    }

    private let plain: Confinement
    private let filter: SystemCallFilter?
    private let memory: Int
    private let makeGroup: @Sendable () throws -> WorkerGroup
    private let sampler: MemorySampler?
    private let state = Mutex(State())

    init(
        _ plain: Confinement,
        _ filter: SystemCallFilter?,
        _ sampler: MemorySampler?,
        memory: Int,
        makeGroup: @escaping @Sendable () throws -> WorkerGroup
    ) {
        self.plain = plain
        self.filter = filter
        self.sampler = sampler
        self.memory = memory
        self.makeGroup = makeGroup
    }

    /// What the worker with that id is to take from itself.
    package func confinement(for pid: Int32) -> Confinement {
        var confinement = plain
        if let filter { confinement.filter = filter.program(for: pid) }
        return confinement
    }

    /// Takes the worker into a group of its own; `onExcess` is called when it is found to use too much where there is
    /// none.
    ///
    /// To be done beside the start, as the kernel may take tens of milliseconds. Until then the worker's data are
    /// limited to twice as much.
    /// - Throws: why the worker has to end.
    package func enter(_ pid: Int32, onExcess: @escaping @Sendable () -> Void) throws {
        try state.withLock { state in
            if state.isOver { return }
            state.pid = pid
            sampler?.watch(pid, limit: memory, onExcess: onExcess)
            let group = try makeGroup()
            state.group = group
            try group.enter(pid)
        }
    }

    /// Whether the kernel has killed for the group's memory.
    package var wasExhausted: Bool { state.withLock { $0.group?.wasExhausted ?? false } }

    /// The worker is gone: what it left behind goes as well.
    ///
    /// Takes 50 ms at most for processes that are slow to die.
    package func clear() {
        let group = state.withLock { state in
            state.isOver = true
            sampler?.forget(state.pid)
            return state.group
        }
        for _ in 0..<25 where group?.remove() == false { usleep(2000) }
        if !plain.directory.isEmpty { _ = swiftlet_remove_tree(plain.directory) }
    }
}
