/* What a network says of dumped images. */
#include "report/images.h"

#include "base/file.h"
#include "formats/npy.h"
#include "report/class_names.h"
#include <math.h>

/* Softmax of a row of outputs, at one class. */
static double confidence(const float *out, size_t classes, size_t at)
{
    double most = -INFINITY, sum = 0.0;

    for (size_t i = 0; i < classes; i++)
        most = fmax(most, out[i]);
    for (size_t i = 0; i < classes; i++)
        sum += exp(out[i] - most);
    return exp(out[at] - most) / sum;
}

bioft_status answers_read(const struct study_trial *t, const struct figure *f, const char *outputs, size_t images,
                          struct arena *arena, struct strip *ret, struct error *err)
{
    enum { MOST = sizeof ret->answers / sizeof *ret->answers };
    struct class_names *names = arena_array(arena, 1, sizeof *names);
    struct arena *own = arena_create();
    struct npy out = { 0 };
    struct figure with;
    bool found = false;
    bioft_status st = names && own ? BIOFT_OK : error_memory(err, "a strip of images");

    if (st == BIOFT_OK && figure_counts(f))
        st = study_predictions(t, f, own, &with, &found, err);
    if (st == BIOFT_OK && found)
        st = class_names_read(t, arena, names, err);
    if (st == BIOFT_OK && found && file_exists(outputs))
        st = npy_read(outputs, &out, err);
    const bool sure = st == BIOFT_OK && out.dims == 2 && out.dtype == NPY_F32;
    for (size_t i = 0; st == BIOFT_OK && found && i < images && i < with.n && i < MOST; i++) {
        const struct prediction *p = &with.predictions[i];
        if (p->label < 0 || p->label >= MOST_CLASSES || p->prediction < 0 || p->prediction >= MOST_CLASSES)
            break;
        const size_t at = (size_t)p->prediction;
        ret->answers[ret->answer_count++] = (struct answer){
            .label = names->names[p->label],
            .answer = names->names[at],
            .right = p->label == p->prediction,
            .confidence = sure && i < out.shape[0] && at < out.shape[1]
                              ? confidence((const float *)out.data + i * out.shape[1], out.shape[1], at)
                              : NAN
        };
    }
    npy_free(&out);
    arena_destroy(own);
    return st;
}
