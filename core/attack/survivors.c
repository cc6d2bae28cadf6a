/* A part of a batch, attacked as a batch of its own. */
#include "attack/survivors.h"

#include "attack/pixels.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

bioft_status survivors_create(struct survivors *s, const struct image_format *p, uint32_t max_batch,
                              uint32_t label_words, struct error *err)
{
    size_t pixels, sets;

    *s = (struct survivors){ 0 };
    if (!mem_product(max_batch, pixels_count(p), &pixels) || !mem_product(max_batch, label_words, &sets))
        return error_memory(err, "an attack's batch");
    s->x = mem_aligned(pixels, sizeof *s->x);
    s->at = mem_array(max_batch, sizeof *s->at);
    s->sample = mem_array(max_batch, sizeof *s->sample);
    s->labels = mem_array(sets, sizeof *s->labels);
    s->label = mem_array(max_batch, sizeof *s->label);
    s->true_label = mem_array(max_batch, sizeof *s->true_label);
    s->target = mem_array(max_batch, sizeof *s->target);
    return s->x && s->at && s->sample && s->labels && s->label && s->true_label && s->target
               ? BIOFT_OK
               : error_memory(err, "an attack's batch");
}

void survivors_free(struct survivors *s)
{
    free(s->x);
    free(s->at);
    free(s->sample);
    free(s->labels);
    free(s->label);
    free(s->true_label);
    free(s->target);
    *s = (struct survivors){ 0 };
}

void survivors_take(struct survivors *s, const struct image_format *p, const bioft_batch *clean,
                    const bioft_batch *aimed, const bool *leave)
{
    const size_t pixels = pixels_count(p), words = clean->label_words;
    uint32_t n = 0;

    for (uint32_t i = 0; i < clean->n; i++) {
        if (leave[i])
            continue;
        memcpy(s->x + n * pixels, clean->x + i * pixels, pixels * sizeof *s->x);
        memcpy(s->labels + n * words, clean->labels + i * words, words * sizeof *s->labels);
        s->sample[n] = clean->sample[i];
        s->true_label[n] = clean->label[i];
        s->label[n] = aimed->label[i];
        s->target[n] = aimed->target ? aimed->target[i] : -1;
        s->at[n++] = i;
    }
    s->clean = *clean;
    s->clean.n = n;
    s->clean.x = s->x;
    s->clean.sample = s->sample;
    s->clean.labels = s->labels;
    s->clean.label = s->true_label;
    s->aimed = s->clean;
    s->aimed.label = s->label;
    s->aimed.target = aimed->target ? s->target : NULL;
}

void survivors_put_back(const struct survivors *s, const struct image_format *p, const bioft_batch *clean,
                        float *adversarial, struct course_image *course)
{
    const size_t pixels = pixels_count(p), bytes = pixels * sizeof *adversarial;
    uint32_t left = s->clean.n;

    for (uint32_t i = clean->n; i-- > 0;) {
        if (left > 0 && s->at[left - 1] == i) {
            left--;
            memmove(adversarial + i * pixels, adversarial + left * pixels, bytes);
            course[i] = course[left];
        } else {
            memcpy(adversarial + i * pixels, clean->x + i * pixels, bytes);
            course_clear(&course[i], 1);
        }
    }
}
