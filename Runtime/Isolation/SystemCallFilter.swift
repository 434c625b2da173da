import CSeccomp
import CShims
import FunctionCore
import Glibc

/// The system calls that a worker may make, as a seccomp program that libseccomp writes here in the host, so that
/// a worker links nothing for it.
///
/// A list of what is allowed: what a later kernel brings is refused until somebody has looked at it. What is refused
/// fails with EPERM; the function goes on.
struct SystemCallFilter: Sendable {
    private let program: [UInt8]

    /// Stands in the program for the process's own id until that is known.
    private static let ownID: UInt32 = 0x7357_1D05

    /// - Throws: why there is no such program: a sentence.
    init(network: Bool, fork: Bool) throws(IsolationFault) {
        guard let context = seccomp_init(swiftlet_seccomp_refuse(EPERM)) else {
            throw IsolationFault("libseccomp gives no filter")
        }
        defer { seccomp_release(context) }
        var rules = Rules(context: context)
        for name in SystemCallFilter.plain { rules.allow(name) }
        if network { for name in SystemCallFilter.network { rules.allow(name) } }
        if fork { for name in SystemCallFilter.fork { rules.allow(name) } }
        rules.addNarrow(network: network, fork: fork, ownID: UInt64(SystemCallFilter.ownID))
        if rules.error != 0 {
            throw IsolationFault("libseccomp takes a rule not: \(String(cString: strerror(-rules.error)))")
        }
        program = try SystemCallFilter.export(context)
    }

    /// The program for the process of that id.
    func program(for pid: Int32) -> Bytes {
        var bytes = program
        // An instruction: code (2), jumps (1, 1), value (4).
        for start in stride(from: 4, to: bytes.count, by: 8) {
            let value = bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard value == SystemCallFilter.ownID else { continue }
            withUnsafeBytes(of: UInt32(bitPattern: pid).littleEndian) {
                bytes.replaceSubrange(start..<start + 4, with: $0)
            }
        }
        return Bytes(bytes)
    }

    private static func export(_ context: scmp_filter_ctx) throws(IsolationFault) -> [UInt8] {
        let file = swiftlet_memfile("seccomp")
        defer { close(file) }
        guard file >= 0, seccomp_export_bpf(context, file) == 0 else {
            throw IsolationFault("libseccomp writes no program")
        }
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        guard pread(file, &bytes, bytes.count, 0) == bytes.count else {
            throw IsolationFault("libseccomp's program cannot be read")
        }
        return bytes
    }
}

/// Adds rules to a filter and keeps the first error.
private struct Rules {
    let context: scmp_filter_ctx
    private(set) var error: Int32 = 0

    init(context: scmp_filter_ctx) {
        self.context = context
    }

    mutating func allow(_ name: String) { add(swiftlet_seccomp_allow(), name, []) }

    /// A call that is allowed where the bits `mask` of an argument are `value`, and argument `zero` is 0.
    mutating func allow(
        _ name: String,
        _ argument: UInt32,
        mask: UInt64 = 0xFFFF_FFFF,
        _ value: UInt64,
        zero: UInt32? = nil
    ) {
        var tests = [scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)]
        if let zero { tests.append(scmp_arg_cmp(arg: zero, op: SCMP_CMP_EQ, datum_a: 0, datum_b: 0)) }
        add(swiftlet_seccomp_allow(), name, tests)
    }

    private mutating func add(_ action: UInt32, _ name: String, _ tests: [scmp_arg_cmp]) {
        let number = seccomp_syscall_resolve_name(name)
        // Another processor's, or younger than the library.
        guard number >= 0 else { return }
        let result = seccomp_rule_add_array(context, action, number, UInt32(tests.count), tests)
        if error == 0, result != 0 { error = result }
    }

    /// What is allowed with some arguments only.
    mutating func addNarrow(network: Bool, fork: Bool, ownID: UInt64) {
        // Threads, but no processes. clone3 hides its flags from a filter: libc falls back to clone when it is not
        // there.
        let thread: UInt64 = 0x0001_0000
        let namespaces: UInt64 = 0x7E02_0000
        if fork {
            allow("clone", 0, mask: namespaces, 0)
        } else {
            allow("clone", 0, mask: thread | namespaces, thread)
        }
        add(swiftlet_seccomp_refuse(ENOSYS), "clone3", [])
        // Its own threads only: `abort` and `pthread_kill` need it.
        for name in ["tgkill", "rt_tgsigqueueinfo", "kill"] { allow(name, 0, ownID) }
        // It may read its own limits, and set none: the soft one of processor time could be raised.
        for pid in [0, ownID] { allow("prlimit64", 0, pid, zero: 2) }
        // Names of threads and of mappings. Not PR_SET_DUMPABLE, which opens its memory to others, nor PR_SET_PTRACER.
        for option: UInt64 in [15, 16, 0x5356_4D41] { allow("prctl", 0, option) }
        // FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS: of these every library makes use.
        for request: UInt64 in [0x541B, 0x5421, 0x5451, 0x5450, 0x5401] { allow("ioctl", 1, request) }
        allow("socketpair", 0, 1)
        // IPv4, IPv6, and the netlink that a resolver asks for addresses.
        if network { for family: UInt64 in [2, 10, 16] { allow("socket", 0, family) } }
    }
}

extension SystemCallFilter {
    private static let plain = [
        // Files; which of them, the user id and Landlock say.
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2",
        "open", "openat", "openat2", "creat", "close", "close_range", "lseek", "stat", "fstat", "lstat",
        "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "getdents",
        "getdents64", "readlink", "readlinkat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename",
        "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat",
        "chdir", "fchdir", "getcwd", "truncate", "ftruncate", "fallocate", "fadvise64", "fsync", "fdatasync",
        "sync_file_range", "copy_file_range", "sendfile", "splice", "tee", "utimensat", "utime", "utimes",
        "umask", "flock", "fcntl", "dup", "dup2", "dup3", "pipe", "pipe2", "memfd_create",
        "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "getxattr", "lgetxattr", "fgetxattr",
        // Memory.
        "mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "mincore", "msync", "mlock", "munlock",
        "membarrier",
        // Threads of its own.
        "futex", "futex_waitv", "futex_wait", "futex_wake", "futex_requeue", "set_robust_list",
        "get_robust_list", "rseq", "set_tid_address", "gettid", "exit", "exit_group", "sched_yield",
        "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
        "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval", "getpriority",
        "arch_prctl", "restart_syscall", "getcpu",
        // Signals.
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait",
        "sigaltstack", "signalfd", "signalfd4", "pause",
        // Time.
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
        "alarm", "getitimer", "setitimer", "timer_create", "timer_settime", "timer_gettime", "timer_delete",
        "timer_getoverrun", "timerfd_create", "timerfd_settime", "timerfd_gettime",
        // Waiting.
        "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
        "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2",
        // Sockets that it has.
        "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown", "getsockopt",
        "setsockopt", "getsockname", "getpeername",
        // What it is.
        "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
        "getpgrp", "getpgid", "getsid", "uname", "sysinfo", "getrusage", "getrandom", "getrlimit",
        "capget",
    ]

    private static let network = ["connect", "bind", "listen", "accept", "accept4"]

    private static let fork = [
        "fork", "vfork", "execve", "execveat", "wait4", "waitid", "kill", "setpgid", "setsid",
    ]
}
