/* Verification of pictures: every file decoded once, in pieces over the pool; broken ones named, counted, left out. */
#include "data/verify.h"

#include "base/clock.h"
#include "data/sample.h"
#include "data/select.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 32,                                    /* pictures a piece */
    PIECES_A_RUN = 128,                            /* between two reports of progress */
    NAMED = 5                                      /* faults that are named, the rest is counted */
};
/* Decoded pictures are held in memory up to this size, all splits together. */
#define HELD_BYTES (UINT64_C(1) << 30)

enum fault { FINE, MISSING, BROKEN, FAILED };      /* FAILED: not the picture's fault */

struct checking {                                  /* one split's */
    struct dataset *d;
    struct split *s;
    uint8_t *fault;                                /* [count] enum fault */
    uint8_t *held;                                 /* or NULL */
    struct sides *sides;                           /* [pieces] */
    struct reader **readers;                       /* one a thread, opened when it is first needed */
    size_t first;                                  /* piece of this run */
    atomic_bool uneven;                            /* a picture of another size than the first */
};

static void widen(struct sides *s, uint32_t height, uint32_t width)
{
    const bool empty = !s->max_height;
    s->min_height = empty || height < s->min_height ? height : s->min_height;
    s->min_width = empty || width < s->min_width ? width : s->min_width;
    s->max_height = height > s->max_height ? height : s->max_height;
    s->max_width = width > s->max_width ? width : s->max_width;
}

static void check_piece(void *ctx, size_t index, uint32_t thread)
{
    struct checking *c = ctx;
    struct dataset *d = c->d;
    const size_t piece = c->first + index;
    const uint64_t end = (piece + 1) * PIECE < c->s->count ? (piece + 1) * PIECE : c->s->count;
    const size_t bytes = (size_t)d->height * d->width * d->channels;

    for (uint64_t i = piece * PIECE; i < end; i++) {
        struct pixels p;
        bioft_status st = BIOFT_OK;
        if (!c->readers[thread])
            st = reader_open(d, &c->readers[thread], NULL);
        if (st == BIOFT_OK)
            st = reader_sample(c->readers[thread], c->s->number, c->s->index[i], &p, NULL, NULL);
        c->fault[i] = st == BIOFT_OK ? FINE : st == BIOFT_ERR_IO ? MISSING : st == BIOFT_ERR_FORMAT ? BROKEN : FAILED;
        if (st != BIOFT_OK)
            continue;
        widen(&c->sides[piece], p.height, p.width);
        if (p.height != d->height || p.width != d->width)
            atomic_store(&c->uneven, true);
        else if (c->held)
            memcpy(c->held + i * bytes, p.data, bytes);
    }
}

/* Every picture of a split, in runs of pieces between which progress is told. */
static void check_all(struct checking *c, struct pool *pool, const struct log *log)
{
    const size_t pieces = (size_t)((c->s->count + PIECE - 1) / PIECE);
    double told = clock_seconds();

    for (c->first = 0; c->first < pieces; c->first += PIECES_A_RUN) {
        const size_t left = pieces - c->first;
        pool_run(pool, left < PIECES_A_RUN ? left : PIECES_A_RUN, check_piece, c);
        if (clock_seconds() - told > 1.0) {
            told = clock_seconds();
            log_write(log, LOG_PROGRESS, "dataset '%s': looking at the pictures of split '%s': %llu of %llu", c->d->name,
                      c->s->name, (unsigned long long)((c->first + PIECES_A_RUN) * PIECE),
                      (unsigned long long)c->s->count);
        }
    }
    for (size_t i = 0; i < pieces; i++)
        if (c->sides[i].max_height) {
            widen(&c->d->private->sides, c->sides[i].min_height, c->sides[i].min_width);
            widen(&c->d->private->sides, c->sides[i].max_height, c->sides[i].max_width);
        }
}

/* What is wrong with one picture: it is read again, which is cheaper than keeping every text. */
static bioft_status fault_text(const struct checking *c, uint64_t position, struct error *ret)
{
    struct reader *r;
    struct pixels p;
    bioft_status st = reader_open(c->d, &r, ret);
    if (st != BIOFT_OK)
        return st;
    st = reader_sample(r, c->s->number, c->s->index[position], &p, NULL, ret);
    reader_close(r);
    if (st == BIOFT_OK)
        st = error_set(ret, BIOFT_ERR_IO, "dataset '%s': a picture of split '%s' changes while it is read", c->d->name,
                       c->s->name);
    return st;
}

/* Counts the faults of a kind, names the first ones in a note, or fails with the first where the policy says so. */
static bioft_status report_faults(const struct checking *c, enum fault kind, const char *word, bool drop,
                                  const struct log *log, struct error *err)
{
    struct text t = { 0 };
    uint64_t found = 0;
    bioft_status st = BIOFT_OK;

    for (uint64_t i = 0; i < c->s->count; i++) {
        struct error e;
        if (c->fault[i] != kind || ++found > NAMED)
            continue;
        st = fault_text(c, i, &e);
        if (!drop) {
            text_free(&t);
            return error_set(err, st, "%s", e.text);
        }
        text_printf(&t, "%s%s", found > 1 ? "; " : "", e.text);
    }
    st = BIOFT_OK;
    if (found && t.data) {
        struct text note = { 0 };
        text_printf(&note, "split '%s': %llu %s picture%s left out: %s%s", c->s->name, (unsigned long long)found, word,
                    found == 1 ? "" : "s", t.data, found > NAMED ? "; ..." : "");
        st = note.data ? dataset_note(c->d, log, note.data, err) : error_memory(err, "a note");
        text_free(&note);
    }
    text_free(&t);
    return st;
}

static bioft_status apply_faults(struct checking *c, const struct log *log, struct error *err)
{
    struct dataset *d = c->d;
    const size_t bytes = (size_t)d->height * d->width * d->channels;
    uint64_t kept = 0;
    uint8_t *keep;
    bioft_status st = report_faults(c, FAILED, "unreadable", false, log, err);
    if (st == BIOFT_OK)
        st = report_faults(c, MISSING, "missing", d->spec->missing == POLICY_DROP, log, err);
    if (st == BIOFT_OK)
        st = report_faults(c, BROKEN, "broken", d->spec->broken == POLICY_DROP, log, err);
    if (st != BIOFT_OK)
        return st;
    keep = mem_array(c->s->count, 1);
    if (!keep)
        return error_memory(err, "a look at the pictures");
    for (uint64_t i = 0; i < c->s->count; i++) {
        if (c->fault[i] != FINE) {
            c->s->left_out++;
            continue;
        }
        if (c->held && kept != i)
            memmove(c->held + kept * bytes, c->held + i * bytes, bytes);
        keep[i] = 1;
        kept++;
    }
    split_filter(d, c->s, keep);
    free(keep);
    return BIOFT_OK;
}

static bioft_status verify_split(struct dataset *d, size_t split, bool hold, struct pool *pool, const struct log *log,
                                 struct error *err)
{
    struct split *s = &d->splits[split];
    const unsigned threads = pool ? pool_threads(pool) : 1;
    struct checking c = { .d = d, .s = s };
    bioft_status st = BIOFT_OK;

    c.fault = mem_array(s->count, 1);
    c.sides = mem_array(s->count / PIECE + 1, sizeof *c.sides);
    c.readers = mem_array(threads, sizeof(struct reader *));
    if (hold)
        c.held = mem_array(s->count, (size_t)d->height * d->width * d->channels);
    if (!c.fault || !c.sides || !c.readers) {
        st = error_memory(err, "a look at the pictures");
        goto done;
    }
    check_all(&c, pool, log);
    st = apply_faults(&c, log, err);
    if (st == BIOFT_OK && !atomic_load(&c.uneven)) {
        d->private->held[split] = c.held;
        c.held = NULL;
    }
done:
    for (unsigned i = 0; c.readers && i < threads; i++)
        reader_close(c.readers[i]);
    free(c.readers);
    free(c.fault);
    free(c.sides);
    free(c.held);
    return st;
}

/* The first sample that can be read says what the data is. */
static bioft_status look_at_first(struct dataset *d, bool *ret_encoded, struct error *err)
{
    struct reader *r;
    struct pixels p;
    struct error first, *e = &first;
    bool found = false;
    bioft_status st = reader_open(d, &r, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < d->split_count && !found; i++)
        for (uint64_t k = 0; k < d->splits[i].count && !found; k++) {
            st = reader_sample(r, d->splits[i].number, d->splits[i].index[k], &p, ret_encoded, e);
            found = st == BIOFT_OK;
            e = NULL;
        }
    reader_close(r);
    if (!found)
        return error_set(err, first.status, "%s", first.text);
    d->channels = p.channels;
    d->height = p.height;
    d->width = p.width;
    widen(&d->private->sides, p.height, p.width);
    d->private->format = p.format;
    return BIOFT_OK;
}

bioft_status verify_pictures(struct dataset *d, struct pool *pool, const struct log *log, struct error *err)
{
    uint64_t all = 0;
    bioft_status st = look_at_first(d, &d->encoded, err);
    if (st != BIOFT_OK || !d->encoded)
        return st;
    for (size_t i = 0; i < d->split_count; i++)
        all += d->splits[i].count;
    const uint64_t picture = (uint64_t)d->height * d->width * d->channels;
    const bool hold = strcmp(d->spec->cache ? d->spec->cache : "auto", "off") != 0 && all <= HELD_BYTES / picture;
    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = verify_split(d, i, hold, pool, log, err);
    return st;
}
