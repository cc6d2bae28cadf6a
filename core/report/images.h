/* A strip of adversarial images: clean, attacked, and their difference magnified. */
#ifndef REPORT_IMAGES_H
#define REPORT_IMAGES_H

#include "base/memory.h"
#include "report/study.h"

/* What the network says of an attacked image. */
struct answer {
    const char *label, *answer; /* names of classes */
    double confidence;          /* softmax of its outputs; NAN: not known */
    bool right;
};
struct strip {
    const char *title, *file; /* in OUT/plots */
    const char *rule;         /* name of the series */
    uint32_t width, height;
    struct answer answers[8]; /* of the images, from the left */
    size_t answer_count;      /* 0: not known */
};
/* The answers to the first `images` dumped images of a figure, from its predictions, and confidences from
 * NAME.outputs.npy where that is there. Nothing where the predictions are not of classes. In the arena. */
bioft_status answers_read(const struct study_trial *t, const struct figure *f, const char *outputs, size_t images,
                          struct arena *arena, struct strip *ret, struct error *err);
/* Writes PNG files into folder of the dumped images of a panel, a series' first trial each, at most
 * `most` strips of eight images, or four large ones; *ret_count 0 where no attack has dumped any.
 * The difference is drawn around middle grey, from -epsilon (black) to +epsilon (white). */
bioft_status images_write(const struct panel *p, size_t number, const char *folder, size_t most, struct arena *arena,
                          struct strip *ret, size_t *ret_count, struct error *err);

#endif
