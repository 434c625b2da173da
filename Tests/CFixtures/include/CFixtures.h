#ifndef CFIXTURES_H
#define CFIXTURES_H

/* Makes a system call past libc, for functions that try what they may not. Returns its result, or minus an errno. */
long fixture_call(long number, long a, long b, long c, long d, long e);

/* Forks until that fails, `most` times at most; the children sleep. Returns how often it went well. */
long fixture_fork_bomb(long most);

#endif
