/* Activations that exporters write out in several nodes. */
#include "translate.h"

#include <math.h>
#include <string.h>

/* The constant number of a node of two inputs, the other of which is `of`; false: it has none. */
static bool with_number(struct translation *t, const onnx_node *n, const char *of, double *ret)
{
    struct constant c;

    for (size_t k = 0; n && n->n_input == 2 && k < 2; k++)
        if (strcmp(n->input[1 - k], of) == 0 && is_constant(t, n->input[k], &c) && c.count == 1)
            return constant_number(t->m, n->input[k], ret, t->fault);
    return false;
}

static bool is_near(double a, double b) { return fabs(a - b) < 1e-4; }

static bool multiplies(const onnx_node *n, const char *a, const char *b)
{
    return n && n->n_input == 2 &&
           ((strcmp(n->input[0], a) == 0 && strcmp(n->input[1], b) == 0) ||
            (strcmp(n->input[0], b) == 0 && strcmp(n->input[1], a) == 0));
}

static bool finish(struct translation *t, const onnx_node *first, const onnx_node *const *chain, size_t count,
                   const char *op, bool *ret_made)
{
    const uint32_t at = input_at(t, first, 0);
    const struct value *x = input_value(t, first, 0, at == NOWHERE ? FORM_IMAGE : t->values[at].form);
    struct value out;

    if (!x)
        return false;
    for (size_t i = 0; i < count; i++)
        follower_done(t, chain[i]);
    out = *x;
    out.x = bioft_plain(t->b, op, x->x);
    *ret_made = true;
    return out.x && output_set(t, chain[count - 1], out);
}

/* 0.5 (x (1 + erf(x / sqrt 2))). */
static bool gelu(struct translation *t, const onnx_node *n, bool *ret_made)
{
    const onnx_node *chain[4];
    double number;

    if (n->n_input != 2 || n->n_output == 0 || !with_number(t, n, n->input[0], &number) ||
        !is_near(number, strcmp(n->op_type, "Div") == 0 ? sqrt(2) : sqrt(0.5)) || !(chain[0] = follower(t, n, "Erf")) ||
        !(chain[1] = follower(t, chain[0], "Add")) || !with_number(t, chain[1], chain[0]->output[0], &number) ||
        !is_near(number, 1) || !(chain[2] = follower(t, chain[1], "Mul")) ||
        !multiplies(chain[2], chain[1]->output[0], n->input[0]) || !(chain[3] = follower(t, chain[2], "Mul")) ||
        !with_number(t, chain[3], chain[2]->output[0], &number) || !is_near(number, 0.5))
        return true;
    return finish(t, n, chain, 4, "Gelu", ret_made);
}

/* x clip(x + 3, 0, 6) / 6. */
static bool hardswish(struct translation *t, const onnx_node *n, bool *ret_made)
{
    const onnx_node *chain[3];
    double number, low, high;

    if (n->n_input != 2 || n->n_output == 0 || !with_number(t, n, n->input[0], &number) || !is_near(number, 3) ||
        !(chain[0] = follower(t, n, "Clip")) || !(chain[1] = follower(t, chain[0], "Mul")) ||
        !multiplies(chain[1], chain[0]->output[0], n->input[0]) || !(chain[2] = follower(t, chain[1], "Div")) ||
        !with_number(t, chain[2], chain[1]->output[0], &number) || !is_near(number, 6))
        return true;
    low = attribute_float(chain[0], "min", -1);
    high = attribute_float(chain[0], "max", -1);
    if ((chain[0]->n_input > 2 && (!constant_number(t->m, chain[0]->input[1], &low, t->fault) ||
                                   !constant_number(t->m, chain[0]->input[2], &high, t->fault))) ||
        !is_near(low, 0) || !is_near(high, 6))
        return true;
    return finish(t, n, chain, 3, "HardSwish", ret_made);
}

bool make_pattern(struct translation *t, const onnx_node *n, bool *ret_made)
{
    if (strcmp(n->op_type, "Div") == 0 || strcmp(n->op_type, "Mul") == 0)
        return gelu(t, n, ret_made);
    if (strcmp(n->op_type, "Add") == 0)
        return hardswish(t, n, ret_made);
    return true;
}
