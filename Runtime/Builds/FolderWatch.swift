import Glibc
import Processes

/// Tells at once when something changes in a set of folders, by the kernel's inotify.
///
/// Who listens looks for itself what has changed: events are many, may be lost, and name no cause. Where the kernel
/// gives no watch, or a file system no events, nothing comes; so a listener looks now and then all the same.
///
/// Threading: any; `changed` is called on the watch's own thread and must be quick.
package final class FolderWatch: Sendable {
    private let descriptor: Int32
    /// The writing end of a pipe whose other end the thread looks at.
    private let stop: Int32

    /// Nil where the kernel has no more of them.
    package init?(_ changed: @escaping @Sendable () -> Void) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        var ends: [Int32] = [-1, -1]
        guard descriptor >= 0, pipe(&ends) == 0 else {
            close(descriptor)
            return nil
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stop = ends[1]
        let (descriptor, reading) = (self.descriptor, ends[0])
        startThread("folder-watch") {
            FolderWatch.read(descriptor, until: reading, changed)
            close(descriptor)
            close(reading)
        }
    }

    /// Watches these folders as well; those that are gone leave by themselves.
    package func add(_ folders: [String]) {
        let wanted = UInt32(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)
        // Added again each time: a folder that was made anew under its name has another watch.
        for folder in folders { inotify_add_watch(descriptor, folder, wanted) }
    }

    /// Ends it, once; the thread closes what it reads from.
    package func end() {
        close(stop)
    }

    private static func read(_ descriptor: Int32, until stop: Int32, _ changed: () -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            var polls = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&polls, 2, -1) > 0 else { continue }
            if polls[1].revents != 0 { return }
            // Many come together: two hundred looks a second are enough.
            usleep(5000)
            // What they say is of no interest; that they are there is.
            while Glibc.read(descriptor, &buffer, buffer.count) > 0 {}
            changed()
        }
    }
}
