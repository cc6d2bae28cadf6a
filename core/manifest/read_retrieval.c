/* The section `retrieval`: how rankings by hash codes are measured. */
#include "manifest/defaults.h"
#include "manifest/read.h"

static bool any_bits(const struct trial *t)
{
    for (size_t i = 0; i <= t->stage_count; i++)
        if (trial_head(t, i)->bits > 0)
            return true;
    return false;
}

static void read_k(struct reader *r, const struct yaml *node, struct trial *ret)
{
    const size_t count = node && node->type == YAML_LIST ? node->count : 1, before = r->d->errors;
    uint64_t *values = read_array(r, count, sizeof *values);

    if (!values)
        return;
    values[0] = DEFAULT_K;
    if (node && count == 0)
        read_error(r, node, "'k': an empty list");
    for (size_t i = 0; node && i < count; i++) {
        const struct yaml *item = node->type == YAML_LIST ? node->items[i] : node;
        values[i] = (uint64_t)read_integer_node(r, item, "k", 1, UINT32_MAX, DEFAULT_K);
    }
    if (node && node->type == YAML_LIST && r->d->errors == before)
        read_once(r, node, "k", values, sizeof *values, read_compare_integers);
    ret->k = values;
    ret->k_count = count;
}

void read_retrieval(struct reader *r, struct yaml *root, struct trial *ret)
{
    static const char *const keys[] = { "k", NULL };
    struct yaml *node = read_member(root, "retrieval");

    if (node && !read_is_map(r, node, "retrieval", "{k: 5000}"))
        return;
    const struct yaml *k = node ? read_member(node, "k") : NULL;
    if (any_bits(ret))
        read_k(r, k, ret);
    else if (node)
        read_error(r, node, "'retrieval' is for networks that give hash codes: no head here has 'bits'");
    if (node)
        read_unknown(r, node, "in 'retrieval'", keys, NULL);
}
