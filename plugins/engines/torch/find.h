/* Finding libtorch, without opening it. */
#ifndef TORCH_FIND_H
#define TORCH_FIND_H

#include <stdbool.h>
#include <stddef.h>

#define TORCH_OLDEST "2.10"
enum { TORCH_MAJOR = 2 }; /* newer ones promise nothing */

struct found {
    char file[4096];   /* libtorch_cpu.so */
    char folder[4096]; /* that it stands in */
    char version[48];  /* "2.15.0+cu132", or "" where nothing beside the library says it */
    bool cuda;         /* libtorch_cuda.so or libtorch_hip.so stands beside it */
};

/* In this order: `folder` where it is not NULL, BIOFT_TORCH_LIBRARY, the active virtual or conda environment, the
 * site-packages of each python3 on PATH and of the user, the system's folders. The first two decide alone. What is
 * found has every function that is needed and every library that it needs beside itself. false: `why` is a sentence. */
bool library_find(const char *folder, struct found *ret, char *why, size_t size);

#endif
