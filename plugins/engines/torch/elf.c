/* ELF64 (System V ABI, chapters 4 and 5; DT_GNU_HASH as glibc reads it), each offset checked against the file. The file is read
 * where it is needed and not mapped: one that is cut meanwhile has no such symbol, and sends no SIGBUS. */
#include "elf.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_NONE };
#endif

/* Bytes at an offset of the file, into *ret. */
static bool get(const struct elf *e, uint64_t offset, void *ret, size_t size)
{
    char *to = ret;

    if (offset > e->size || e->size - offset < size)
        return false;
    while (size > 0) {
        const ssize_t n = pread(e->fd, to, size, (off_t)offset);
        if (n <= 0)
            return false;
        to += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

/* Where an address of the loaded library stands in the file. */
static bool offset_of(const struct elf *e, const Elf64_Ehdr *header, uint64_t address, uint64_t *ret)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr p;
        if (!get(e, header->e_phoff + (uint64_t)i * sizeof p, &p, sizeof p))
            return false;
        if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz) {
            *ret = address - p.p_vaddr + p.p_offset;
            return *ret < e->size;
        }
    }
    return false;
}

static bool find_dynamic(struct elf *e, const Elf64_Ehdr *header)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr p;
        if (!get(e, header->e_phoff + (uint64_t)i * sizeof p, &p, sizeof p))
            return false;
        if (p.p_type != PT_DYNAMIC)
            continue;
        if (p.p_offset > e->size || e->size - p.p_offset < p.p_filesz)
            return false;
        e->dynamic = p.p_offset;
        e->dynamic_count = p.p_filesz / sizeof(Elf64_Dyn);
        return true;
    }
    return false;
}

static bool entry(const struct elf *e, size_t i, Elf64_Dyn *ret)
{
    return i < e->dynamic_count && get(e, e->dynamic + i * sizeof *ret, ret, sizeof *ret) && ret->d_tag != DT_NULL;
}

static bool find_tables(struct elf *e, const Elf64_Ehdr *header)
{
    Elf64_Dyn d;
    char last;

    for (size_t i = 0; entry(e, i, &d); i++) {
        uint64_t *at = d.d_tag == DT_STRTAB     ? &e->strings
                       : d.d_tag == DT_SYMTAB   ? &e->symbols
                       : d.d_tag == DT_GNU_HASH ? &e->hash
                                                : NULL;
        if (d.d_tag == DT_STRSZ)
            e->strings_size = d.d_un.d_val;
        if (at && !offset_of(e, header, d.d_un.d_ptr, at))
            return false;
    }
    return e->strings && e->symbols && e->hash && e->strings_size > 0 && e->strings_size <= e->size - e->strings &&
           get(e, e->strings + e->strings_size - 1, &last, 1) && last == '\0';
}

bool elf_open(const char *path, struct elf *ret, char *why, size_t size)
{
    struct elf e = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    struct stat status;
    Elf64_Ehdr header;

    if (e.fd >= 0 && fstat(e.fd, &status) == 0 && S_ISREG(status.st_mode))
        e.size = (uint64_t)status.st_size;
    if (e.size == 0) {
        snprintf(why, size, "%s cannot be read", path);
    } else if (!get(&e, 0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
               header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN ||
               header.e_phentsize != sizeof(Elf64_Phdr)) {
        snprintf(why, size, "%s is not a shared library", path);
    } else if (header.e_machine != MACHINE) {
        snprintf(why, size, "%s is for another kind of machine", path);
    } else if (!find_dynamic(&e, &header) || !find_tables(&e, &header)) {
        snprintf(why, size, "%s is damaged or cut short: install it again", path);
    } else {
        *ret = e;
        return true;
    }
    elf_close(&e);
    return false;
}

void elf_close(struct elf *e)
{
    if (e->fd >= 0)
        close(e->fd);
    *e = (struct elf){ .fd = -1 };
}

/* Does the string at `index` of the string table begin with these bytes? */
static bool is_string(const struct elf *e, uint64_t index, const char *text, size_t size)
{
    char part[64];

    if (index >= e->strings_size || size > e->strings_size - index)
        return false;
    for (size_t at = 0; at < size; at += sizeof part) {
        const size_t n = size - at < sizeof part ? size - at : sizeof part;
        if (!get(e, e->strings + index + at, part, n) || memcmp(part, text + at, n) != 0)
            return false;
    }
    return true;
}

static bool is_defined(const struct elf *e, uint64_t index, const char *name)
{
    Elf64_Sym s;

    return index < e->size / sizeof s && get(e, e->symbols + index * sizeof s, &s, sizeof s) &&
           s.st_shndx != SHN_UNDEF && is_string(e, s.st_name, name, strlen(name) + 1);
}

bool elf_defines(const struct elf *e, const char *name)
{
    uint32_t hash = 5381, head[4], index; /* head: buckets, first symbol, words of the bloom filter, shift */
    uint64_t buckets;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (!get(e, e->hash, head, sizeof head) || head[0] == 0)
        return false;
    buckets = e->hash + sizeof head + (uint64_t)head[2] * 8;
    if (!get(e, buckets + (uint64_t)(hash % head[0]) * 4, &index, sizeof index))
        return false;
    for (; index >= head[1]; index++) {
        uint32_t chained;
        if (!get(e, buckets + (uint64_t)head[0] * 4 + (uint64_t)(index - head[1]) * 4, &chained, sizeof chained))
            return false;
        if ((chained | 1) == (hash | 1) && is_defined(e, index, name))
            return true;
        if (chained & 1)
            return false;
    }
    return false;
}

bool elf_string(const struct elf *e, uint64_t tag, size_t nth, char *ret, size_t size)
{
    Elf64_Dyn d;

    for (size_t i = 0; entry(e, i, &d); i++)
        if ((uint64_t)d.d_tag == tag && nth-- == 0) {
            const uint64_t left = d.d_un.d_val < e->strings_size ? e->strings_size - d.d_un.d_val : 0;
            const size_t n = left < size ? (size_t)left : size;
            return n > 0 && get(e, e->strings + d.d_un.d_val, ret, n) && memchr(ret, '\0', n);
        }
    return false;
}
