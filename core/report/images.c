/* Strips of adversarial images from the .npy files that an attack's `dump` leaves. */
#include "report/images.h"

#include "base/file.h"
#include "base/text.h"
#include "formats/npy.h"
#include "formats/png.h"
#include "report/epsilon.h"
#include "report/plots.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 8, LARGE_IMAGES = 4, LARGE = 64, ROWS = 3, GAP = 2, LARGEST = 512 };

struct pair {
    struct npy clean, adversarial;
};

static bool usable(const struct pair *p)
{
    const struct npy *a = &p->clean, *b = &p->adversarial;
    return a->dtype == NPY_F32 && b->dtype == NPY_F32 && a->dims == 4 && b->dims == 4 && a->count > 0 &&
           memcmp(a->shape, b->shape, 4 * sizeof *a->shape) == 0 && (a->shape[1] == 1 || a->shape[1] == 3) &&
           a->shape[2] <= LARGEST && a->shape[3] <= LARGEST;
}

static uint8_t grey(double v) { return (uint8_t)(255.0 * fmin(fmax(v, 0.0), 1.0) + 0.5); }

static void draw(const struct pair *p, size_t images, double epsilon, size_t width, uint8_t *ret)
{
    const size_t channels = p->clean.shape[1], height = p->clean.shape[2], across = p->clean.shape[3];
    const float *clean = p->clean.data, *adversarial = p->adversarial.data;

    for (size_t i = 0; i < images; i++)
        for (size_t c = 0; c < channels; c++)
            for (size_t y = 0; y < height; y++)
                for (size_t x = 0; x < across; x++) {
                    const size_t from = ((i * channels + c) * height + y) * across + x;
                    const double a = clean[from], b = adversarial[from];
                    const double values[ROWS] = { a, b, 0.5 + (b - a) / (2.0 * epsilon) };
                    for (size_t r = 0; r < ROWS; r++) {
                        const size_t line = r * (height + GAP) + y, column = i * (across + GAP) + x;
                        ret[(line * width + column) * channels + c] = grey(values[r]);
                    }
                }
}

static size_t images_of(const struct pair *p)
{
    const size_t most = p->clean.shape[3] > LARGE ? LARGE_IMAGES : IMAGES;
    return p->clean.shape[0] < most ? p->clean.shape[0] : most;
}

static bioft_status write_strip(const struct pair *p, double epsilon, const char *path, struct strip *s,
                                struct error *err)
{
    const size_t images = images_of(p);
    const size_t width = images * (p->clean.shape[3] + GAP) - GAP, height = ROWS * (p->clean.shape[2] + GAP) - GAP;
    const size_t bytes = width * height * p->clean.shape[1];
    uint8_t *pixels = mem_array(bytes, 1);

    if (!pixels)
        return error_memory(err, "a strip of images");
    memset(pixels, 255, bytes);
    draw(p, images, epsilon, width, pixels);
    s->width = (uint32_t)width;
    s->height = (uint32_t)height;
    bioft_status st = png_write(path, s->width, s->height, (uint32_t)p->clean.shape[1], pixels, err);
    free(pixels);
    return st;
}

/* One figure's strip; *ret_made false where nothing was dumped. */
static bioft_status strip_of(const struct study_trial *t, const struct figure *f, const char *path, struct arena *arena,
                             struct strip *s, bool *ret_made, struct error *err)
{
    char number[TEXT_NUMBER];
    const char *dot = *f->options ? "." : "";
    struct text clean = { 0 }, adversarial = { 0 }, outputs = { 0 };
    struct pair p = { 0 };
    bioft_status st = BIOFT_OK;

    text_number(number, f->epsilon);
    text_printf(&clean, "%s/adversarial/%s%s%s.%s.%s.clean.npy", t->folder, f->attack, dot, f->options, f->gradient,
                number);
    text_printf(&adversarial, "%s/adversarial/%s%s%s.%s.%s.adversarial.npy", t->folder, f->attack, dot, f->options,
                f->gradient, number);
    text_printf(&outputs, "%s/adversarial/%s%s%s.%s.%s.outputs.npy", t->folder, f->attack, dot, f->options, f->gradient,
                number);
    *ret_made = !clean.failed && !adversarial.failed && !outputs.failed && file_exists(clean.data) &&
                file_exists(adversarial.data);
    if (*ret_made)
        st = npy_read(clean.data, &p.clean, err);
    if (*ret_made && st == BIOFT_OK)
        st = npy_read(adversarial.data, &p.adversarial, err);
    *ret_made = *ret_made && st == BIOFT_OK && usable(&p);
    if (*ret_made)
        st = write_strip(&p, f->epsilon, path, s, err);
    if (*ret_made && st == BIOFT_OK)
        st = answers_read(t, f, outputs.data, images_of(&p), arena, s, err);
    npy_free(&p.clean);
    npy_free(&p.adversarial);
    text_free(&clean);
    text_free(&adversarial);
    text_free(&outputs);
    return st;
}

/* Of a grid one epsilon is shown: the largest up to 0.1, else the smallest. */
static bool shown(const struct study_trial *t, const struct figure *f, const struct panel *p)
{
    if (!f->attacked || !(f->epsilon > 0.0) || !*f->gradient || p->metric_count == 0 ||
        strcmp(f->metric, p->metrics[0]) != 0)
        return false;
    for (size_t i = 0; i < t->results->count; i++) {
        const struct figure *o = &t->results->figures[i];
        if (!o->attacked || !(o->epsilon > 0.0) || strcmp(o->attack, f->attack) != 0 ||
            strcmp(o->options, f->options) != 0 || strcmp(o->gradient, f->gradient) != 0)
            continue;
        if (f->epsilon <= 0.1 ? o->epsilon > f->epsilon && o->epsilon <= 0.1 : o->epsilon < f->epsilon)
            return false;
    }
    return true;
}

bioft_status images_write(const struct panel *p, size_t number, const char *folder, size_t most, struct arena *arena,
                          struct strip *ret, size_t *ret_count, struct error *err)
{
    bioft_status st = BIOFT_OK;

    *ret_count = 0;
    for (size_t s = 0; s < p->count; s++) {
        const struct study_trial *t = &p->series[s].trials[0];
        for (size_t k = 0; st == BIOFT_OK && k < t->results->count && *ret_count < most; k++) {
            const struct figure *f = &t->results->figures[k];
            char epsilon[TEXT_NUMBER];
            bool made = false;
            if (!shown(t, f, p))
                continue;
            struct strip strip = { .file = arena_printf(arena, "%zu-adversarial-%zu.png", number + 1, *ret_count + 1),
                                   .title = arena_printf(arena, "%s, %s at epsilon %s, %s gradient", p->series[s].name,
                                                         plots_attack(f->attack, f->options, arena),
                                                         epsilon_text(epsilon, f->epsilon, 6), f->gradient),
                                   .rule = p->series[s].name };
            char *path = strip.file && strip.title ? path_join(folder, strip.file) : NULL;
            st = path ? strip_of(t, f, path, arena, &strip, &made, err) : error_memory(err, "a strip of images");
            if (made)
                ret[(*ret_count)++] = strip;
            free(path);
        }
    }
    return st;
}
