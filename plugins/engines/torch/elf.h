/* What a shared library says of itself, read from its file: nothing of it runs. */
#ifndef TORCH_ELF_H
#define TORCH_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
    const unsigned char *file;      /* mapped */
    size_t size;
    const char *strings;
    size_t strings_size;
    const unsigned char *symbols, *hash;           /* DT_SYMTAB, DT_GNU_HASH */
    size_t symbols_size, hash_size;                /* to the file's end */
    const unsigned char *dynamic;
    size_t dynamic_count;
};

/* A library for this machine, with a symbol table. false: `why` says what it is instead. */
bool elf_open(const char *path, struct elf *ret, char *why, size_t size);
void elf_close(struct elf *e);
/* Does it define the symbol? */
bool elf_defines(const struct elf *e, const char *name);
/* The nth entry of a tag that holds a string: DT_NEEDED, DT_RPATH, DT_RUNPATH. NULL: no more. */
const char *elf_string(const struct elf *e, uint64_t tag, size_t nth);

#endif
