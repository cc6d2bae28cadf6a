/* A small network to attack, computed image by image, so that an image's numbers are its own. */
#include "conform/victim.h"

#include <math.h>
#include <string.h>

static void hidden(const struct prey *p, const float *x, double ret[PREY_HIDDEN])
{
    for (int h = 0; h < PREY_HIDDEN; h++) {
        double sum = 0.0;
        for (int i = 0; i < PREY_PIXELS; i++)
            sum += (double)p->w1[h][i] * ((double)x[i] - 0.5);
        ret[h] = tanh(sum);
    }
}

void prey_outputs(const struct prey *p, const float *x, float *ret)
{
    double h[PREY_HIDDEN];
    hidden(p, x, h);
    for (uint32_t o = 0; o < p->view.outputs; o++) {
        double sum = 0.0;
        for (int k = 0; k < PREY_HIDDEN; k++)
            sum += (double)p->w2[o][k] * h[k];
        ret[o] = (float)sum;
    }
}

static struct prey *prey_of(const bioft_victim *v) { return v->ctx; }

static bioft_status forward(const bioft_victim *v, uint32_t n, const float *x, float *ret_out)
{
    struct prey *p = prey_of(v);
    if (n == 0 || n > PREY_BATCH) {
        conform_find(p->c, "asked the victim for %u images at once; max_batch is %d", n, PREY_BATCH);
        return BIOFT_ERR_INVALID;
    }
    for (uint32_t i = 0; i < n; i++) {
        memcpy(p->x[i], x + (size_t)i * PREY_PIXELS, sizeof p->x[i]);
        prey_outputs(p, p->x[i], ret_out + (size_t)i * v->outputs);
    }
    p->last = n;
    p->queries += n;
    return BIOFT_OK;
}

static bioft_status backward(const bioft_victim *v, uint32_t n, const float *d_out, float *ret_dx)
{
    struct prey *p = prey_of(v);
    if (n != p->last) {
        conform_find(p->c, "asked the victim for the gradient of %u images after a forward of %u", n, p->last);
        return BIOFT_ERR_INVALID;
    }
    p->queries += n;
    for (uint32_t i = 0; i < n; i++) {
        double h[PREY_HIDDEN], d[PREY_HIDDEN] = { 0 };
        hidden(p, p->x[i], h);
        for (uint32_t o = 0; o < v->outputs; o++)
            for (int k = 0; k < PREY_HIDDEN; k++)
                d[k] += (double)d_out[i * v->outputs + o] * (double)p->w2[o][k];
        for (int j = 0; j < PREY_PIXELS; j++) {
            double sum = 0.0;
            for (int k = 0; k < PREY_HIDDEN; k++)
                sum += d[k] * (1.0 - h[k] * h[k]) * (double)p->w1[k][j];
            ret_dx[(size_t)i * PREY_PIXELS + (size_t)j] = (float)sum;
        }
    }
    return BIOFT_OK;
}

static bioft_status codes(const bioft_victim *v, const char *split, bioft_codes *ret)
{
    struct prey *p = prey_of(v);
    (void)split;
    *ret = (bioft_codes){ .struct_size = sizeof *ret,
                          .bits = PREY_BITS,
                          .words = 1,
                          .label_words = 1,
                          .n = PREY_DATABASE,
                          .codes = p->codes,
                          .labels = p->labels };
    return BIOFT_OK;
}

/* Are these images of the batch that run was given? */
static bioft_status check_images(const bioft_victim *v, const char *call, uint32_t n, const uint32_t *image)
{
    struct prey *p = prey_of(v);
    bool fine = n <= PREY_BATCH && (image || n <= p->batch);
    for (uint32_t i = 0; image && fine && i < n; i++)
        fine = image[i] < p->batch;
    if (fine)
        return BIOFT_OK;
    conform_find(p->c, "told the victim of images that are not in its batch of %u: %s of %u", p->batch, call, n);
    return BIOFT_ERR_INVALID;
}

static bioft_status subset(const bioft_victim *v, uint32_t n, const uint32_t *image)
{
    return check_images(v, "subset", n, image);
}

static bioft_status trace(const bioft_victim *v, uint64_t iteration, uint32_t n, const uint32_t *image, const float *x,
                          const float *objective)
{
    struct prey *p = prey_of(v);
    (void)iteration;
    (void)x;
    if (!objective && n > 0) {
        conform_find(p->c, "traced %u images without their objective", n);
        return BIOFT_ERR_INVALID;
    }
    return check_images(v, "trace", n, image);
}

static bioft_status credit(const bioft_victim *v, uint32_t n, const uint32_t *image, const char *part)
{
    struct prey *p = prey_of(v);
    const size_t length = part ? strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    if (length == 0 || part[length]) {
        conform_find(p->c, "credited a part whose name is not of [a-z0-9_]");
        return BIOFT_ERR_INVALID;
    }
    return check_images(v, "credit", n, image);
}

const struct image_format prey_image = { .channels = PREY_CHANNELS, .height = PREY_SIDE, .width = PREY_SIDE };

void prey_make(struct conform *c, bool with_codes, struct prey *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->c = c;
    random_floats(c, "conform/prey", 0, -0.4f, 0.4f, ret->w1[0], (size_t)PREY_HIDDEN * PREY_PIXELS);
    random_floats(c, "conform/prey", 1, -1.0f, 1.0f, ret->w2[0], (size_t)PREY_BITS * PREY_HIDDEN);
    for (uint64_t i = 0; i < PREY_DATABASE; i++) {
        ret->codes[i] = (i * 0x9e37u) & 0xffffu;
        ret->labels[i] = UINT64_C(1) << (i % PREY_CLASSES);
    }
    ret->view = (bioft_victim){
        .struct_size = sizeof ret->view,
        .max_batch = PREY_BATCH,
        .channels = PREY_CHANNELS,
        .height = PREY_SIDE,
        .width = PREY_SIDE,
        .outputs = with_codes ? PREY_BITS : PREY_CLASSES,
        .classes = PREY_CLASSES,
        .bits = with_codes ? PREY_BITS : 0,
        .ctx = ret,
        .forward = forward,
        .backward = backward,
        .codes = with_codes ? codes : NULL,
        .subset = subset,
        .trace = trace,
        .credit = credit,
    };
}
