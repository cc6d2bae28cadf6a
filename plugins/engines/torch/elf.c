/* ELF64 (System V ABI, chapters 4 and 5; DT_GNU_HASH as glibc reads it), each offset checked against the file. */
#include "elf.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#else
enum { MACHINE = EM_NONE };
#endif

/* `count` items of `size` bytes at an offset, into *ret; the offset need not be aligned. */
static bool get(const struct elf *e, uint64_t offset, void *ret, size_t size)
{
    if (offset > e->size || e->size - offset < size)
        return false;
    memcpy(ret, e->file + offset, size);
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
        e->dynamic = e->file + p.p_offset;
        e->dynamic_count = p.p_filesz / sizeof(Elf64_Dyn);
        return true;
    }
    return false;
}

static Elf64_Dyn entry(const struct elf *e, size_t i)
{
    Elf64_Dyn d;

    memcpy(&d, e->dynamic + i * sizeof d, sizeof d);
    return d;
}

static bool find_tables(struct elf *e, const Elf64_Ehdr *header)
{
    for (size_t i = 0; i < e->dynamic_count; i++) {
        const Elf64_Dyn d = entry(e, i);
        uint64_t at;
        if (d.d_tag == DT_NULL)
            break;
        if (d.d_tag == DT_STRSZ)
            e->strings_size = d.d_un.d_val;
        if (d.d_tag != DT_STRTAB && d.d_tag != DT_SYMTAB && d.d_tag != DT_GNU_HASH)
            continue;
        if (!offset_of(e, header, d.d_un.d_ptr, &at))
            return false;
        if (d.d_tag == DT_STRTAB) {
            e->strings = (const char *)e->file + at;
        } else if (d.d_tag == DT_SYMTAB) {
            e->symbols = e->file + at;
            e->symbols_size = e->size - at;
        } else {
            e->hash = e->file + at;
            e->hash_size = e->size - at;
        }
    }
    return e->strings && e->symbols && e->hash && e->strings_size > 0 &&
           e->strings_size <= e->size - (size_t)((const unsigned char *)e->strings - e->file) &&
           e->strings[e->strings_size - 1] == '\0';
}

bool elf_open(const char *path, struct elf *ret, char *why, size_t size)
{
    struct elf e = { .file = MAP_FAILED };
    struct stat status;
    Elf64_Ehdr header;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        e.size = (size_t)status.st_size;
        e.file = mmap(NULL, e.size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (fd >= 0)
        close(fd);
    if (e.file == MAP_FAILED) {
        snprintf(why, size, "%s cannot be read", path);
        return false;
    }
    if (!get(&e, 0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr)) {
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
    if (e->size > 0 && e->file && e->file != MAP_FAILED)
        munmap((void *)(uintptr_t)e->file, e->size);
    *e = (struct elf){ .file = NULL };
}

static uint32_t word(const unsigned char *at)
{
    uint32_t ret;

    memcpy(&ret, at, sizeof ret);
    return ret;
}

static bool is_defined(const struct elf *e, uint64_t index, const char *name)
{
    Elf64_Sym s;

    if (index >= e->symbols_size / sizeof s)
        return false;
    memcpy(&s, e->symbols + index * sizeof s, sizeof s);
    return s.st_name < e->strings_size && s.st_shndx != SHN_UNDEF && strcmp(e->strings + s.st_name, name) == 0;
}

bool elf_defines(const struct elf *e, const char *name)
{
    enum { HEADER = 16 };
    uint32_t hash = 5381, buckets, first, bloom, index;
    uint64_t at;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (e->hash_size < HEADER)
        return false;
    buckets = word(e->hash);
    first = word(e->hash + 4);
    bloom = word(e->hash + 8);
    at = HEADER + (uint64_t)bloom * 8;
    if (buckets == 0 || at + (uint64_t)buckets * 4 > e->hash_size)
        return false;
    index = word(e->hash + at + (uint64_t)(hash % buckets) * 4);
    at += (uint64_t)buckets * 4;
    for (; index >= first; index++) {
        const uint64_t link = at + (uint64_t)(index - first) * 4;
        uint32_t chained;
        if (link + 4 > e->hash_size)
            return false;
        chained = word(e->hash + link);
        if ((chained | 1) == (hash | 1) && is_defined(e, index, name))
            return true;
        if (chained & 1)
            return false;
    }
    return false;
}

const char *elf_string(const struct elf *e, uint64_t tag, size_t nth)
{
    for (size_t i = 0; i < e->dynamic_count; i++) {
        const Elf64_Dyn d = entry(e, i);
        if (d.d_tag == DT_NULL)
            break;
        if ((uint64_t)d.d_tag == tag && nth-- == 0)
            return d.d_un.d_val < e->strings_size ? e->strings + d.d_un.d_val : NULL;
    }
    return NULL;
}
