/* What a C program can ask of its executor beside WASI. Build with -I of this directory. */
#ifndef ZVM_H
#define ZVM_H

#include <wasi/libc-environ.h>

#ifdef __cplusplus
extern "C" {
#endif

__attribute__((import_module("zerovm"), import_name("fork"))) int zvm_import_fork(void);

/*
 * Freeze this program as it is, to be forked for each later request (executor contract, section 6).
 *
 * Returns 0 in a session that goes on from here: its channels, files of removable images and environment are its own.
 * Returns a positive number in the session that froze it, and -1 where nobody takes the program over: go on as usual.
 */
static inline int zvm_fork(void)
{
    int answer = zvm_import_fork();
    if (answer == 0) {
        __wasilibc_deinitialize_environ();
        __wasilibc_maybe_reinitialize_environ_eagerly();
    }
    return answer;
}

#ifdef __cplusplus
}
#endif

#endif
