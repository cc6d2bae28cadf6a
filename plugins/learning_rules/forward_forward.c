/* Forward-forward: every hidden layer learns, by itself, to be active where the image carries its
 * own label and quiet where it carries a wrong one; no error goes down (Hinton 2022). A rule of
 * depth 4, for chains.
 *
 * A label is a pattern over the whole image, x + strength P_c with P_c ~ N(0, 1) fixed for each
 * class c, where Hinton wrote into ten pixels: so it reaches convolutions, and an image of any
 * kind, and a clean image carries no label. Goodness is the mean of squares, G = mean(h^2);
 * each hidden block learns softplus(theta - G) of the positive and softplus(G - theta) of the
 * negative pass. The head learns the stage's loss on what clean images make of the hidden layers,
 * so the network's output is the answer, without a search over labels. While they learn, hidden
 * layers get their input at mean square 1, as Hinton has it, so that a layer cannot pass on the
 * goodness of the one below; the network itself does not do that when it answers. */
#include <bioft/rule.h>
#include <math.h>
#include <string.h>

typedef struct {
    double strength, theta;
    int32_t normalise;
    const bioft_host *host;
    size_t largest; /* floats an image, of any block's side */
} forward_forward;

static const bioft_option options[] = {
    { .name = "strength",
      .type = BIOFT_F64,
      .offset = offsetof(forward_forward, strength),
      .def = 1.0,
      .min = 0.0,
      .max = 1e6,
      .help = "of the label's pattern on the image" },
    { .name = "theta",
      .type = BIOFT_F64,
      .offset = offsetof(forward_forward, theta),
      .def = 0.5,
      .min = 0.0,
      .max = 1e6,
      .help = "goodness that parts positive from negative" },
    { .name = "normalise",
      .type = BIOFT_BOOL,
      .offset = offsetof(forward_forward, normalise),
      .def = 1.0,
      .help = "true: hidden inputs have mean square 1 while the hidden layers learn" },
};

static size_t inputs(const bioft_layer *layer) { return (size_t)layer->in_channels * layer->in_h * layer->in_w; }

/* A step's arrays, one after the other, each for `n` images. */
typedef struct {
    float *x[2]; /* positive and negative, block by block */
    float *h, *dh, *pattern;
} work;

static bioft_status work_space(const forward_forward *p, size_t n, work *ret)
{
    void *memory;
    bioft_status st = p->host->scratch(p->host, "forward-forward", (4 * n + 1) * p->largest * sizeof(float), &memory);
    if (st != BIOFT_OK)
        return st;
    ret->x[0] = memory;
    ret->x[1] = ret->x[0] + n * p->largest;
    ret->h = ret->x[1] + n * p->largest;
    ret->dh = ret->h + n * p->largest;
    ret->pattern = ret->dh + n * p->largest;
    return BIOFT_OK;
}

static bioft_status attach(void *self, const bioft_layer *layer, const float *w)
{
    forward_forward *p = self;
    work s;
    (void)w;
    p->largest = inputs(layer) > p->largest ? inputs(layer) : p->largest;
    p->largest = layer->outputs > p->largest ? layer->outputs : p->largest;
    return work_space(p, layer->max_batch, &s); /* [step] may not ask for more */
}

/* x + strength P_c: c the image's own label, or another one that is drawn for each step. */
static bioft_status labelled(const forward_forward *p, const bioft_batch *batch, size_t count, int wrong,
                             float *pattern, float *ret)
{
    bioft_status st = BIOFT_OK;
    memcpy(ret, batch->x, batch->n * count * sizeof(*ret));
    for (size_t i = 0; st == BIOFT_OK && i < batch->n; i++) {
        uint32_t c = (uint32_t)batch->label[i], draw;
        if (batch->label[i] < 0 || batch->classes < 2)
            return p->host->fail(p->host, BIOFT_ERR_UNSUPPORTED,
                                 "forward-forward needs one label an image, of several classes");
        st = p->host->random(p->host, BIOFT_BITS, "wrong", batch->step, i, &draw, 1);
        if (wrong)
            c = (c + 1 + draw % (batch->classes - 1)) % batch->classes;
        if (st == BIOFT_OK)
            st = p->host->random(p->host, BIOFT_NORMAL, "label", c, 0, pattern, count);
        for (size_t k = 0; st == BIOFT_OK && k < count; k++)
            ret[i * count + k] += (float)p->strength * pattern[k];
    }
    return st;
}

static double mean_square(const float *x, size_t count)
{
    double sum = 0.0;
    for (size_t k = 0; k < count; k++)
        sum += (double)x[k] * (double)x[k];
    return sum / (double)count;
}

/* sign 1: dh of mean softplus(theta - G) over the images; -1: of mean softplus(G - theta). */
static void goodness_gradient(double theta, double sign, size_t n, size_t count, const float *h, float *dh)
{
    for (size_t i = 0; i < n; i++, h += count, dh += count) {
        const double off = sign * (theta - mean_square(h, count)); /* softplus(off) */
        const double factor = -sign / (1.0 + exp(-off)) * 2.0 / (double)count / (double)n;
        for (size_t k = 0; k < count; k++)
            dh[k] = (float)factor * h[k];
    }
}

/* One pass of a hidden block, whose output becomes the next one's input. */
static bioft_status pass(const forward_forward *p, const bioft_step *step, uint32_t index, double sign, float **x,
                         work *s)
{
    const uint32_t n = step->batch->n;
    const size_t in = inputs(step->layer(step, index));
    const size_t out = inputs(step->layer(step, index + 1));
    float *h = s->h;
    for (size_t i = 0; p->normalise && index > 0 && i < n; i++) {
        const double size = sqrt(mean_square(*x + i * in, in)) + 1e-8;
        for (size_t k = 0; k < in; k++)
            (*x)[i * in + k] /= (float)size;
    }
    bioft_status st = step->block_forward(step, index, n, *x, h);
    if (st != BIOFT_OK)
        return st;
    goodness_gradient(p->theta, sign, n, out, h, s->dh);
    st = step->block_backward(step, index, n, s->dh, NULL);
    s->h = *x;
    *x = h;
    return st;
}

/* The head on clean images. */
static bioft_status head(const bioft_step *step, work *s, double *ret_value)
{
    const uint32_t n = step->batch->n, last = step->layers - 1;
    const float *x = step->batch->x;
    bioft_status st = BIOFT_OK;
    for (uint32_t i = 0; st == BIOFT_OK && i <= last; i++) {
        st = step->block_forward(step, i, n, x, s->x[i % 2]);
        x = s->x[i % 2];
    }
    if (st == BIOFT_OK)
        st = step->loss(step, x, ret_value, s->dh);
    if (st == BIOFT_OK)
        st = step->block_backward(step, last, n, s->dh, NULL);
    return st == BIOFT_OK ? step->update(step, last) : st;
}

static bioft_status train(void *self, const bioft_step *step, double *ret_value)
{
    const forward_forward *p = self;
    const size_t count = inputs(step->layer(step, 0));
    work s;
    bioft_status st = work_space(p, step->batch->n, &s);
    for (int wrong = 0; st == BIOFT_OK && wrong < 2; wrong++)
        st = labelled(p, step->batch, count, wrong, s.pattern, s.x[wrong]);
    for (uint32_t i = 0; st == BIOFT_OK && i + 1 < step->layers; i++) {
        st = pass(p, step, i, 1.0, &s.x[0], &s);
        if (st == BIOFT_OK)
            st = pass(p, step, i, -1.0, &s.x[1], &s);
        if (st == BIOFT_OK)
            st = step->update(step, i);
    }
    return st == BIOFT_OK ? head(step, &s, ret_value) : st;
}

static const bioft_own_step own_step = { .struct_size = sizeof(own_step), .train = train };

static const void *extension(void *self, const char *id)
{
    (void)self;
    return strcmp(id, "bioft.step/0") == 0 ? &own_step : NULL;
}

static const bioft_rule rule = { .struct_size = sizeof(rule), .attach = attach };

static const char *const notes[] = {
    "The label is a random pattern over the whole image where the paper writes it into ten "
    "pixels, so that convolutions see it.",
    "The answer is a head's that is trained by the stage's loss on the hidden activity of "
    "clean images; the paper sums the goodness of all layers for each label, and has such a "
    "head, on all layers but the first, as its faster form.",
    "Wrong labels are drawn evenly; the paper also describes harder ones.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_RULE, "forward_forward", "1.0", "bioft", "MIT"),
    .summary = "forward-forward: each layer tells right labels from wrong ones; chains of layers",
    .reference = "Hinton, arXiv:2212.13345, 2022",
    .instance_size = sizeof(forward_forward),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(forward_forward, host),
    .extension = extension,
    .vtable = &rule,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
