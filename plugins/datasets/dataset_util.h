/* What the datasets of this folder share: the files extension, the protocol, one label as a bit. */
#ifndef DATASET_UTIL_H
#define DATASET_UTIL_H

#include <bioft/dataset.h>
#include <bioft/util.h>
#include <string.h>

static inline const bioft_files *files_of(const bioft_host *host) { return host->get_extension(host, "bioft.files/1"); }

/* What describe() begins with: "bioft.files/1" into *ret, and no protocol but those that this dataset
 * has splits for. known: "classification" and such, NULL at the end. */
static inline bioft_status open_files(const bioft_host *host, const char *const *known, const bioft_files **ret)
{
    const bioft_files *files = files_of(host);
    const char *asked = files ? files->protocol(host) : NULL;
    if (!files)
        return host->fail(host, BIOFT_ERR_UNSUPPORTED, "the host has no bioft.files/1");
    *ret = files;
    for (size_t i = 0; asked && known[i]; i++)
        if (!strcmp(asked, known[i]))
            return BIOFT_OK;
    if (!asked)
        return BIOFT_OK;
    return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "protocol '%s' is not known; there is '%s'%s%s%s", asked, known[0],
                       known[1] ? " and '" : "", known[1] ? known[1] : "", known[1] ? "'" : "");
}

/* "n01440764": how ImageNet writes a class. */
static inline int is_wnid(const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    return length == 9 && text[0] == 'n';
}

/* An image by the end of its file's name, in either case: jpg, jpeg or png. What it really is, its
 * first bytes say later. */
static inline int is_image(const char *name)
{
    static const char *const ends[] = { ".jpg", ".jpeg", ".png" };
    const size_t length = strlen(name);

    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        const size_t n = strlen(ends[k]);
        size_t same = 0;
        while (length > n && same < n) {
            const char ch = name[length - n + same];
            if ((ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch) != ends[k][same])
                break;
            same++;
        }
        if (same == n)
            return 1;
    }
    return 0;
}

static inline int is_folder(const char *entry)
{
    const size_t length = strlen(entry);
    return length && entry[length - 1] == '/';
}

static inline void set_label(uint64_t *bits, uint32_t label) { bits[label / 64] |= UINT64_C(1) << (label % 64); }

/* Classes without names: 0, 1, 2, ... */
static inline bioft_status number_classes(bioft_info *info, uint32_t count)
{
    bioft_status st = BIOFT_OK;
    for (uint32_t c = 0; st == BIOFT_OK && c < count; c++) {
        char number[16];
        snprintf(number, sizeof number, "%u", c);
        st = info->class_name(info, c, number);
    }
    return st;
}

static inline bioft_status sample_name(const bioft_host *host, const char *split, uint64_t index, char *ret,
                                       size_t size)
{
    const int n = snprintf(ret, size, "%s/%llu", split, (unsigned long long)index);
    return n >= 0 && (size_t)n < size ? BIOFT_OK : host->fail(host, BIOFT_ERR_INVALID, "no room for a sample's name");
}

#endif
