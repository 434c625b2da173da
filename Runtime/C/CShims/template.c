#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 8

int swiftlet_seqpacket(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

int swiftlet_send(int socket, int32_t word, const int *fds, int count) {
    if (count > DESCRIPTORS_MAX) return EINVAL;
    union {
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
        struct cmsghdr aligned;
    } control;
    memset(&control, 0, sizeof control);
    struct iovec piece = {&word, sizeof word};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

int swiftlet_receive(int socket, int32_t *word, int *fds, int most) {
    union {
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
        struct cmsghdr aligned;
    } control;
    struct iovec piece = {word, sizeof *word};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do {
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof *word) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header) return 0;
    int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    const int *sent = (const int *)CMSG_DATA(header);
    for (int i = 0; i < count; i++) {
        if (i < most)
            fds[i] = sent[i];
        else
            close(sent[i]);
    }
    return count < most ? count : most;
}

int swiftlet_thread_count(void) {
    struct stat status;
    /* A directory has two links, and one more for each directory in it. */
    return stat("/proc/self/task", &status) == 0 ? (int)status.st_nlink - 2 : -1;
}

pid_t swiftlet_fork_sibling(void) {
    if (swiftlet_thread_count() != 1) {
        errno = EBUSY;
        return -1;
    }
    /* Where libc keeps the thread's id: the kernel is to write the child's there, as libc's own fork has it do. */
    int *thread = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &thread) != 0 || !thread) return -1;
    unsigned long flags = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
#ifdef __x86_64__
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, thread, NULL);
#else
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, thread);
#endif
}

int swiftlet_become(const int *fds, int count, int first) {
    int lifted[DESCRIPTORS_MAX];
    if (count > DESCRIPTORS_MAX) return EINVAL;
    /* Above the numbers they are to have, so that none overwrites a later one. */
    for (int i = 0; i < count; i++)
        if ((lifted[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64)) < 0) return errno;
    for (int i = 0; i < count; i++)
        if (dup2(lifted[i], first + i) < 0) return errno;
    if (close_range((unsigned)(first + count), ~0U, 0) != 0) return errno;
    return setpgid(0, 0) == 0 ? 0 : errno;
}
