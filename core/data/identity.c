/* Identity of data: fingerprints of splits for the results, a digest of everything for a stage's
 * identity. */
#include "data/identity.h"

#include "data/private.h"
#include "data/sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 4200 };

bioft_status dataset_name(const struct dataset *d, const struct split *s, uint64_t position, char *ret, size_t size,
                          struct error *err)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    const bioft_status st = api->name(d->instance->self, s->number, s->index[position], ret, size);
    return st == BIOFT_OK ? st : instance_error(d->instance, st, err);
}

/* The count on a line, then every sample's name on one, with its labels in hexadecimal where they
 * are asked for. */
static bioft_status add_split(const struct dataset *d, const struct split *s, bool labels, struct sha256 *sum,
                              struct error *err)
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

bioft_status split_names(const struct dataset *d, const struct split *s, struct sha256 *sum, struct error *err)
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

/* Samples are summed in pieces, so that threads can; the pieces' sums are summed in order. */
enum { PIECE = 64 };
struct summing {
    const struct dataset *d;
    const struct split *s;
    struct reader **readers;  /* one a thread, opened when it is first needed */
    char (*sums)[SHA256_HEX]; /* [pieces], "" where it failed */
    struct error *errors;     /* [pieces] */
};

static bioft_status add_sample(struct reader *r, const struct split *s, uint64_t i, struct sha256 *sum,
                               struct error *err)
{
    struct pixels p;
    bioft_status st = reader_sample(r, s->number, s->index[i], &p, NULL, err);

    if (st == BIOFT_ERR_MEMORY)
        return st;
    if (st != BIOFT_OK) { /* told when it is used */
        sha256_add(sum, "unreadable", sizeof "unreadable");
        return BIOFT_OK;
    }
    const uint32_t shape[] = { p.format, p.height, p.width, p.channels };
    const size_t value = p.format == BIOFT_SAMPLE_F32_CHW ? sizeof(float) : 1;
    sha256_add(sum, shape, sizeof shape);
    sha256_add(sum, p.data, (size_t)p.height * p.width * p.channels * value);
    return BIOFT_OK;
}

static void sum_piece(void *ctx, size_t index, uint32_t thread)
{
    struct summing *g = ctx;
    const uint64_t first = (uint64_t)index * PIECE;
    const uint64_t end = first + PIECE < g->s->count ? first + PIECE : g->s->count;
    struct reader **r = &g->readers[thread];
    struct sha256 *sum = sha256_begin();
    bioft_status st = sum ? BIOFT_OK : error_memory(&g->errors[index], "a sum");

    if (st == BIOFT_OK && !*r)
        st = reader_open(g->d, r, &g->errors[index]);
    for (uint64_t i = first; st == BIOFT_OK && i < end; i++)
        st = add_sample(*r, g->s, i, sum, &g->errors[index]);
    sha256_end(sum, g->sums[index]);
    if (st != BIOFT_OK)
        g->sums[index][0] = '\0';
}

static bioft_status sum_samples(const struct dataset *d, const struct split *s, struct pool *pool, struct sha256 *sum,
                                struct error *err)
{
    const size_t pieces = (size_t)(s->count / PIECE + (s->count % PIECE != 0));
    const unsigned threads = pool ? pool_threads(pool) : 1;
    struct summing g = { .d = d,
                         .s = s,
                         .readers = mem_array(threads, sizeof(struct reader *)),
                         .sums = mem_array(pieces, sizeof *g.sums),
                         .errors = mem_array(pieces, sizeof *g.errors) };
    bioft_status st = g.readers && g.sums && g.errors ? BIOFT_OK : error_memory(err, "a sum");

    if (st == BIOFT_OK)
        pool_run(pool, pieces, sum_piece, &g);
    for (size_t i = 0; st == BIOFT_OK && i < pieces; i++) {
        if (!g.sums[i][0])
            st = error_set(err, g.errors[i].status, "%s", g.errors[i].text);
        else
            sha256_add(sum, g.sums[i], SHA256_HEX);
    }
    for (unsigned i = 0; g.readers && i < threads; i++)
        reader_close(g.readers[i]);
    free(g.readers);
    free(g.sums);
    free(g.errors);
    return st;
}

static void identify(struct split *s)
{
    char line[160], hex[SHA256_HEX];

    snprintf(line, sizeof line, "%s\n%s\n%llu\n", s->fingerprint, s->content, (unsigned long long)s->left_out);
    sha256_bytes(line, strlen(line), hex);
    snprintf(s->identity, sizeof s->identity, "%.16s", hex);
}

bioft_status split_content(const struct dataset *d, struct split *s, struct pool *pool, struct error *err)
{
    const struct pixel_store *held = &d->private->stored[s - d->splits];
    struct sha256 *sum = sha256_begin();
    bioft_status st = sum ? BIOFT_OK : error_memory(err, "a sum");

    if (st == BIOFT_OK && d->encoded && held->source)
        sha256_add(sum, held->source, (size_t)s->count * sizeof *held->source);
    else if (st == BIOFT_OK)
        st = sum_samples(d, s, pool, sum, err);
    if (st == BIOFT_OK)
        sha256_add(sum, s->labels, (size_t)s->count * d->label_words * sizeof *s->labels);
    sha256_end(sum, s->content);
    if (st == BIOFT_OK)
        identify(s);
    return st;
}

bioft_status dataset_digest(const struct dataset *d, char ret[SHA256_HEX], struct error *err)
{
    struct sha256 *sum;
    char hex[SHA256_HEX];
    bioft_status st = BIOFT_OK;

    if (d->private->digest[0]) { /* every stage of every trial asks */
        memcpy(ret, d->private->digest, SHA256_HEX);
        return BIOFT_OK;
    }
    sum = sha256_begin();
    if (!sum)
        return error_memory(err, "a digest");
    for (uint32_t c = 0; c < d->classes; c++)
        sha256_add(sum, d->class_names[c], strlen(d->class_names[c]) + 1);
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        sha256_add(sum, d->splits[i].name, strlen(d->splits[i].name) + 1);
        st = add_split(d, &d->splits[i], true, sum, err);
        sha256_add(sum, d->splits[i].content, sizeof d->splits[i].content);
    }
    if (st == BIOFT_OK)
        files_digest(d->private->files, sum);
    st = dataset_check(d, st, err);
    sha256_end(sum, hex);
    if (st != BIOFT_OK)
        return st;
    memcpy(ret, hex, sizeof hex);
    memcpy(d->private->digest, hex, sizeof hex);
    return BIOFT_OK;
}
