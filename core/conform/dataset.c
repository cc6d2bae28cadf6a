/* Tests for datasets: what a root holds, its labels, names and samples, from one thread and from several. */
#include "conform/private.h"

#include "data/describe.h"
#include "data/files.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct work {
    struct conform *c;
    struct files *files;
    struct instance *instance;
    struct description what;
};

static const bioft_dataset *dataset_of(const struct conform *c) { return &c->p->plugin->api.dataset; }

static bool work_make(struct conform *c, struct work *w)
{
    struct error err;
    struct extension e;
    *w = (struct work){ .c = c };
    if (!c->p->root) {
        conform_skip(c, "no data: give a folder with --root");
        return false;
    }
    calling(c, "dataset.h", "describe", "opens and verifies, then names classes and splits", "describe(root %s)",
            c->p->root);
    if (files_create(c->p->root, NULL, c->p->seed, &w->files, &err) == BIOFT_OK) {
        e = files_extension(w->files);
        if (instance_create(&(struct instance_params){ .plugin = c->p->plugin,
                                                       .values = c->p->values,
                                                       .seed = c->p->seed,
                                                       .extensions = &e,
                                                       .extension_count = 1 },
                            &w->instance, &err) == BIOFT_OK &&
            describe(w->instance, true, c->arena, &w->what, &err) == BIOFT_OK)
            return true;
    }
    conform_find(c, "%s", err.text);
    return false;
}

static void work_free(struct work *w)
{
    instance_destroy(w->instance);
    files_destroy(w->files);
}

/* At most this many samples of a split, spread over it. */
enum { LOOKED_AT = 2000, SAMPLED = 64 };

static uint64_t step_of(uint64_t count, uint64_t most) { return count > most ? count / most : 1; }

static void test_labels(struct conform *c)
{
    struct work w;
    if (work_make(c, &w)) {
        const uint32_t words = (uint32_t)(w.what.class_count + 63) / 64;
        for (uint32_t s = 0; s < w.what.split_count; s++)
            for (uint64_t i = 0; i < w.what.splits[s].count; i += step_of(w.what.splits[s].count, LOOKED_AT)) {
                uint64_t *set = guard_take(c, "ret", words * sizeof *set, true), count = 0;
                calling(c, "dataset.h", "labels", "sets bits of classes in ret (label_words words, zeroed)",
                        "labels(split '%s', sample %llu)", w.what.splits[s].name, (unsigned long long)i);
                if (dataset_of(c)->labels(w.instance->self, s, i, set, words) != BIOFT_OK)
                    conform_find(c, "failed");
                for (uint64_t k = 0; k < (uint64_t)words * 64; k++) {
                    const bool has = set[k / 64] >> (k % 64) & 1;
                    count += has;
                    if (has && k >= w.what.class_count)
                        conform_find(c, "label %llu; there are classes 0 to %zu", (unsigned long long)k,
                                     w.what.class_count - 1);
                }
                if (count > 1 && !w.what.multi_label)
                    conform_find(c, "%llu labels in data that is not multi-label", (unsigned long long)count);
                guard_release_calls(c);
                if (c->findings)
                    break;
            }
    }
    work_free(&w);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static const char *name_of(struct work *w, uint32_t s, uint64_t i)
{
    char name[4096];
    memset(name, 'x', sizeof name);
    calling(w->c, "dataset.h", "name", "name for people and dumps", "name(split '%s', sample %llu)",
            w->what.splits[s].name, (unsigned long long)i);
    if (dataset_of(w->c)->name(w->instance->self, s, i, name, sizeof name) != BIOFT_OK ||
        !memchr(name, 0, sizeof name)) {
        conform_find(w->c, "failed, or wrote no end of the name");
        return NULL;
    }
    return arena_text(w->c->arena, name);
}

/* No name stands twice, in one split or in two; a second instance has the same order. */
static void test_names(struct conform *c)
{
    struct work w, again = { 0 };
    uint64_t total = 0, n = 0;
    if (work_make(c, &w) && work_make(c, &again)) {
        for (uint32_t s = 0; s < w.what.split_count; s++)
            total += w.what.splits[s].count;
        const char **names = arena_array(c->arena, total, sizeof *names);
        for (uint32_t s = 0; names && s < w.what.split_count && c->findings == 0; s++)
            for (uint64_t i = 0; i < w.what.splits[s].count && c->findings == 0; i++) {
                const char *name = name_of(&w, s, i);
                if (name && i % step_of(w.what.splits[s].count, LOOKED_AT) == 0) {
                    const char *second = name_of(&again, s, i);
                    if (second && strcmp(name, second) != 0)
                        conform_find(c, "'%s', and '%s' when opened again: the order is not stable", name, second);
                }
                if (name)
                    names[n++] = name;
            }
        if (names && c->findings == 0)
            qsort(names, n, sizeof *names, by_text);
        for (uint64_t i = 1; names && i < n && c->findings == 0; i++)
            if (strcmp(names[i - 1], names[i]) == 0) {
                conform_says(c, "dataset.h", "split", "splits have no sample in common");
                conform_find(c, "'%s' is listed twice: the splits are not disjoint", names[i]);
            }
    }
    work_free(&w);
    work_free(&again);
}

/* What one thread reads: a sum over the bytes of some samples. */
struct reading {
    struct work *w;
    uint64_t sums[SAMPLED];
    uint64_t count;
    const char *fault;
};
struct taken {
    void *memory;
    const void *mapped;
    size_t bytes;
};

static void *reserve(bioft_sample *s, size_t bytes)
{
    struct taken *t = s->ctx;
    free(t->memory);
    t->memory = malloc(bytes ? bytes : 1);
    t->bytes = bytes;
    return t->memory;
}

static bioft_status map(bioft_sample *s, const void *bytes, size_t count)
{
    struct taken *t = s->ctx;
    t->mapped = bytes;
    t->bytes = count;
    return BIOFT_OK;
}

static const char *read_one(struct work *w, void *reader, uint32_t split, uint64_t index, uint64_t *ret_sum)
{
    struct taken t = { 0 };
    bioft_sample s = { .struct_size = sizeof s, .ctx = &t, .reserve = reserve, .map = map };
    const char *fault = NULL;
    if (dataset_of(w->c)->sample(w->instance->self, reader, split, index, &s) != BIOFT_OK)
        fault = "failed";
    else if (s.format < BIOFT_SAMPLE_ENCODED || s.format > BIOFT_SAMPLE_F32_CHW)
        fault = "gave an unknown format";
    else if (!t.bytes || (!t.memory && !t.mapped))
        fault = "gave no bytes";
    else if (s.format != BIOFT_SAMPLE_ENCODED &&
             t.bytes != (size_t)s.height * s.width * s.channels * (s.format == BIOFT_SAMPLE_F32_CHW ? 4 : 1))
        fault = "gave another number of bytes than height, width and channels say";
    const unsigned char *b = t.mapped ? t.mapped : t.memory;
    *ret_sum = 14695981039346656037u;
    for (size_t i = 0; !fault && i < t.bytes; i++)
        *ret_sum = (*ret_sum ^ b[i]) * 1099511628211u;
    free(t.memory);
    return fault;
}

static void *read_some(void *argument)
{
    struct reading *r = argument;
    struct work *w = r->w;
    const bioft_dataset *d = dataset_of(w->c);
    void *reader = NULL;
    if (d->reader_open && d->reader_open(w->instance->self, &reader) != BIOFT_OK) {
        r->fault = "reader_open failed";
        return NULL;
    }
    const uint64_t per = SAMPLED / (w->what.split_count ? w->what.split_count : 1);
    for (uint32_t s = 0; s < w->what.split_count; s++)
        for (uint64_t k = 0; k < per && k < w->what.splits[s].count && !r->fault; k++)
            r->fault = read_one(w, reader, s, k * step_of(w->what.splits[s].count, per), &r->sums[r->count++]);
    if (d->reader_close)
        d->reader_close(w->instance->self, reader);
    return NULL;
}

static void test_samples(struct conform *c)
{
    enum { THREADS = 4 };
    struct work w;
    if (work_make(c, &w)) {
        struct reading *r = arena_array(c->arena, THREADS + 1, sizeof *r);
        pthread_t threads[THREADS];
        int started = 0;
        calling(c, "dataset.h", "sample", "[any]: any thread, several at once; the bytes are the sample's own",
                "sample() from one thread, then from %d at once", THREADS);
        for (int i = 0; r && i <= THREADS; i++)
            r[i].w = &w;
        if (r)
            read_some(&r[THREADS]);
        while (r && started < THREADS && pthread_create(&threads[started], NULL, read_some, &r[started]) == 0)
            started++;
        for (int i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        if (r && r[THREADS].fault)
            conform_find(c, "%s", r[THREADS].fault);
        for (int i = 0; i < started && c->findings == 0; i++)
            if (r[i].fault || memcmp(r[i].sums, r[THREADS].sums, sizeof r[i].sums) != 0)
                conform_find(c, "thread %d: %s", i,
                             r[i].fault ? r[i].fault : "other bytes than one thread alone reads");
    }
    work_free(&w);
}

static bool round_of(struct conform *c)
{
    struct work w;
    uint64_t sum;
    const bool made = work_make(c, &w);
    void *reader = NULL;
    if (made && dataset_of(c)->reader_open)
        dataset_of(c)->reader_open(w.instance->self, &reader);
    if (made && w.what.split_count > 0 && w.what.splits[0].count > 0)
        read_one(&w, reader, 0, 0, &sum);
    if (made && dataset_of(c)->reader_close)
        dataset_of(c)->reader_close(w.instance->self, reader);
    work_free(&w);
    return made;
}

/* Opening it is what may leak, and takes its time where there is much of it. */
static void test_leaks(struct conform *c)
{
    enum { MANY = 20000 };
    struct work w;
    uint64_t total = 0;
    if (!work_make(c, &w)) {
        work_free(&w);
        return;
    }
    for (uint32_t s = 0; s < w.what.split_count; s++)
        total += w.what.splits[s].count;
    work_free(&w);
    if (total > MANY)
        conform_skip(c, "%llu samples are too many to open again and again: try a root with a part of them",
                     (unsigned long long)total);
    else
        check_leak(c, round_of);
}

const struct conform_test conform_dataset[] = {
    { "labels", "every label is a class, one per sample if it is not multi-label", test_labels },
    { "names", "no sample is in two splits; the order is the same when opened again", test_names },
    { "samples", "samples read from several threads at once are those of one", test_samples },
    { "leaks", "opened and read, it leaves nothing behind", test_leaks },
    { 0 },
};
