/* From images to hash codes. */
#include "codes/encode.h"

#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bioft_status encoder_create(struct model *m, uint32_t max_batch, uint32_t precision, struct pool *pool,
                            struct encoder *ret, struct error *err)
{
    const bioft_use use = program_use(BIOFT_EVAL, precision, max_batch, pool);
    struct encoder e = { .bits = m->graph->view.outputs };
    size_t outputs;

    e.words = (e.bits + 63) / 64;
    if (!mem_product(e.bits, max_batch, &outputs) || !(e.out = mem_aligned(outputs, sizeof *e.out)))
        return error_memory(err, "a batch of codes");
    bioft_status st = program_create(m, &use, NULL, &e.program, err);
    if (st == BIOFT_OK)
        *ret = e;
    else
        encoder_free(&e);
    return st;
}

void encoder_free(struct encoder *e)
{
    program_destroy(e->program);
    free(e->out);
    memset(e, 0, sizeof *e);
}

bioft_status encoder_run(struct encoder *e, uint32_t n, const float *x, const uint64_t *sample, struct finite *finite,
                         uint64_t *ret, struct error *err)
{
    bioft_status st = program_forward(e->program, n, x, 0, e->out, err);

    if (st != BIOFT_OK)
        return st;
    finite_take(finite, n, e->bits, e->out, sample);
    codes_pack(e->out, n, e->bits, ret);
    return BIOFT_OK;
}

static bioft_status encode(const struct encode_params *p, struct encoder *e, struct batches *batches, struct codes *ret,
                           struct error *err)
{
    struct finite finite = { 0 };
    bioft_batch batch;
    bioft_status st;

    for (uint64_t done = 0; (st = batches_next(batches, &batch, err)) == BIOFT_OK && batch.n > 0; done += batch.n) {
        if (stop_asked(p->stop))
            return error_set(err, BIOFT_ERR_CANCELLED, "stopped while encoding");
        st = encoder_run(e, batch.n, batch.x, batch.sample, &finite, ret->codes + done * ret->words, err);
        if (st != BIOFT_OK) {
            error_prefix(err, "codes of split '%s', from sample %" PRIu64, p->split->name, batch.sample[0]);
            return st;
        }
        memcpy(ret->labels + done * ret->label_words, batch.labels,
               (size_t)batch.n * ret->label_words * sizeof *ret->labels);
    }
    if (st != BIOFT_OK)
        return st;
    if ((st = finite_end(&finite, p->dataset, p->split, err)) != BIOFT_OK)
        error_prefix(err, "codes");
    return st;
}

bioft_status encode_split(const struct encode_params *p, struct codes *ret, struct error *err)
{
    struct encoder e = { 0 };
    struct batches *batches = NULL;
    struct codes codes = { 0 };
    bioft_status st = encoder_create(p->model, p->batch_size, p->precision, p->pool, &e, err);

    if (st == BIOFT_OK)
        st = codes_create(p->positions ? p->count : p->split->count, e.bits, p->dataset->classes, &codes, err);
    if (st == BIOFT_OK)
        st = batches_create(&(struct batches_params){ .dataset = p->dataset,
                                                      .split = p->split,
                                                      .positions = p->positions,
                                                      .count = p->count,
                                                      .batch_size = p->batch_size,
                                                      .normalise = true,
                                                      .image = p->image,
                                                      .pool = p->pool },
                            &batches, err);
    if (st == BIOFT_OK)
        st = encode(p, &e, batches, &codes, err);
    if (st == BIOFT_OK)
        *ret = codes;
    else
        codes_free(&codes);
    batches_destroy(batches);
    encoder_free(&e);
    return st;
}
