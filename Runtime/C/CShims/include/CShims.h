#ifndef SWIFTLET_CSHIMS_H
#define SWIFTLET_CSHIMS_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

/* Starts a program: child_fds[i] in the child is parent_fds[i] here; every other descriptor is closed. Descriptors 0,
 * 1 and 2 are /dev/null unless they are named. Own process group, empty signal mask, default dispositions. Returns 0
 * or an errno. */
int swiftlet_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], const int *child_fds,
                   const int *parent_fds, int count, const char *directory);

/* A descriptor that becomes readable when the process ends, or -1 with errno. */
int swiftlet_pidfd_open(pid_t pid);

/* Reaps the child behind a pidfd. Returns 1 and fills both when it has ended, 0 when it has not, -1 with errno.
 * signalled tells whether code is a signal's number or an exit status. */
int swiftlet_reap(int pidfd, bool *signalled, int *code);

/* An anonymous file of that size, close-on-exec; -1 with errno. */
int swiftlet_memfd(const char *name, size_t size);

/* The limits a worker sets on itself before any user code: no core file, open files, no new privileges. Returns 0 or an
 * errno. */
int swiftlet_limit_self(unsigned open_files);

/* Data-segment limit in bytes. Returns 0 or an errno. */
int swiftlet_limit_memory(uint64_t bytes);

/* Random bytes from the kernel. Returns 0 or an errno. */
int swiftlet_random(void *buffer, size_t count);

/* A pipe, close-on-exec; nonblocking where asked. Returns 0 or an errno. */
int swiftlet_pipe(int ends[2], bool nonblocking);

/* A connected pair of stream sockets, close-on-exec. Returns 0 or an errno. */
int swiftlet_socketpair(int ends[2]);

/* Has standard output leave line by line, also into a pipe. */
void swiftlet_line_buffer_output(void);

/* Names the calling thread; 15 bytes count. */
void swiftlet_name_thread(const char *name);

/* How many descriptors are open, threads running, in this process; -1 when /proc cannot be read. */
int swiftlet_thread_count(void);

static inline uint64_t swiftlet_load64(const void *address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}
static inline void swiftlet_store64(void *address, uint64_t value) {
    __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELEASE);
}
static inline uint32_t swiftlet_load32(const void *address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}
static inline void swiftlet_store32(void *address, uint32_t value) {
    __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE);
}
/* Stores `value` where `expected` stands; false, and nothing stored, where something else does. */
static inline bool swiftlet_exchange32(void *address, uint32_t expected, uint32_t value) {
    return __atomic_compare_exchange_n((uint32_t *)address, &expected, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline void swiftlet_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
