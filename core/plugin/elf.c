/* The program headers of an ELF file (System V ABI, chapters 4 and 5), held against the file's size. */
#include "plugin/elf.h"
#include "base/file.h"

#include <link.h>
#include <string.h>

static bool inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

bioft_status elf_check_whole(const char *path, struct error *err)
{
    struct file_map map;
    ElfW(Ehdr) head;
    bioft_status st = file_map_open(path, &map, err);
    if (st != BIOFT_OK)
        return st;
    bool whole = true;
    if (map.size >= SELFMAG && memcmp(map.bytes, ELFMAG, SELFMAG) == 0) {
        whole = map.size >= sizeof head;
        if (whole)
            memcpy(&head, map.bytes, sizeof head);
        whole = whole && (head.e_phnum == 0 || head.e_phentsize == sizeof(ElfW(Phdr))) &&
                inside(head.e_phoff, (uint64_t)head.e_phnum * sizeof(ElfW(Phdr)), map.size);
        for (size_t i = 0; whole && i < head.e_phnum; i++) {
            ElfW(Phdr) segment;
            memcpy(&segment, map.bytes + head.e_phoff + i * sizeof segment, sizeof segment);
            whole = segment.p_type != PT_LOAD || inside(segment.p_offset, segment.p_filesz, map.size);
        }
    }
    if (!whole)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: not a loadable library: cut short, or of another kind of machine",
                       path);
    st = file_map_check(&map, st, err);
    file_map_close(&map);
    return st;
}
