import CShims
import Glibc

/// Starts a detached thread of its own for work that blocks.
///
/// Never call it per request.
package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    // SAFETY: retained here, and released by the thread, which takes it exactly once.
    let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let error = pthread_create(
        &thread,
        &attributes,
        { argument in
            guard let argument else { return nil }
            // SAFETY: the pointer is the box retained above, handed over exactly once.
            let box = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            swiftlet_name_thread(String(box.name.prefix(15)))
            box.body()
            return nil
        },
        box.toOpaque()
    )
    pthread_attr_destroy(&attributes)
    precondition(error == 0, "the system allows no further thread; raise the limit on tasks")
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
