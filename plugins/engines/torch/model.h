/* A model: the parameters with their gradients and moments on the device, and each layer's feedback. */
#ifndef TORCH_MODEL_H
#define TORCH_MODEL_H

#include "tensor.h"

#include "../common/network.h"

struct parameter {
    size_t count;
    struct shape shape, plain;                /* as it stands on the device; as the contract has it */
    tensor value, gradient, moment1, moment2; /* NULL until something is trained; RUNNING has the value only */
    tensor change;                            /* of a layer's weight: the old value, then what was added */
    tensor narrow;                            /* in bfloat16, of value's narrow_version; NULL until needed */
    uint64_t version, narrow_version;         /* of the value: counts what wrote it */
};

enum feedback_source { FEEDBACK_WEIGHTS = 0, FEEDBACK_DECLARED, FEEDBACK_WRITTEN };
struct feedback {
    enum feedback_source source;
    bioft_feedback declared;
    uint64_t draw;
    tensor v, m; /* m: magnitudes that stay; NULL where there are none */
    bool v_made;
    uint64_t version;                   /* of W that v was made of */
    uint64_t revision, narrow_revision; /* of v: counts what made or wrote it */
    tensor narrow;
};

struct model {
    struct torch *t;
    struct network network;
    struct parameter *parameters;
    struct feedback *feedback; /* [layer_count] */
    tensor steps;              /* 0-d: the optimizer's count */
    tensor *list[4];           /* [parameter_count] each: room for the optimizer's lists */
    unsigned char *done;       /* [parameter_count] */
    float *host[2];            /* [largest layer]: for hooks and random numbers */
    float *sums;               /* [2 * parameter_count] */
};

bioft_status model_create(struct torch *t, const bioft_graph *graph, struct model **ret);
void model_destroy(struct model *m);           /* NULL is fine */
bioft_status model_trainable(struct model *m); /* gradients and moments, for the first program that trains */
bioft_status model_read(struct model *m, uint32_t what, uint32_t parameter, float *ret, size_t count);
bioft_status model_write(struct model *m, uint32_t what, uint32_t parameter, const float *values, size_t count);
/* The value as a program of a precision computes with it; lent. NULL for BIOFT_NONE, and where the device failed. */
tensor model_value(struct model *m, uint32_t parameter, uint32_t precision);

bioft_status feedback_set(struct model *m, uint32_t layer, const bioft_feedback *feedback, uint64_t draw);
bool feedback_write(struct model *m, uint32_t layer, const float *v);
/* V as backward uses it now, made where W or the draw has changed; lent. NULL: torch_failed. */
tensor feedback_get(struct model *m, uint32_t layer, uint32_t precision);
void feedback_free(struct model *m, struct feedback *f);

bioft_status model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                          uint32_t *ret_first_nonfinite);

static inline bool parameter_trains(const struct model *m, uint32_t i)
{
    return m->network.parameters[i].kind != BIOFT_PARAM_RUNNING;
}
static inline bool parameter_is_weight(const struct model *m, uint32_t i)
{
    return m->network.parameters[i].kind == BIOFT_PARAM_WEIGHT;
}

#endif
