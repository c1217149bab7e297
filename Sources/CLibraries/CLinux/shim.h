#ifndef GATEHOUSE_CLINUX_SHIM_H
#define GATEHOUSE_CLINUX_SHIM_H

#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>

/* glibc shows memmem(3) only with _GNU_SOURCE. */
extern void *memmem(const void *haystack, size_t count, const void *needle, size_t length);

/* glibc shows this one too only with _GNU_SOURCE (2.34 and later); for tests, which start programs. */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

/* prctl is variadic, which Swift cannot call. */
static inline int gh_set_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int gh_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

/* struct ucred of unix(7), which glibc shows only with _GNU_SOURCE. */
typedef struct {
    int pid;
    unsigned int uid;
    unsigned int gid;
} gh_peer;

#endif
