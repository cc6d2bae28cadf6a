/* The zip archive of a .pth or .npz: end records, central directory and local headers must agree. */
#include "formats/zip.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    END64_SIZE = 56,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MOST = 65535,
    ENTRIES_MOST = 200000,
    DIRECTORY_MOST = 64 << 20,
    FLAG_ENCRYPTED = 1,
    FLAGS_LEVEL = 6, /* how deflate was told to work: of no interest */
    FLAG_DESCRIPTOR = 8,
    FLAG_UTF8 = 0x800,
    EXTRA_ZIP64 = 1,
    DEFLATE = 8,
    EXPANSION = 1032, /* no deflated byte becomes more */
    BLOCK = 64 << 10
};
static const uint32_t END_MAGIC = 0x06054b50, END64_MAGIC = 0x06064b50, LOCATOR_MAGIC = 0x07064b50,
                      CENTRAL_MAGIC = 0x02014b50, LOCAL_MAGIC = 0x04034b50;

struct reading {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    enum zip_kind kind;
    uint64_t entries, directory, directory_size; /* as the end records say */
    uint64_t directory_end;                      /* where they begin */
    const uint8_t *folder;                       /* of the first entry, with its slash */
    size_t folder_length;
    struct error *err;
};

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint16_t u16(const uint8_t *at) { return (uint16_t)number(at, 2); }

static uint32_t u32(const uint8_t *at) { return (uint32_t)number(at, 4); }

static uint64_t u64(const uint8_t *at) { return number(at, 8); }

__attribute__((format(printf, 3, 4))) static bioft_status damaged(const struct reading *r, uint64_t at,
                                                                  const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: zip directory damaged: %s (at byte %llu)", r->name, what,
                     (unsigned long long)at);
}

/* About one entry, by the name in the archive. */
static bioft_status bad_entry(const struct reading *r, const uint8_t *path, size_t length, const char *what)
{
    char escaped[TEXT_ESCAPED];
    return error_set(r->err, BIOFT_ERR_FORMAT, "%s: zip entry '%s': %s", r->name,
                     text_escape(escaped, (const char *)path, length), what);
}

/* The end record is the one whose comment ends where the file does; there must be no other. */
static bioft_status find_end(const struct reading *r, uint64_t *ret)
{
    unsigned found = 0;
    if (r->size < END_SIZE)
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: cut short: %zu bytes are not a zip archive; fetch the file again", r->name, r->size);
    const uint64_t last = r->size - END_SIZE, span = last < COMMENT_MOST ? last : COMMENT_MOST;
    for (uint64_t comment = 0; comment <= span; comment++) {
        const uint8_t *at = r->bytes + (last - comment);
        if (u32(at) == END_MAGIC && u16(at + 20) == comment) {
            *ret = last - comment;
            found++;
        }
    }
    if (found == 0)
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: cut short or damaged: a zip archive of %zu bytes without its end "
                         "record;"
                         " fetch the file again",
                         r->name, r->size);
    return found == 1 ? BIOFT_OK : damaged(r, *ret, "%u end records", found);
}

/* Where the classic record has no room it is all ones, and the zip64 one holds. */
static bioft_status agree(const struct reading *r, uint64_t at, uint64_t classic, uint64_t all_ones, uint64_t wide,
                          const char *what)
{
    if (classic == all_ones || classic == wide)
        return BIOFT_OK;
    return damaged(r, at, "its end records differ in %s, %llu and %llu", what, (unsigned long long)classic,
                   (unsigned long long)wide);
}

/* The zip64 record, which must stand right before its locator. */
static bioft_status read_end64(struct reading *r, uint64_t locator, const uint8_t *end)
{
    const uint8_t *l = r->bytes + locator;
    const uint64_t at = u64(l + 8);
    bioft_status st;
    if (u32(l + 4) > 1 || u32(l + 16) > 1)
        return damaged(r, locator, "several disks");
    if (locator < END64_SIZE || at > locator - END64_SIZE || u32(r->bytes + at) != END64_MAGIC ||
        u64(r->bytes + at + 4) != locator - at - 12)
        return damaged(r, locator, "no zip64 end record before its locator, but at %llu", (unsigned long long)at);
    const uint8_t *e = r->bytes + at;
    if (u32(e + 16) > 1 || u32(e + 20) > 1)
        return damaged(r, at, "several disks");
    if (u64(e + 24) != u64(e + 32))
        return damaged(r, at, "two numbers of entries");
    r->entries = u64(e + 32);
    r->directory_size = u64(e + 40);
    r->directory = u64(e + 48);
    r->directory_end = at;
    st = agree(r, at, u16(end + 10), UINT16_MAX, r->entries, "the number of entries");
    if (st != BIOFT_OK)
        return st;
    st = agree(r, at, u32(end + 12), UINT32_MAX, r->directory_size, "the directory's size");
    if (st != BIOFT_OK)
        return st;
    return agree(r, at, u32(end + 16), UINT32_MAX, r->directory, "the directory's place");
}

static bioft_status read_end(struct reading *r)
{
    uint64_t at = 0, end;
    bioft_status st = find_end(r, &at);
    if (st != BIOFT_OK)
        return st;
    const uint8_t *e = r->bytes + at;
    const bool wide = at >= LOCATOR_SIZE && u32(r->bytes + at - LOCATOR_SIZE) == LOCATOR_MAGIC;
    for (unsigned i = 4; i <= 6; i += 2)
        if (u16(e + i) > 1 && !(wide && u16(e + i) == UINT16_MAX))
            return damaged(r, at, "several disks");
    if (u16(e + 8) != u16(e + 10))
        return damaged(r, at, "two numbers of entries");
    r->entries = u16(e + 10);
    r->directory_size = u32(e + 12);
    r->directory = u32(e + 16);
    r->directory_end = at;
    if (wide)
        st = read_end64(r, at - LOCATOR_SIZE, e);
    if (st != BIOFT_OK)
        return st;
    if (__builtin_add_overflow(r->directory, r->directory_size, &end) || end != r->directory_end)
        return damaged(r, at, "%llu bytes from %llu on do not end at the end records",
                       (unsigned long long)r->directory_size, (unsigned long long)r->directory);
    if (r->entries > ENTRIES_MOST || r->directory_size > DIRECTORY_MOST)
        return damaged(r, at, "%llu entries in %llu bytes, at most %d in %d", (unsigned long long)r->entries,
                       (unsigned long long)r->directory_size, ENTRIES_MOST, DIRECTORY_MOST);
    if (r->entries > r->directory_size / CENTRAL_SIZE)
        return damaged(r, at, "%llu bytes do not hold %llu entries", (unsigned long long)r->directory_size,
                       (unsigned long long)r->entries);
    return BIOFT_OK;
}

struct central { /* a central entry's numbers */
    uint64_t size, stored, header;
    uint32_t crc;
    uint16_t flags, method, disk;
    const uint8_t *path, *extra;
    size_t path_length, extra_length;
};

/* The zip64 field has a value for each number that is all ones, in this order. */
static bioft_status read_wide(const struct reading *r, struct central *c, const uint8_t *field, size_t length)
{
    uint64_t *const values[] = { &c->size, &c->stored, &c->header };
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        if (*values[i] != UINT32_MAX)
            continue;
        if (length - at < 8)
            return bad_entry(r, c->path, c->path_length, "its zip64 field is too short");
        *values[i] = u64(field + at);
        at += 8;
    }
    if (c->disk == UINT16_MAX && length - at == 4) {
        c->disk = u32(field + at) > 1 ? 2 : 0;
        at += 4;
    }
    if (at != length)
        return bad_entry(r, c->path, c->path_length, "its zip64 field is too long");
    return BIOFT_OK;
}

static bioft_status read_extra(const struct reading *r, struct central *c)
{
    bool wide = false;
    for (size_t at = 0; at < c->extra_length;) {
        const size_t left = c->extra_length - at;
        if (left < 4 || u16(c->extra + at + 2) > left - 4)
            return bad_entry(r, c->path, c->path_length, "its extra fields run past their end");
        const uint8_t *field = c->extra + at;
        at += 4 + (size_t)u16(field + 2);
        if (u16(field) != EXTRA_ZIP64)
            continue;
        if (wide)
            return bad_entry(r, c->path, c->path_length, "two zip64 fields");
        wide = true;
        bioft_status st = read_wide(r, c, field + 4, u16(field + 2));
        if (st != BIOFT_OK)
            return st;
    }
    if (!wide && (c->size == UINT32_MAX || c->stored == UINT32_MAX || c->header == UINT32_MAX))
        return bad_entry(r, c->path, c->path_length, "its zip64 field is missing");
    return BIOFT_OK;
}

/* Deflated: as much as it says is possible. */
static bioft_status check_deflated(const struct reading *r, const struct central *c)
{
    if (c->size / EXPANSION > c->stored + BLOCK)
        return bad_entry(r, c->path, c->path_length, "declares an impossible unpacked size");
    return BIOFT_OK;
}

static bioft_status check_central(const struct reading *r, const struct central *c)
{
    if (c->flags & FLAG_ENCRYPTED)
        return bad_entry(r, c->path, c->path_length, "encrypted");
    if (c->disk > 1)
        return bad_entry(r, c->path, c->path_length, "on another disk");
    if (r->kind == ZIP_NUMPY && c->method == DEFLATE)
        return check_deflated(r, c);
    if (r->kind == ZIP_NUMPY && c->method != 0)
        return bad_entry(r, c->path, c->path_length,
                         "compressed in another way than by deflate; numpy.savez_compressed it again");
    if (r->kind == ZIP_TORCH && c->flags & ~(FLAG_DESCRIPTOR | FLAG_UTF8))
        return bad_entry(r, c->path, c->path_length, "flags that PyTorch does not write");
    if (c->method != 0)
        return bad_entry(r, c->path, c->path_length,
                         "compressed, and PyTorch stores; load the file with torch.load and "
                         "torch.save it again");
    if (c->size != c->stored)
        return bad_entry(r, c->path, c->path_length, "stored, but of two sizes");
    return BIOFT_OK;
}

/* What torch.jit.save writes beside the data, and torch.save does not. */
static bool is_script(const uint8_t *path, size_t length)
{
    return (length >= 5 && memcmp(path, "code/", 5) == 0) || (length == 13 && memcmp(path, "constants.pkl", 13) == 0);
}

/* One folder over all, names that are names. */
static bioft_status check_path(struct reading *r, const struct central *c)
{
    const uint8_t *slash = memchr(c->path, '/', c->path_length);
    const size_t length = c->path_length;
    if (utf8_valid(c->path, length) != length || memchr(c->path, '\\', length) || memchr(c->path, 0, length) ||
        length == 0 || c->path[length - 1] == '/')
        return bad_entry(r, c->path, length, "no file name in UTF-8");
    if (r->kind == ZIP_NUMPY)
        return slash ? bad_entry(r, c->path, length, "in a folder, where arrays are in none") : BIOFT_OK;
    if (!slash || slash == c->path)
        return bad_entry(r, c->path, length, "not in a folder");
    if (!r->folder) {
        r->folder = c->path;
        r->folder_length = (size_t)(slash - c->path) + 1;
    }
    if (is_script(slash + 1, length - (size_t)(slash + 1 - c->path)))
        return error_set(r->err, BIOFT_ERR_FORMAT,
                         "%s: a TorchScript archive, not a state dict: save model.state_dict()", r->name);
    if (length <= r->folder_length || memcmp(c->path, r->folder, r->folder_length) != 0)
        return bad_entry(r, c->path, length, "not in one folder with the others");
    return BIOFT_OK;
}

/* The local header must name the same; its sizes may be left to the directory. */
static bioft_status read_local(const struct reading *r, const struct central *c, struct zip_entry *ret)
{
    uint64_t begin, end;
    if (c->header > r->directory || r->directory - c->header < LOCAL_SIZE || u32(r->bytes + c->header) != LOCAL_MAGIC)
        return bad_entry(r, c->path, c->path_length, "no local header at the directory's offset");
    const uint8_t *h = r->bytes + c->header;
    begin = c->header + LOCAL_SIZE + u16(h + 26) + u16(h + 28);
    if (begin > r->directory)
        return bad_entry(r, c->path, c->path_length, "its local header runs past the end");
    if (u16(h + 26) != c->path_length || memcmp(h + LOCAL_SIZE, c->path, c->path_length) != 0)
        return bad_entry(r, c->path, c->path_length, "another name in its local header");
    if (u16(h + 8) != c->method || u16(h + 6) & FLAG_ENCRYPTED)
        return bad_entry(r, c->path, c->path_length, "another method in its local header");
    if (__builtin_add_overflow(begin, c->stored, &end) || end > r->directory)
        return bad_entry(r, c->path, c->path_length, "its data runs past the end");
    *ret = (struct zip_entry){
        .path = (const char *)c->path + r->folder_length,
        .path_length = c->path_length - r->folder_length,
        .bytes = r->bytes + begin,
        .size = (size_t)c->stored,
        .unpacked = c->size,
        .deflated = c->method == DEFLATE,
        .kind = r->kind,
        .crc = c->crc,
        .header = c->header,
        .end = end,
    };
    return BIOFT_OK;
}

/* The central entry at *at, which moves past it. */
static bioft_status read_entry(struct reading *r, uint64_t *at, struct zip_entry *ret)
{
    const uint64_t left = r->directory_end - *at;
    const uint8_t *e = r->bytes + *at;
    if (left < CENTRAL_SIZE || u32(e) != CENTRAL_MAGIC)
        return damaged(r, *at, "no entry where one should be");
    struct central c = {
        .flags = u16(e + 8),
        .method = u16(e + 10),
        .crc = u32(e + 16),
        .stored = u32(e + 20),
        .size = u32(e + 24),
        .path_length = u16(e + 28),
        .extra_length = u16(e + 30),
        .disk = u16(e + 34),
        .header = u32(e + 42),
        .path = e + CENTRAL_SIZE,
    };
    const uint64_t length = CENTRAL_SIZE + c.path_length + c.extra_length + u16(e + 32);
    if (length > left)
        return damaged(r, *at, "an entry runs past the directory's end");
    c.extra = c.path + c.path_length;
    *at += length;
    bioft_status st = read_extra(r, &c);
    if (st == BIOFT_OK)
        st = check_path(r, &c);
    if (st == BIOFT_OK)
        st = check_central(r, &c);
    return st == BIOFT_OK ? read_local(r, &c, ret) : st;
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return x->header < y->header ? -1 : x->header > y->header;
}

static int compare_path(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : a_length < b_length ? -1 : a_length > b_length;
}

static int compare_entries(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return compare_path(x->path, x->path_length, y->path, y->path_length);
}

/* The file begins with an entry, none lies over another, and no name stands twice. */
static bioft_status check_entries(const struct reading *r, struct zip *zip)
{
    struct zip_entry *e = zip->entries;
    if (zip->count == 0)
        return damaged(r, r->directory, "no entries");
    qsort(e, zip->count, sizeof *e, compare_places);
    if (e[0].header != 0)
        return damaged(r, 0, "the file does not begin with an entry");
    for (size_t i = 1; i < zip->count; i++)
        if (e[i].header < e[i - 1].end)
            return bad_entry(r, (const uint8_t *)e[i].path, e[i].path_length, "lies over another: overlap");
    qsort(e, zip->count, sizeof *e, compare_entries);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_entries(&e[i - 1], &e[i]) == 0)
            return bad_entry(r, (const uint8_t *)e[i].path, e[i].path_length, "duplicate entry");
    return BIOFT_OK;
}

bioft_status zip_parse(const char *name, const uint8_t *bytes, size_t size, enum zip_kind kind, struct zip *ret,
                       struct error *err)
{
    struct reading r = { .name = name, .bytes = bytes, .size = size, .kind = kind, .err = err };
    struct zip zip = { 0 };
    bioft_status st = read_end(&r);
    if (st != BIOFT_OK)
        return st;
    zip.count = (size_t)r.entries;
    zip.entries = mem_array(zip.count, sizeof *zip.entries);
    if (!zip.entries)
        return error_memory(err, name);
    uint64_t at = r.directory;
    for (size_t i = 0; i < zip.count && st == BIOFT_OK; i++)
        st = read_entry(&r, &at, &zip.entries[i]);
    if (st == BIOFT_OK && at != r.directory_end)
        st = damaged(&r, at, "bytes after the last of its %zu entries", zip.count);
    if (st == BIOFT_OK)
        st = check_entries(&r, &zip);
    if (st != BIOFT_OK) {
        zip_free(&zip);
        return st;
    }
    *ret = zip;
    return BIOFT_OK;
}

void zip_free(struct zip *zip)
{
    free(zip->entries);
    *zip = (struct zip){ 0 };
}

const struct zip_entry *zip_find(const struct zip *zip, const char *path, size_t length)
{
    size_t low = 0, high = zip->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct zip_entry *e = &zip->entries[middle];
        const int order = compare_path(path, length, e->path, e->path_length);
        if (order == 0)
            return e;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
