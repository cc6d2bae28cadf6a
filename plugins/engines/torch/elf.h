/* What a shared library says of itself, read from its file: nothing of it runs. */
#ifndef TORCH_ELF_H
#define TORCH_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
    int fd;
    uint64_t size;                            /* of the file; offsets in it: */
    uint64_t strings, symbols, hash, dynamic; /* DT_STRTAB, DT_SYMTAB, DT_GNU_HASH, PT_DYNAMIC */
    uint64_t strings_size, dynamic_count;
};

/* A library for this machine, with a symbol table. false: `why` says what it is instead. */
bool elf_open(const char *path, struct elf *ret, char *why, size_t size);
void elf_close(struct elf *e);
/* Does it define the symbol? */
bool elf_defines(const struct elf *e, const char *name);
/* The nth entry of a tag that holds a string: DT_NEEDED, DT_RPATH, DT_RUNPATH. false: no more, or longer than size. */
bool elf_string(const struct elf *e, uint64_t tag, size_t nth, char *ret, size_t size);

#endif
