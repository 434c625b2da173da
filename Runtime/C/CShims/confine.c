#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Landlock as of its sixth version; Debian's headers are older than kernels that have it. */
struct ruleset {
    uint64_t files, network, scopes;
};
struct path_rule {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446

#define EXECUTE (1ULL << 0)
#define READ_FILE (1ULL << 2)
#define READ_DIRECTORY (1ULL << 3)
#define TRUNCATE (1ULL << 14)
#define DEVICE_CONTROL (1ULL << 15)
/* What a rule on a file, and not a directory, may say. */
#define OF_FILES (EXECUTE | (1ULL << 1) | READ_FILE | TRUNCATE | DEVICE_CONTROL)

int swiftlet_landlock_version(void) {
    int version = (int)syscall(CREATE_RULESET, NULL, (size_t)0, 1U);
    return version < 0 ? 0 : version;
}

static uint64_t all_file_access(int version) {
    if (version >= 5) return (1ULL << 16) - 1;
    if (version >= 3) return (1ULL << 15) - 1;
    return version == 2 ? (1ULL << 14) - 1 : (1ULL << 13) - 1;
}

/* A path that is not there needs no rule. */
static int allow(int rules, const char *path, uint64_t access) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == EACCES ? 0 : errno;
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) access &= OF_FILES;
    struct path_rule rule = {access, fd};
    int error = syscall(ADD_RULE, rules, 1, &rule, 0U) == 0 ? 0 : errno;
    close(fd);
    return error;
}

/* Everything but the paths named is out of reach; so are TCP ports unless granted, and signals and abstract sockets of
 * whoever lives outside. */
static int make_rules(const struct swiftlet_confinement *wanted, int *made) {
    int version = swiftlet_landlock_version();
    if (version == 0) return ENOSYS;
    uint64_t all = all_file_access(version);
    struct ruleset ruleset = {all, version >= 4 && !wanted->network ? 3 : 0, version >= 6 ? 3 : 0};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int rules = (int)syscall(CREATE_RULESET, &ruleset, size, 0U);
    if (rules < 0) return errno;
    int error = 0;
    for (int i = 0; i < wanted->readable_count && error == 0; i++)
        error = allow(rules, wanted->readable[i], EXECUTE | READ_FILE | READ_DIRECTORY);
    if (error == 0) error = allow(rules, "/dev/null", READ_FILE | (1ULL << 1) | TRUNCATE);
    if (error == 0 && wanted->directory) error = allow(rules, wanted->directory, all);
    if (error) {
        close(rules);
        return error;
    }
    *made = rules;
    return 0;
}

static int limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {soft, hard};
    return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

static int set_limits(const struct swiftlet_confinement *wanted) {
    int error = limit(RLIMIT_CORE, 0, 0);
    if (error == 0) error = limit(RLIMIT_NOFILE, wanted->open_files, wanted->open_files);
    if (error == 0 && wanted->memory) error = limit(RLIMIT_DATA, wanted->memory, wanted->memory);
    if (error == 0 && wanted->processes) error = limit(RLIMIT_NPROC, wanted->processes, wanted->processes);
    /* The host moves the soft limit on as invocations begin. */
    if (error == 0 && wanted->cpu_seconds) error = limit(RLIMIT_CPU, wanted->cpu_seconds, RLIM_INFINITY);
    return error;
}

static int change_user(uint32_t uid) {
    if (setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) return errno;
    /* One that could go back would not have left. */
    return setresuid(0, 0, 0) == 0 ? EPERM : 0;
}

static int install_filter(const void *bytes, size_t length) {
    struct sock_fprog program = {(unsigned short)(length / sizeof(struct sock_filter)), (struct sock_filter *)bytes};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
}

int swiftlet_confine(const struct swiftlet_confinement *wanted, const char **stage) {
    int error, rules = -1;
    *stage = "limits";
    if ((error = set_limits(wanted))) return error;
    umask(077);
    *stage = "the temporary directory";
    if (wanted->directory && (chdir(wanted->directory) != 0 || setenv("TMPDIR", wanted->directory, 1) != 0)) return errno;
    *stage = "Landlock";
    if (wanted->landlock && (error = make_rules(wanted, &rules))) return error;
    *stage = "the user id";
    if (wanted->uid && (error = change_user(wanted->uid))) return error;
    /* After the change of user, which sets it anew. */
    *stage = "privileges";
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    *stage = "Landlock";
    if (rules >= 0 && syscall(RESTRICT_SELF, rules, 0U) != 0) return errno;
    if (rules >= 0) close(rules);
    *stage = "seccomp";
    if (wanted->filter_length && (error = install_filter(wanted->filter, wanted->filter_length))) return error;
    return 0;
}

/* Where a failed allocation is told, and what handled its signal before. */
static void *exhausted;
static const int fatal[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS};
static struct sigaction before[sizeof fatal / sizeof *fatal];

/* Runs on the thread that crashes. An allocation that fails sets errno, and what cannot go on without it traps next. */
static void on_crash(int signal) {
    if (errno == ENOMEM) swiftlet_store32(exhausted, 1);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (fatal[i] == signal) sigaction(signal, &before[i], NULL);
    /* Comes once this handler has returned, as it is blocked until then. */
    raise(signal);
}

void swiftlet_watch_memory(void *flag) {
    exhausted = flag;
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) sigaction(fatal[i], &action, &before[i]);
}

int swiftlet_renew_cpu(pid_t pid, unsigned seconds) {
    clockid_t clock;
    struct timespec used;
    int error = clock_getcpuclockid(pid, &clock);
    if (error) return error;
    if (clock_gettime(clock, &used) != 0) return errno;
    /* The kernel counts whole seconds. */
    struct rlimit limit = {(rlim_t)used.tv_sec + 1 + seconds, RLIM_INFINITY};
    return prlimit(pid, RLIMIT_CPU, &limit, NULL) == 0 ? 0 : errno;
}
