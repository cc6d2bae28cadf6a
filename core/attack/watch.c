/* Whose images an attack's passes are, and what it tells of them. */
#include "attack/watch.h"

#include "attack/answer.h"
#include "attack/check.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

bioft_status watch_create(struct watch *w, const struct image_format *p, uint32_t max_batch, uint32_t label_words,
                          bool reads, struct error *err)
{
    size_t sets, pixels;

    *w = (struct watch){ .format = p, .max_batch = max_batch };
    if (!mem_product(max_batch, label_words, &sets) || !mem_product(max_batch, pixels_count(p), &pixels))
        return error_memory(err, "an attack's batch");
    w->image = mem_array(max_batch, sizeof *w->image);
    w->sample = mem_array(max_batch, sizeof *w->sample);
    w->label = mem_array(max_batch, sizeof *w->label);
    w->labels = mem_array(sets, sizeof *w->labels);
    w->x = reads ? mem_aligned(pixels, sizeof *w->x) : NULL;
    return w->image && w->sample && w->label && w->labels && (w->x || !reads) ? BIOFT_OK
                                                                              : error_memory(err, "an attack's batch");
}

void watch_free(struct watch *w)
{
    free(w->image);
    free(w->sample);
    free(w->label);
    free(w->labels);
    free(w->x);
    *w = (struct watch){ 0 };
}

static void take_all(struct watch *w, uint32_t n)
{
    w->n = n;
    w->is_subset = false;
    for (uint32_t i = 0; i < n; i++)
        w->image[i] = i;
}

void watch_begin(struct watch *w, const bioft_batch *clean, const bioft_batch *aimed, uint32_t norm, double epsilon,
                 struct course_image *course)
{
    w->clean = clean;
    w->aimed = aimed;
    w->norm = norm;
    w->epsilon = epsilon;
    w->course = course;
    take_all(w, clean->n);
}

void watch_end(struct watch *w)
{
    w->clean = w->aimed = NULL;
    w->course = NULL;
    w->n = 0;
    w->is_subset = false;
}

/* Is each of them an image of the batch? */
static bioft_status check_images(const struct watch *w, const char *call, uint32_t n, const uint32_t *image,
                                 struct error *err)
{
    if (!w->clean)
        return error_set(err, BIOFT_ERR_INVALID, "the attack calls %s outside of run", call);
    if (n > w->max_batch || (!image && n > w->clean->n))
        return error_set(err, BIOFT_ERR_INVALID, "the attack calls %s with %u images, the batch has %u", call, n,
                         w->clean->n);
    for (uint32_t i = 0; image && i < n; i++)
        if (image[i] >= w->clean->n)
            return error_set(err, BIOFT_ERR_INVALID, "the attack calls %s with image %u, the batch has %u", call,
                             image[i], w->clean->n);
    return BIOFT_OK;
}

/* The subset as a batch of its own. */
static void gather(struct watch *w)
{
    const size_t pixels = pixels_count(w->format), words = w->clean->label_words;

    w->part = *w->clean;
    w->part.n = w->n;
    for (uint32_t i = 0; i < w->n; i++) {
        const size_t from = w->image[i];
        memcpy(w->x + i * pixels, w->clean->x + from * pixels, pixels * sizeof *w->x);
        memcpy(w->labels + i * words, w->clean->labels + from * words, words * sizeof *w->labels);
        w->sample[i] = w->clean->sample[from];
        w->label[i] = w->clean->label[from];
    }
    w->part.x = w->x;
    w->part.sample = w->sample;
    w->part.label = w->label;
    w->part.labels = w->labels;
    w->part.target = NULL;
}

bioft_status watch_subset(struct watch *w, uint32_t n, const uint32_t *image, struct error *err)
{
    bioft_status st = check_images(w, "subset", n, image, err);

    if (st != BIOFT_OK)
        return st;
    take_all(w, n);
    if (image)
        memcpy(w->image, image, n * sizeof *image);
    w->is_subset = true;
    if (w->x)
        gather(w);
    return BIOFT_OK;
}

bioft_status watch_credit(struct watch *w, uint32_t n, const uint32_t *image, const char *part, struct error *err)
{
    bioft_status st = check_images(w, "credit", n, image, err);
    const size_t length = part ? strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

    if (st != BIOFT_OK)
        return st;
    if (length == 0 || part[length] != '\0')
        return error_set(err, BIOFT_ERR_INVALID, "the attack credits a part whose name is not of [a-z0-9_]");
    for (uint32_t i = 0; i < n; i++)
        w->course[image ? image[i] : i].part = part;
    return BIOFT_OK;
}

bioft_status watch_objectives(struct watch *w, uint64_t iteration, uint32_t n, const uint32_t *image,
                              const float *objective, struct error *err)
{
    bioft_status st = check_images(w, "trace", n, image, err);

    if (st != BIOFT_OK)
        return st;
    if (!objective && n > 0)
        return error_set(err, BIOFT_ERR_INVALID, "the attack traces %u images without their objective", n);
    for (uint32_t i = 0; i < n; i++)
        course_objective(&w->course[image ? image[i] : i], iteration, objective[i]);
    return BIOFT_OK;
}

void watch_answers(struct watch *w, uint32_t n, const uint32_t *image, const float *x, const float *out,
                   uint32_t outputs)
{
    const size_t pixels = pixels_count(w->format);
    const bool targeted = w->aimed->target != NULL;
    bioft_batch wanted = *w->clean;

    wanted.target = targeted ? w->aimed->target : NULL;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t k = image ? image[i] : i;
        struct deltas d;
        if (!w->course[k].found && answer_is_fooled(&wanted, k, largest_index(out + (size_t)i * outputs, outputs)) &&
            check_image(w->format, w->norm, w->epsilon, w->clean->x + k * pixels, x + i * pixels, &d, NULL) == BIOFT_OK)
            w->course[k].found = true;
    }
}

void watch_queries(struct watch *w, uint32_t n, uint32_t times)
{
    for (uint32_t i = 0; w->course && n == w->n && i < n; i++)
        w->course[w->image[i]].queries += times;
}

void watch_gradients(struct watch *w, uint32_t n, const float *dx)
{
    const size_t pixels = pixels_count(w->format);

    for (uint32_t i = 0; w->course && n == w->n && i < n; i++)
        course_gradient(&w->course[w->image[i]], dx + i * pixels, pixels);
}

const uint64_t *watch_samples(struct watch *w, uint32_t n)
{
    if (!w->clean || n != w->n)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        w->sample[i] = w->clean->sample[w->image[i]];
    return w->sample;
}

const bioft_batch *watch_batch(const struct watch *w, uint32_t n)
{
    return !w->clean || n != w->n ? NULL : w->is_subset ? &w->part : w->clean;
}
