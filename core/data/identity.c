/* Identity of data: fingerprints of splits for the results, a digest of everything for a stage's
 * identity. */
#include "data/identity.h"

#include "data/private.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST_NAME = 4200 };

bioft_status dataset_name(const struct dataset *d, const struct split *s, uint64_t position,
                          char *ret, size_t size, struct error *err)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    const bioft_status st = api->name(d->instance->self, s->number, s->index[position], ret, size);
    return st == BIOFT_OK ? st : instance_error(d->instance, st, err);
}

/* The count on a line, then every sample's name on one, with its labels in hexadecimal where they
 * are asked for. */
static bioft_status add_split(const struct dataset *d, const struct split *s, bool labels,
                              struct sha256 *sum, struct error *err)
{
    struct text line = { 0 };
    char name[LONGEST_NAME];
    bioft_status st = BIOFT_OK;

    text_printf(&line, "%llu\n", (unsigned long long)s->count);
    for (uint64_t i = 0; st == BIOFT_OK && i < s->count; i++) {
        sha256_add(sum, line.data, line.length);
        line.length = 0;
        st = dataset_name(d, s, i, name, sizeof name, err);
        if (st != BIOFT_OK)
            break;
        text_add(&line, name);
        for (uint32_t w = 0; labels && w < d->label_words; w++)
            text_printf(&line, " %llx", (unsigned long long)s->labels[i * d->label_words + w]);
        text_add(&line, "\n");
        if (line.failed)
            st = error_memory(err, "a sample's name");
    }
    if (st == BIOFT_OK)
        sha256_add(sum, line.data, line.length);
    text_free(&line);
    return st;
}

bioft_status split_names(const struct dataset *d, const struct split *s, struct sha256 *sum,
                         struct error *err)
{
    return add_split(d, s, false, sum, err);
}

bioft_status split_fingerprint(const struct dataset *d, struct split *s, struct error *err)
{
    struct sha256 *sum = sha256_begin();
    char hex[SHA256_HEX];
    bioft_status st;

    if (!sum)
        return error_memory(err, "a fingerprint");
    st = split_names(d, s, sum, err);
    sha256_end(sum, hex);
    if (st == BIOFT_OK)
        snprintf(s->fingerprint, sizeof s->fingerprint, "%.16s", hex);
    return st;
}

bioft_status dataset_digest(const struct dataset *d, char ret[SHA256_HEX], struct error *err)
{
    struct sha256 *sum = sha256_begin();
    char hex[SHA256_HEX];
    bioft_status st = BIOFT_OK;

    if (!sum)
        return error_memory(err, "a digest");
    for (uint32_t c = 0; c < d->classes; c++)
        sha256_add(sum, d->class_names[c], strlen(d->class_names[c]) + 1);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        sha256_add(sum, d->splits[i].name, strlen(d->splits[i].name) + 1);
        st = add_split(d, &d->splits[i], true, sum, err);
    }
    if (st == BIOFT_OK)
        files_digest(d->private->files, sum);
    sha256_end(sum, hex);
    if (st == BIOFT_OK)
        memcpy(ret, hex, sizeof hex);
    return st;
}
