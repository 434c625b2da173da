import FunctionCore
import Glibc
import TestSupport
import Testing
import Wire

@testable import Isolation

@Suite("What isolates workers", .timeLimit(.minutes(1)))
struct IsolationTests {
    @Test("control groups are found where the hierarchies are mounted, of both versions")
    func places() {
        let groups =
            "9:name=systemd:/\n4:memory:/jobs/a\n3:cpu,cpuacct:/\n0::/system.slice/swiftlet.service\n"
        let mounts = """
            25 20 0:22 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
            26 20 0:23 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
            27 20 0:24 / / rw - ext4 /dev/vda rw
            28 27 0:22 / /srv/chroot/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            29 27 0:23 / /srv/chroot/sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            """
        let found = Places(groups: groups, mounts: mounts)
        #expect(found.controllers == ["memory": "/sys/fs/cgroup/memory/jobs/a"])
        #expect(found.unified == "/sys/fs/cgroup/unified/system.slice/swiftlet.service")
        let container = Places(
            groups: "4:memory:/docker/abc\n0::/docker/abc\n",
            mounts: """
                1 1 0:1 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
                2 1 0:1 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw
                """
        )
        #expect(container.controllers["memory"] == "/sys/fs/cgroup/memory")
        #expect(container.unified == "/sys/fs/cgroup")
        #expect(Places(groups: "", mounts: "nonsense\n - \n") == Places(groups: "", mounts: ""))
    }

    @Test("a process's own memory is what is anonymous, shared by it or swapped")
    func sampling() {
        let status = """
            VmRSS:	    9000 kB
            RssAnon:	     500 kB
            RssFile:	    8000 kB
            RssShmem:	      30 kB
            VmSwap:	       7 kB
            """
        #expect(MemorySampler.kibibytes(status) == 537)
        #expect(MemorySampler.kibibytes("") == 0)
        #expect(MemorySampler.kibibytes(readSmall("/proc/self/status") ?? "") > 0)
    }

    @Test(
        "functions get user ids of their own that stay the same",
        .enabled(if: geteuid() == 0, "needs root")
    )
    func users() throws {
        var users = try WorkerUsers(from: 60_000)
        let names = (0..<1500).map { "function-\($0)" }
        let first = names.map { users.user(of: $0) }
        #expect(Set(first).count == 1500)
        #expect(first.prefix(900).allSatisfy { (60_000..<61_000).contains($0) })
        let again = names.map { users.user(of: $0) }
        #expect(again == first)
        var other = try WorkerUsers(from: 60_000)
        let same = other.user(of: "function-0")
        #expect(same == first[0])
    }

    @Test("without a range, or beyond what the machine has, there are no users of their own, and it says why")
    func noUsers() {
        for (first, why) in [(nil, "workers.users"), (UInt32(4_294_967_000), "mapped")] {
            let fault = #expect(throws: IsolationFault.self) { try WorkerUsers(from: first) }
            #expect(fault?.description.contains(geteuid() == 0 || first == nil ? why : "root") == true)
        }
    }

    @Test("a program of allowed calls is written for each set of permissions, with the worker's id in it")
    func filters() throws {
        var sizes: Set<Int> = []
        for number in 0..<4 {
            let filter = try SystemCallFilter(network: number & 1 != 0, fork: number & 2 != 0)
            let one = filter.program(for: 77)
            let two = filter.program(for: 78)
            #expect(one.count % 8 == 0 && one.count < 8 * 4096)
            #expect(one != two)
            sizes.insert(one.count)
        }
        #expect(sizes.count >= 3)
    }

    @Test("a worker's directory is its own, comes empty and goes with all that is in it")
    func directories() throws {
        let place = try TemporaryPlace()
        let settings = WorkerIsolation.Settings()
        let isolation = WorkerIsolation(settings, data: place.path)
        let needs = WorkerIsolation.Needs(function: "a", memory: 64 << 20, openFiles: 16)
        let cell = try isolation.cell(for: needs)
        let directory = cell.confinement(for: 1).directory
        #expect(directory.hasPrefix("\(place.path)/tmp/a."))
        var status = stat()
        #expect(stat(directory, &status) == 0 && status.st_mode & 0o777 == 0o700)
        mkdir("\(directory)/deep", 0o000)
        Text.write("x".utf8, to: "\(directory)/file")
        symlink(place.path, "\(directory)/out")
        cell.clear()
        #expect(access(directory, F_OK) != 0)
        #expect(access(place.path, F_OK) == 0)
        isolation.close()
        #expect(access("\(place.path)/tmp", F_OK) != 0)
        place.remove()
    }

    @Test("every means is named once, and what is off says why")
    func features() throws {
        let place = try TemporaryPlace()
        var settings = WorkerIsolation.Settings()
        settings.sandbox = false
        settings.controlGroups = false
        let isolation = WorkerIsolation(settings, data: place.path)
        defer {
            isolation.close()
            place.remove()
        }
        let names = isolation.features.map(\.name)
        #expect(names == ["users", "seccomp", "landlock", "memory", "pids", "directories", "limits"])
        let off = isolation.features.filter { !$0.isOn }
        #expect(off.map(\.name) == ["users", "seccomp", "landlock", "memory", "pids"])
        #expect(off.allSatisfy { $0.detail.contains("is off") })
        let needs = WorkerIsolation.Needs(function: "a", memory: 64 << 20, openFiles: 16)
        let cell = try isolation.cell(for: needs)
        #expect(cell.confinement(for: 1).filter.isEmpty)
        #expect(cell.confinement(for: 1).memory == 64 << 20)
        cell.clear()
    }
}
