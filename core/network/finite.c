/* Outputs that are not finite. */
#include "network/finite.h"
#include "data/identity.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 512 };

void finite_take(struct finite *f, uint32_t n, uint32_t outputs, const float *out, const uint64_t *sample)
{
    for (uint32_t i = 0; i < n; i++) {
        const float *z = out + (size_t)i * outputs;
        uint32_t c = 0;
        while (c < outputs && isfinite(z[c]))
            c++;
        f->seen++;
        if (c == outputs)
            continue;
        if (f->bad++ == 0) {
            f->first = sample ? sample[i] : i;
            f->output = c;
            f->value = z[c];
        }
    }
}

bioft_status finite_error(const struct finite *f, const char *name, struct error *err)
{
    return error_set(
        err, BIOFT_ERR_INVALID,
        "%llu of %llu samples have outputs that are not finite, the first of them "
        "'%s' (output %u is %g): such a network has no answer; its weights or running statistics are broken, "
        "or its training has diverged",
        (unsigned long long)f->bad, (unsigned long long)f->seen, name, f->output, (double)f->value);
}

bioft_status finite_end(const struct finite *f, const struct dataset *d, const struct split *split, struct error *err)
{
    char name[NAME];

    if (f->bad == 0)
        return BIOFT_OK;
    if (!split || dataset_name(d, split, f->first, name, sizeof name, NULL) != BIOFT_OK)
        snprintf(name, sizeof name, "%llu", (unsigned long long)f->first);
    finite_error(f, name, err);
    return split ? error_prefix(err, "split '%s'", split->name) : BIOFT_ERR_INVALID;
}
