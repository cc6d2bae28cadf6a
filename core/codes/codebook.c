/* A network's codes of its data's splits. */
#include "codes/codebook.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

struct codebook {
    struct encode_params params;
    struct codes *codes; /* [split_count] n 0: not encoded yet */
};

bioft_status codebook_create(const struct encode_params *p, struct codebook **ret, struct error *err)
{
    struct codebook *b = mem_array(1, sizeof *b);

    if (!b || !(b->codes = mem_array(p->dataset->split_count, sizeof *b->codes))) {
        free(b);
        return error_memory(err, "codes");
    }
    b->params = *p;
    *ret = b;
    return BIOFT_OK;
}

void codebook_destroy(struct codebook *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->params.dataset->split_count; i++)
        codes_free(&b->codes[i]);
    free(b->codes);
    free(b);
}

bioft_status codebook_get(struct codebook *b, const char *split, const struct codes **ret, struct error *err)
{
    const struct split *s;
    bioft_status st = dataset_need(b->params.dataset, split, &s, err);

    if (st != BIOFT_OK)
        return st;
    struct codes *c = &b->codes[s - b->params.dataset->splits];
    if (c->n == 0) {
        struct encode_params p = b->params;
        p.split = s;
        st = encode_split(&p, c, err);
    }
    if (st == BIOFT_OK)
        *ret = c;
    return st;
}

bioft_status codebook_select(struct codebook *b, const char *split, const uint64_t *positions, uint64_t count,
                             struct codes *ret, struct error *err)
{
    const struct codes *all;
    struct codes c = { 0 };
    bioft_status st = codebook_get(b, split, &all, err);

    if (st == BIOFT_OK)
        st = codes_create(count, all->bits, all->classes, &c, err);
    if (st != BIOFT_OK)
        return st;
    for (uint64_t i = 0; i < count; i++) {
        memcpy(c.codes + i * c.words, all->codes + positions[i] * c.words, c.words * sizeof *c.codes);
        memcpy(c.labels + i * c.label_words, all->labels + positions[i] * c.label_words,
               c.label_words * sizeof *c.labels);
    }
    *ret = c;
    return BIOFT_OK;
}
