// libseccomp's actions are macros with arguments, which Swift does not see.
#ifndef SWIFTLET_CSECCOMP_H
#define SWIFTLET_CSECCOMP_H

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>

static inline uint32_t swiftlet_seccomp_refuse(int error) { return SCMP_ACT_ERRNO(error); }
static inline uint32_t swiftlet_seccomp_allow(void) { return SCMP_ACT_ALLOW; }

#endif
