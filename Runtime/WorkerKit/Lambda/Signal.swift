import Glibc

/// A counting semaphore: a thread waits for what tasks or other threads tell.
///
/// Threading: any; whoever waits holds the object.
final class Signal: Sendable {
    // SAFETY: made once, freed with the object; semaphores are for many threads.
    private nonisolated(unsafe) let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }
}
