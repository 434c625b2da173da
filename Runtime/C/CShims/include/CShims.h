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

/* An anonymous file, close-on-exec, whose size nobody can change: who maps it need not fear that the other side cuts it
 * short. -1 with errno. */
int swiftlet_memfd(const char *name, size_t size);

/* By how many microseconds at most the clock may be wrong, as the kernel has it; -1 where nobody keeps it, -2 where the
 * kernel does not say. */
long swiftlet_clock_error(void);

/* An empty file in memory, close-on-exec. -1 with errno. */
int swiftlet_memfile(const char *name);

/* Maps a part of a file, shared; NULL where the file has no such part or there is no room. */
void *swiftlet_map_shared(int fd, size_t offset, size_t length);
void swiftlet_unmap(void *base, size_t length);

/* Gives the memory of a part of an anonymous file back; it reads as zeros then. */
void swiftlet_punch(int fd, size_t offset, size_t length);

/* What a worker takes from itself before any user code runs. Zero, or NULL, stands for "not". */
struct swiftlet_confinement {
    /* Bytes of data. */
    uint64_t memory;
    uint32_t open_files;
    /* Of the user, threads included. */
    uint32_t processes;
    uint32_t cpu_seconds;
    /* User and group of the same number. */
    uint32_t uid;
    /* Its working and temporary directory. */
    const char *directory;
    /* A seccomp program. */
    const void *filter;
    size_t filter_length;
    bool landlock;
    bool network;
    /* With Landlock: what may be read. */
    const char *const *readable;
    int readable_count;
};

/* Takes it, for good. Returns 0, or an errno with the stage that failed. One thread may exist. */
int swiftlet_confine(const struct swiftlet_confinement *wanted, const char **stage);

/* Stores 1 (32 bits) at flag when the process crashes over an allocation that failed. */
void swiftlet_watch_memory(void *flag);

/* Gives a process that many seconds of processor time from now on. Returns 0 or an errno. */
int swiftlet_renew_cpu(pid_t pid, unsigned seconds);

/* The version of Landlock that the kernel has; 0 where it has none. */
int swiftlet_landlock_version(void);

/* Removes a directory and all below it, and follows no symbolic link. Returns 0 or an errno. */
int swiftlet_remove_tree(const char *path);

/* Random bytes from the kernel. Returns 0 or an errno. */
int swiftlet_random(void *buffer, size_t count);

/* A pipe, close-on-exec; nonblocking where asked. Returns 0 or an errno. */
int swiftlet_pipe(int ends[2], bool nonblocking);

/* Opens a file below a folder for reading, without ever leaving it: not by "..", not by a symbolic link. -1 with errno,
 * EXDEV for what lies outside. Kernels without openat2 refuse every link, with ELOOP. */
int swiftlet_open_beneath(const char *folder, const char *path);

/* A connected pair of stream sockets, close-on-exec. Returns 0 or an errno. */
int swiftlet_socketpair(int ends[2]);

/* Sends one message with descriptors, sixteen at most. Returns 0 or an errno. */
int swiftlet_send_message(int socket, const void *bytes, size_t count, const int *fds, int fd_count);

/* Receives one message; its descriptors are close-on-exec, and fd_count says how many came. Returns the number of bytes,
 * 0 at the end of the connection, -1 with errno. */
ssize_t swiftlet_receive_message(int socket, void *bytes, size_t room, int *fds, int *fd_count);

/* The next connection of a listening socket, close-on-exec; -1 with errno. */
int swiftlet_accept(int listener);

/* Which process and user are at the other end of a Unix connection. Returns 0 or an errno. */
int swiftlet_peer(int socket, pid_t *pid, uid_t *uid);

/* Has standard output leave line by line, also into a pipe. */
void swiftlet_line_buffer_output(void);

/* Gives freed memory of the heap back to the system. */
void swiftlet_trim_heap(void);

/* Names the calling thread; 15 bytes count. */
void swiftlet_name_thread(const char *name);

/* How many threads run in this process; -1 when /proc cannot be read. */
int swiftlet_thread_count(void);

/* A connected pair of sockets that keep messages apart, close-on-exec. Returns 0 or an errno. */
int swiftlet_seqpacket(int ends[2]);

/* Sends a word, and up to eight descriptors with it. Returns 0 or an errno. */
int swiftlet_send(int socket, int32_t word, const int *fds, int count);

/* Receives a word and its descriptors, close-on-exec, `most` of them; waits for it. Returns their number, -1 at the
 * end. */
int swiftlet_receive(int socket, int32_t *word, int *fds, int most);

/* Forks a process that is this one's sibling: a child of its parent. Fails with EBUSY where more than one thread
 * runs. Returns 0 in the new process, its id here, -1 with errno. */
pid_t swiftlet_fork_sibling(void);

/* Makes the descriptors first, first + 1, … of this process, closes all above them, and leads a process group of its
 * own. Returns 0 or an errno. */
int swiftlet_become(const int *fds, int count, int first);

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
