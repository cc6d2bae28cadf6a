/* Is a library whole? Only for load.c. */
#ifndef PLUGIN_ELF_H
#define PLUGIN_ELF_H

#include "base/error.h"

/* The loader maps a library that was cut short, and the process dies at the first page that is not there. So: do all
 * segments lie inside the file? What is no ELF file at all is left to the loader. */
bioft_status elf_check_whole(const char *path, struct error *err);

#endif
