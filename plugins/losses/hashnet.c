/* HashNet: pairs of samples, alike where they share a class, each side weighted by how rare it is
 * (Cao, Long, Wang and Yu, "HashNet: Deep Learning to Hash by Continuation", ICCV 2017). A batch is
 * paired with a bank of the codes that the training samples had last.
 *
 * u_i = tanh(scale z_i), t_ij = alpha <u_i, U_j>, s_ij = 1 where i and j share a class, else 0;
 *   L = mean over pairs with s = 1 of (log(1 + exp(t)) - t)
 *     + mean over pairs with s = 0 of log(1 + exp(t)),
 * which is the weighted maximum likelihood with weights S / S_1 and S / S_0 over S = S_1 + S_0
 * pairs. U is a constant: the batch's own codes are in it before they are paired. A sample that was
 * not seen yet is not in the bank. Continuation: scale = sqrt(1 + floor(epoch / continuation)). */
#include <bioft/loss.h>
#include <bioft/util.h>
#include <math.h>

enum { PIECE = 16 }; /* labels in a float, which has 24 bits */

typedef struct {
    double alpha;
    int64_t continuation;
    uint32_t bits, pieces;
    uint64_t train_count;
    const bioft_host *host;
} hashnet;

/* Arrays by the sample's number, and the scale of the last step. */
struct bank {
    float *codes, *labels, *seen, *scale; /* [train_count][bits], [..][pieces], [..], [1] */
    float *u;                             /* [bits] a sample's code in evaluation */
};

static const bioft_option options[] = {
    { .name = "alpha",
      .type = BIOFT_F64,
      .offset = offsetof(hashnet, alpha),
      .def = 0.1,
      .min = 0.0,
      .max = 1e3,
      .unit = "",
      .help = "scale of the products of codes" },
    { .name = "continuation",
      .type = BIOFT_I64,
      .offset = offsetof(hashnet, continuation),
      .def = 20,
      .min = 1,
      .max = 1e9,
      .unit = "epochs",
      .help = "the tanh gets steeper every so many epochs" },
};

static bioft_status look_up(const hashnet *p, struct bank *ret)
{
    const bioft_host *host = p->host;
    const size_t n = (size_t)p->train_count;
    void *work = NULL;
    bioft_status st = host->state(host, "bank.codes", n * p->bits, &ret->codes);
    if (st == BIOFT_OK)
        st = host->state(host, "bank.labels", n * p->pieces, &ret->labels);
    if (st == BIOFT_OK)
        st = host->state(host, "bank.seen", n, &ret->seen);
    if (st == BIOFT_OK)
        st = host->state(host, "scale", 1, &ret->scale);
    if (st == BIOFT_OK)
        st = host->scratch(host, "u", sizeof(float) * p->bits, &work);
    ret->u = work;
    return st;
}

static bioft_status attach(void *self, const bioft_task *task)
{
    hashnet *p = self;
    struct bank bank;
    p->bits = task->outputs;
    p->pieces = (task->classes + PIECE - 1) / PIECE;
    p->train_count = task->train_count;
    bioft_status st = look_up(p, &bank);
    if (st == BIOFT_OK)
        bank.scale[0] = 1.0f;
    return st;
}

static uint32_t piece(const bioft_batch *b, uint32_t i, uint32_t nth)
{
    const uint64_t word = b->labels[(size_t)i * b->label_words + nth * PIECE / 64];
    return (uint32_t)(word >> (nth * PIECE % 64)) & 0xffffu;
}

static void relax(const hashnet *p, const float *z, float scale, float *ret)
{
    for (uint32_t k = 0; k < p->bits; k++)
        ret[k] = tanhf(scale * z[k]);
}

/* The batch's codes and labels take their places in the bank. */
static bioft_status remember(const hashnet *p, const struct bank *bank, const float *out, const bioft_batch *b)
{
    bank->scale[0] = sqrtf(1.0f + (float)(b->epoch / (uint64_t)p->continuation));
    for (uint32_t i = 0; i < b->n; i++) {
        const uint64_t at = b->sample[i];
        if (at >= p->train_count)
            return bioft_failf(p->host, BIOFT_ERR_INVALID, "sample %llu of %llu training samples",
                               (unsigned long long)at, (unsigned long long)p->train_count);
        relax(p, out + (size_t)i * p->bits, bank->scale[0], bank->codes + at * p->bits);
        for (uint32_t nth = 0; nth < p->pieces; nth++)
            bank->labels[at * p->pieces + nth] = (float)piece(b, i, nth);
        bank->seen[at] = 1.0f;
    }
    return BIOFT_OK;
}

static int alike(const hashnet *p, const struct bank *bank, const bioft_batch *b, uint32_t i, uint64_t j)
{
    uint32_t shared = 0;
    for (uint32_t nth = 0; nth < p->pieces; nth++)
        shared |= piece(b, i, nth) & (uint32_t)bank->labels[j * p->pieces + nth];
    return shared != 0;
}

/* Pairs of each kind between the batch and the bank. */
static void count_pairs(const hashnet *p, const struct bank *bank, const bioft_batch *b, uint64_t ret[2])
{
    ret[0] = ret[1] = 0;
    for (uint32_t i = 0; i < b->n; i++)
        for (uint64_t j = 0; j < p->train_count; j++)
            if (bank->seen[j] > 0.0f)
                ret[alike(p, bank, b, i, j)]++;
}

/* Sample i with code u against the bank; share: of one pair of its kind. d: by u, or NULL. */
static double against_bank(const hashnet *p, const struct bank *bank, const bioft_batch *b, uint32_t i, const float *u,
                           const double share[2], float *d)
{
    double total = 0.0;

    for (uint64_t j = 0; j < p->train_count; j++) {
        const float *other = bank->codes + j * p->bits;
        double t = 0.0;
        if (!(bank->seen[j] > 0.0f))
            continue;
        for (uint32_t k = 0; k < p->bits; k++)
            t += (double)u[k] * (double)other[k];
        t *= p->alpha;
        const int s = alike(p, bank, b, i, j);
        const double small = exp(-fabs(t));
        total += share[s] * ((t > 0.0 ? t : 0.0) + log1p(small) - (s ? t : 0.0));
        if (!d)
            continue;
        const double sigmoid = (t >= 0.0 ? 1.0 : small) / (1.0 + small);
        const float weight = (float)(share[s] * (sigmoid - s) * p->alpha);
        for (uint32_t k = 0; k < p->bits; k++)
            d[k] += weight * other[k];
    }
    return total;
}

static bioft_status value(void *self, const float *out, const bioft_batch *b, double *ret_value, float *ret_d_out)
{
    const hashnet *p = self;
    struct bank bank;
    uint64_t count[2];
    double total = 0.0;

    bioft_status st = look_up(p, &bank);
    if (st == BIOFT_OK && ret_d_out)
        st = remember(p, &bank, out, b);
    if (st != BIOFT_OK)
        return st;
    count_pairs(p, &bank, b, count);
    const double share[2] = { count[0] ? 1.0 / (double)count[0] : 0.0, count[1] ? 1.0 / (double)count[1] : 0.0 };
    for (uint32_t i = 0; i < b->n; i++) {
        float *d = ret_d_out ? ret_d_out + (size_t)i * p->bits : NULL;
        relax(p, out + (size_t)i * p->bits, bank.scale[0], bank.u);
        for (uint32_t k = 0; d && k < p->bits; k++)
            d[k] = 0.0f;
        total += against_bank(p, &bank, b, i, bank.u, share, d);
        for (uint32_t k = 0; d && k < p->bits; k++)
            d[k] *= bank.scale[0] * (1.0f - bank.u[k] * bank.u[k]);
    }
    *ret_value = total;
    return BIOFT_OK;
}

static const bioft_loss loss = {
    .struct_size = sizeof(loss),
    .flags = BIOFT_LOSS_CODES | BIOFT_LOSS_MULTI_LABEL,
    .attach = attach,
    .value = value,
};

static const char *const notes[] = {
    "A sample that was not seen yet is left out of the bank of codes; implementations that "
    "begin with a bank of zeros count it.",
    NULL,
};

static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_LOSS, "hashnet", "1.0", "bioft", "MIT"),
    .summary = "pairs with a bank of the training samples' last codes, tanh made steeper by epochs",
    .reference = "Cao, Long, Wang, Yu, ICCV 2017",
    .instance_size = sizeof(hashnet),
    BIOFT_OPTIONS(options),
    BIOFT_HOST_AT(hashnet, host),
    .vtable = &loss,
    .notes = notes,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
