import Glibc

/// The host's limit of open files: a connection costs one, and systems start their services with 1024.
enum OpenFiles {
    /// More than the connections, workers and files of a host come to; past it a leak should show.
    private static let wanted: rlim_t = 65_536

    /// Raises the soft limit as far as the hard one allows.
    ///
    /// Where that is too little, connections past it wait in the kernel's queue. Workers get limits of their
    /// own.
    static func raise() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(limit.rlim_max, wanted)
        // Refused only by a limit that is none, and then there is nothing to do.
        _ = setrlimit(files, &limit)
    }
}
