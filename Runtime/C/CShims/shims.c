#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 16

/* glibc 2.36 has it as an enumerator only. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Copies every parent descriptor above the numbers that the child uses, so that no dup2 overwrites a later source. */
static int lift(const int *parent_fds, int count, int *lifted) {
    for (int i = 0; i < count; i++) {
        lifted[i] = fcntl(parent_fds[i], F_DUPFD_CLOEXEC, 64);
        if (lifted[i] < 0) {
            int error = errno;
            while (i-- > 0) close(lifted[i]);
            return error;
        }
    }
    return 0;
}

static int add_actions(posix_spawn_file_actions_t *actions, const int *child_fds, const int *lifted, int count,
                       const char *directory) {
    int highest = 2, error = 0;
    for (int i = 0; i < count && error == 0; i++) {
        error = posix_spawn_file_actions_adddup2(actions, lifted[i], child_fds[i]);
        if (child_fds[i] > highest) highest = child_fds[i];
    }
    for (int fd = 0; fd <= highest && error == 0; fd++) {
        bool named = false;
        for (int i = 0; i < count; i++) named = named || child_fds[i] == fd;
        if (named) continue;
        error = fd <= 2 ? posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0)
                        : posix_spawn_file_actions_addclose(actions, fd);
    }
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, highest + 1);
    if (error == 0 && directory) error = posix_spawn_file_actions_addchdir_np(actions, directory);
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    return error;
}

int swiftlet_spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[], const int *child_fds,
                   const int *parent_fds, int count, const char *directory) {
    int lifted[MAX_DESCRIPTORS];
    if (count > MAX_DESCRIPTORS) return EINVAL;
    int error = lift(parent_fds, count, lifted);
    if (error) return error;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    error = add_actions(&actions, child_fds, lifted, count, directory);
    if (error == 0) error = set_attributes(&attributes);
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < count; i++) close(lifted[i]);
    return error;
}

int swiftlet_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int swiftlet_reap(int pidfd, bool *signalled, int *code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -1;
    if (info.si_pid == 0) return 0;
    *signalled = info.si_code != CLD_EXITED;
    *code = info.si_status;
    return 1;
}

int swiftlet_memfile(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int swiftlet_memfd(const char *name, size_t size) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void *swiftlet_map_shared(int fd, size_t offset, size_t length) {
    struct stat status;
    if (fstat(fd, &status) != 0 || (size_t)status.st_size < offset + length) return NULL;
    void *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)offset);
    return base == MAP_FAILED ? NULL : base;
}

void swiftlet_unmap(void *base, size_t length) { munmap(base, length); }

void swiftlet_punch(int fd, size_t offset, size_t length) {
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length);
}

int swiftlet_pipe(int ends[2], bool nonblocking) {
    return pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)) == 0 ? 0 : errno;
}

int swiftlet_socketpair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

#define MESSAGE_FDS 16

int swiftlet_send_message(int socket, const void *bytes, size_t count, const int *fds, int fd_count) {
    if (fd_count < 0 || fd_count > MESSAGE_FDS) return EINVAL;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec piece = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

ssize_t swiftlet_receive_message(int socket, void *bytes, size_t room, int *fds, int *fd_count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
    } control;
    struct iovec piece = {bytes, room};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    *fd_count = 0;
    do {
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return got;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < count && *fd_count < MESSAGE_FDS; i++)
            memcpy(&fds[(*fd_count)++], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
    }
    return got;
}

int swiftlet_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int swiftlet_peer(int socket, pid_t *pid, uid_t *uid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return errno;
    *pid = peer.pid;
    *uid = peer.uid;
    return 0;
}

void swiftlet_line_buffer_output(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void swiftlet_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int swiftlet_random(void *buffer, size_t count) {
    char *next = buffer;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        next += got;
        count -= (size_t)got;
    }
    return 0;
}

/* Name by name, without following any link. */
static int walk_beneath(int base, const char *path, int flags) {
    char name[NAME_MAX + 1];
    int at = fcntl(base, F_DUPFD_CLOEXEC, 0);
    while (at >= 0) {
        const char *slash = strchr(path, '/');
        size_t length = slash != NULL ? (size_t)(slash - path) : strlen(path);
        int next = -1;
        if (length == 0 || length > NAME_MAX) {
            errno = ENOENT;
        } else {
            memcpy(name, path, length);
            name[length] = 0;
            if (strcmp(name, "..") == 0) {
                errno = EXDEV;
            } else {
                next = openat(at, name, O_NOFOLLOW | O_CLOEXEC | (slash != NULL ? O_PATH | O_DIRECTORY : flags));
            }
        }
        int error = errno;
        close(at);
        errno = error;
        if (slash == NULL) return next;
        at = next;
        path = slash + 1;
    }
    return -1;
}

int swiftlet_open_beneath(const char *folder, const char *path) {
    int base = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0) return -1;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int file = -1;
    /* EAGAIN: something was renamed meanwhile. */
    for (int attempt = 0; attempt < 3; attempt++) {
        file = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
        if (file >= 0 || errno != EAGAIN) break;
    }
    /* EPERM: a container's filter that does not know the call. */
    if (file < 0 && (errno == ENOSYS || errno == EPERM)) file = walk_beneath(base, path, flags);
    int error = errno;
    close(base);
    errno = error;
    return file;
}

void swiftlet_trim_heap(void) { malloc_trim(0); }

long swiftlet_clock_error(void) {
    struct timex state = {0};
    int kept = adjtimex(&state);
    if (kept < 0) return -2;
    return kept == TIME_ERROR || (state.status & STA_UNSYNC) ? -1 : state.maxerror;
}
