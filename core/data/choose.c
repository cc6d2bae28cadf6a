/* Class-balanced draws: within a class the order of a keyed permutation, between classes as even as
 * they allow. */
#include "data/choose.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many samples of each class are taken; have[classes] and ret[classes] are those without a
 * label. Every class gives the same level, the last incomplete round goes by class_order. */
static void quotas(const uint64_t *have, uint32_t classes, const uint64_t *class_order, uint64_t wanted, uint64_t *ret)
{
    uint64_t left = wanted, open = classes;

    memset(ret, 0, (classes + (size_t)1) * sizeof *ret);
    while (left && open) {
        const uint64_t share = left / open;
        open = 0;
        for (uint32_t i = 0; i < classes && left; i++) {
            const size_t c = (size_t)class_order[i];
            const uint64_t rest = have[c] - ret[c], take = share ? share : 1;
            const uint64_t given = rest < take ? rest : take;
            ret[c] += given;
            left -= given;
            open += ret[c] < have[c];
        }
    }
    ret[classes] = left < have[classes] ? left : have[classes];
}

bioft_status choose_balanced(uint64_t seed, const char *stream, const int32_t *label, uint64_t count, uint32_t classes,
                             uint64_t wanted, uint64_t *ret, struct error *err)
{
    const size_t groups = label ? (size_t)classes + 1 : 1;
    uint64_t *order = mem_array(count, sizeof *order), *work = mem_array(groups, 4 * sizeof *work);
    uint8_t *taken = mem_array(count, 1);
    bioft_status st = BIOFT_OK;
    uint64_t n = 0;

    if (!order || !work || !taken) {
        st = error_memory(err, "a choice of samples");
        goto done;
    }
    random_permutation(seed, stream, 0, count, order);
    if (!label) {
        for (uint64_t i = 0; i < wanted; i++)
            taken[order[i]] = 1;
    } else {
        uint64_t *have = work, *quota = work + groups, *seen = work + 2 * groups, *class_order = work + 3 * groups;
        for (uint64_t i = 0; i < count; i++)
            have[label[i] < 0 ? classes : (uint32_t)label[i]]++;
        random_permutation(seed, stream, 1, classes, class_order);
        quotas(have, classes, class_order, wanted, quota);
        for (uint64_t i = 0; i < count; i++) {
            const int32_t l = label[order[i]];
            const size_t c = l < 0 ? classes : (size_t)l;
            taken[order[i]] = seen[c]++ < quota[c];
        }
    }
    for (uint64_t i = 0; i < count; i++)
        if (taken[i])
            ret[n++] = i;
done:
    free(order);
    free(work);
    free(taken);
    return st;
}

bioft_status dataset_choose(const struct dataset *d, const struct split *s, uint64_t samples, uint64_t **ret,
                            uint64_t *ret_count, struct error *err)
{
    const uint64_t count = samples && samples < s->count ? samples : s->count;
    uint64_t *positions = mem_array(count, sizeof *positions);
    char stream[32];
    bioft_status st = BIOFT_OK;

    if (!positions)
        return error_memory(err, "a choice of samples");
    if (count == s->count) {
        for (uint64_t i = 0; i < count; i++)
            positions[i] = i;
    } else {
        snprintf(stream, sizeof stream, "choose/%s", s->name);
        st = choose_balanced(d->spec->split_seed, stream, d->multi_label ? NULL : s->label, s->count, d->classes, count,
                             positions, err);
    }
    if (st != BIOFT_OK) {
        free(positions);
        return st;
    }
    *ret = positions;
    *ret_count = count;
    return BIOFT_OK;
}
