/* The optimizer: torch's fused kernels, one call for all parameters of a learning rate. */
#include "model.h"

#include <math.h>
#include <string.h>

static bioft_status check(const struct model *m, const bioft_update *u)
{
    const bioft_host *host = m->t->host;

    if (u->kind != BIOFT_SGD && u->kind != BIOFT_ADAM)
        return bioft_failf(host, BIOFT_ERR_UNSUPPORTED, "optimizer number %u", u->kind);
    if (u->t == 0 || !u->lr)
        return bioft_failf(host, BIOFT_ERR_INVALID, "an update counts from 1 and has a rate for each parameter");
    for (uint32_t i = 0; i < m->network.parameter_count; i++)
        if (parameter_trains(m, i) && !m->parameters[i].gradient)
            return bioft_failf(host, BIOFT_ERR_INVALID, "'%s' has no gradient: no program of this model trains",
                               m->network.parameters[i].name);
    return BIOFT_OK;
}

static bool updates(const struct model *m, const bioft_update *u, uint32_t i)
{
    return parameter_trains(m, i) && !(u->lr[i] < 0);
}

/* The lists of the parameters with the rate of the first that is not done yet: value, gradient, moments. */
static size_t gather(struct model *m, const bioft_update *u, uint32_t first)
{
    size_t count = 0;

    for (uint32_t i = first; i < m->network.parameter_count; i++) {
        const struct parameter *p = &m->parameters[i];
        if (m->done[i] || !updates(m, u, i) || u->lr[i] != u->lr[first])
            continue;
        m->done[i] = 1;
        m->list[0][count] = p->value;
        m->list[1][count] = p->gradient;
        m->list[2][count] = p->moment1;
        m->list[3][count] = p->moment2;
        count++;
    }
    return count;
}

/* Gradients times gradient_scale, in new tensors: those of the model stay as they are. */
static bool scale_gradients(struct model *m, double scale, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tensor scaled = tensor_times(m->t, m->list[1][i], scale);
        if (!scaled) {
            while (i-- > 0)
                tensor_drop(m->t, &m->list[1][i]);
            return false;
        }
        m->list[1][i] = scaled;
    }
    return true;
}

/* _fused_adam_(self, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps, lr, beta1, beta2, weight_decay, eps,
 * amsgrad, maximize, grad_scale, found_inf). */
static bool adam(struct model *m, const bioft_update *u, double lr, size_t count)
{
    struct call c = call_begin(m->t, "aten::_fused_adam_", "");

    for (int k = 0; k < 4; k++)
        call_tensors(&c, m->list[k], count);
    call_tensors(&c, NULL, 0);
    for (size_t i = 0; i < count; i++)
        m->list[2][i] = m->steps;
    call_tensors(&c, m->list[2], count);
    call_number(&c, lr);
    call_number(&c, u->beta1);
    call_number(&c, u->beta2);
    call_number(&c, u->weight_decay);
    call_number(&c, u->eps);
    call_integer(&c, 0);
    call_integer(&c, 0);
    call_none(&c);
    call_none(&c);
    return call_run(&c, NULL, 0);
}

/* _fused_sgd_(self, grads, momentum_buffer_list, weight_decay, momentum, lr, dampening, nesterov, maximize,
 * is_first_step, grad_scale, found_inf). */
static bool sgd(struct model *m, const bioft_update *u, double lr, size_t count)
{
    struct call c = call_begin(m->t, "aten::_fused_sgd_", "");

    call_tensors(&c, m->list[0], count);
    call_tensors(&c, m->list[1], count);
    call_tensors(&c, m->list[2], u->momentum != 0 ? count : 0);
    call_number(&c, u->weight_decay);
    call_number(&c, u->momentum);
    call_number(&c, lr);
    call_number(&c, 0);
    call_integer(&c, 0);
    call_integer(&c, 0);
    call_integer(&c, u->t == 1);
    call_none(&c);
    call_none(&c);
    return call_run(&c, NULL, 0);
}

static bool step(struct model *m, const bioft_update *u)
{
    bool good = u->kind != BIOFT_ADAM || tensor_set_number(m->t, m->steps, (double)u->t);

    memset(m->done, 0, m->network.parameter_count);
    for (uint32_t i = 0; good && i < m->network.parameter_count; i++) {
        const double scale = u->gradient_scale;
        size_t count;
        if (m->done[i] || !updates(m, u, i))
            continue;
        count = gather(m, u, i);
        if (scale != 1 && !scale_gradients(m, scale, count))
            return false;
        good = u->kind == BIOFT_ADAM ? adam(m, u, u->lr[i], count) : sgd(m, u, u->lr[i], count);
        for (size_t k = 0; scale != 1 && k < count; k++)
            tensor_drop(m->t, &m->list[1][k]);
    }
    return good;
}

/* The sum of a tensor: not finite where one of its values is not, or, though all are, where they are huge. */
static tensor sum(struct torch *t, tensor x)
{
    struct call c = call_begin(t, "aten::sum", "");

    call_tensor(&c, x);
    call_none(&c);
    return call_one(&c);
}

/* Value by value; an error counts as a value that is not finite. */
static bool is_finite(struct model *m, tensor x)
{
    tensor each = call_simple(m->t, "aten::isfinite", x), all = each ? call_simple(m->t, "aten::all", each) : NULL;
    const struct shape s = shape_number();
    float answer = 0;

    if (all && !tensor_read(m->t, all, &s, &answer))
        answer = 0;
    tensor_drop(m->t, &each);
    tensor_drop(m->t, &all);
    return answer != 0;
}

/* The arrays that tell: a value that is not finite, and Adam's square, which is infinite where the gradient's square
 * was: such a weight never moves again. */
static size_t list_suspects(struct model *m, const bioft_update *u)
{
    size_t count = 0;

    for (uint32_t i = 0; i < m->network.parameter_count; i++) {
        if (!updates(m, u, i))
            continue;
        m->list[0][count] = m->parameters[i].value;
        m->list[1][count++] = NULL;
        if (u->kind == BIOFT_ADAM) {
            m->list[0][count] = m->parameters[i].moment2;
            m->list[1][count++] = NULL;
        }
    }
    return count;
}

/* One number an array, all of them in one transfer. */
static bool find_nonfinite(struct model *m, const bioft_update *u, uint32_t *ret)
{
    struct torch *t = m->t;
    const size_t count = list_suspects(m, u);
    const struct shape s = shape_vector((int64_t)count);
    struct call c = call_begin(t, "aten::stack", "");
    tensor stacked = NULL;
    bool good = true;
    size_t at = 0;

    *ret = BIOFT_NONE;
    if (count == 0)
        return true;
    for (size_t i = 0; good && i < count; i++)
        good = (m->list[1][i] = sum(t, m->list[0][i])) != NULL;
    if (good) {
        call_tensors(&c, m->list[1], count);
        call_integer(&c, 0);
        stacked = call_one(&c);
        good = stacked && tensor_read(t, stacked, &s, m->sums);
    }
    for (size_t i = 0; i < count; i++)
        tensor_drop(t, &m->list[1][i]);
    tensor_drop(t, &stacked);
    for (uint32_t i = 0; good && *ret == BIOFT_NONE && i < m->network.parameter_count; i++)
        for (int k = 0; updates(m, u, i) && k < (u->kind == BIOFT_ADAM ? 2 : 1); k++, at++)
            if (!isfinite(m->sums[at]) && !is_finite(m, m->list[0][at]))
                *ret = i;
    return good;
}

/* Old weights, for hooks. */
static bool keep_weights(struct model *m, const bioft_update *u)
{
    for (uint32_t i = 0; i < m->network.parameter_count; i++) {
        struct parameter *p = &m->parameters[i];
        if (!parameter_is_weight(m, i) || !updates(m, u, i))
            continue;
        if (!p->change)
            p->change = tensor_empty(m->t, &p->shape, m->t->float32);
        if (!p->change || !tensor_copy(m->t, p->change, p->value))
            return false;
    }
    return true;
}

/* Hooks, layer by layer; what one changes is a new W. */
static bioft_status tell(struct model *m, const bioft_update *u, const bioft_hooks *hooks)
{
    for (uint32_t i = 0; i < m->network.layer_count; i++) {
        const uint32_t weight = m->network.nodes[m->network.layer_node[i]].weight;
        struct parameter *p = &m->parameters[weight];
        int32_t changed = 0;
        tensor difference;
        bioft_status st;
        bool good;

        if (u->lr[weight] < 0)
            continue;
        difference = tensor_sum(m->t, p->value, p->change, -1);
        good = difference && tensor_read(m->t, p->value, &p->plain, m->host[0]) &&
               tensor_read(m->t, difference, &p->plain, m->host[1]);
        tensor_drop(m->t, &difference);
        if (!good)
            return torch_failed(m->t, "what an update changed");
        st = hooks->updated(hooks->ctx, i, m->host[0], m->host[1], &changed);
        if (st != BIOFT_OK)
            return bioft_failf(m->t->host, st, "after the update of layer '%s'", m->network.layers[i].name);
        if (changed && !tensor_write(m->t, p->value, &p->plain, m->host[0]))
            return torch_failed(m->t, "what a rule changed");
        if (changed)
            p->version++;
    }
    return BIOFT_OK;
}

bioft_status model_update(struct model *m, const bioft_update *u, const bioft_hooks *hooks,
                          uint32_t *ret_first_nonfinite)
{
    const bool changes = hooks && hooks->updated;
    uint32_t first = BIOFT_NONE;
    bioft_status st = check(m, u);

    if (st != BIOFT_OK)
        return st;
    if ((changes && !keep_weights(m, u)) || !step(m, u))
        return torch_failed(m->t, "the update");
    for (uint32_t i = 0; i < m->network.parameter_count; i++)
        if (updates(m, u, i))
            m->parameters[i].version++;
    if (!find_nonfinite(m, u, &first))
        return torch_failed(m->t, "the update");
    if (changes && first == BIOFT_NONE)
        st = tell(m, u, hooks);
    if (st == BIOFT_OK)
        *ret_first_nonfinite = first;
    return st;
}
