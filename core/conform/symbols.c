/* What a library takes from others: the undefined names of its dynamic symbol table (System V ABI, chapter 4). */
#include "conform/symbols.h"

#include "base/file.h"
#include <link.h>
#include <string.h>

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

/* Section `index`; false where it does not lie inside the file. */
static bool section(const struct file_map *m, const ElfW(Ehdr) * head, uint64_t index, ElfW(Shdr) * ret)
{
    if (index >= head->e_shnum || head->e_shentsize != sizeof *ret ||
        !inside(head->e_shoff, (uint64_t)head->e_shnum * sizeof *ret, m->size))
        return false;
    memcpy(ret, m->bytes + head->e_shoff + index * sizeof *ret, sizeof *ret);
    return ret->sh_type == SHT_NOBITS || inside(ret->sh_offset, ret->sh_size, m->size);
}

static void each_symbol(const struct file_map *m, const ElfW(Shdr) * table, const ElfW(Shdr) * strings,
                        void (*each)(void *ctx, const char *name), void *ctx)
{
    for (uint64_t at = 0; at + sizeof(ElfW(Sym)) <= table->sh_size; at += sizeof(ElfW(Sym))) {
        ElfW(Sym) s;
        memcpy(&s, m->bytes + table->sh_offset + at, sizeof s);
        if (s.st_shndx != SHN_UNDEF || s.st_name == 0 || s.st_name >= strings->sh_size)
            continue;
        const char *name = (const char *)m->bytes + strings->sh_offset + s.st_name;
        if (memchr(name, 0, strings->sh_size - s.st_name))
            each(ctx, name);
    }
}

bioft_status undefined_symbols(const char *path, void (*each)(void *ctx, const char *name), void *ctx,
                               struct error *err)
{
    struct file_map m;
    ElfW(Ehdr) head;
    ElfW(Shdr) table, strings;
    bioft_status st = file_map_open(path, &m, err);
    if (st != BIOFT_OK)
        return st;
    if (m.size >= sizeof head && memcmp(m.bytes, ELFMAG, SELFMAG) == 0) {
        memcpy(&head, m.bytes, sizeof head);
        for (uint64_t i = 0; i < head.e_shnum; i++)
            if (section(&m, &head, i, &table) && table.sh_type == SHT_DYNSYM &&
                section(&m, &head, table.sh_link, &strings) && strings.sh_type == SHT_STRTAB)
                each_symbol(&m, &table, &strings, each, ctx);
    }
    st = file_map_check(&m, st, err);
    file_map_close(&m);
    return st;
}
