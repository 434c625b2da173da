#include "CFixtures.h"

#include <errno.h>
#include <unistd.h>

long fixture_call(long number, long a, long b, long c, long d, long e) {
    long result = syscall(number, a, b, c, d, e);
    return result < 0 ? -errno : result;
}

long fixture_fork_bomb(long most) {
    for (long count = 0; count < most; count++) {
        pid_t child = fork();
        if (child < 0) return count;
        if (child == 0)
            while (1) sleep(60);
    }
    return most;
}
