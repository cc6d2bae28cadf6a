/* Figures that a trial's files have already. */
#include "run/found.h"

bioft_status found_samples(const struct trial_run *r, const struct figure *f, const struct split *s,
                           const uint64_t *positions, uint64_t count, struct error *err)
{
    char name[256];

    figure_file(f, name, sizeof name);
    if (f->n != count)
        return error_set(err, BIOFT_ERR_FORMAT,
                         "%s/predictions/%s.csv: %llu samples, %llu by the run: it was altered; remove "
                         "the file to have it recomputed",
                         r->folder, name, (unsigned long long)f->n, (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        const struct prediction *p = &f->predictions[i];
        const uint64_t sample = positions ? positions[i] : i;
        if (p->sample != sample || p->label != s->label[sample])
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s/predictions/%s.csv:%llu: sample %llu with label %d, %llu with label %d by "
                             "the run: it was altered; remove the file to have it recomputed",
                             r->folder, name, (unsigned long long)i + 2, (unsigned long long)p->sample, (int)p->label,
                             (unsigned long long)sample, (int)s->label[sample]);
    }
    return BIOFT_OK;
}

bioft_status found_read(struct trial_run *r, size_t metrics, struct figure *f, bool *ret_found, struct error *err)
{
    struct figure_found resumed;

    if (r->recounting)
        return figure_load(r->folder, f, metrics, r->arena, f, ret_found, err);
    bioft_status st = figure_resume(r->folder, &r->label, f, metrics, r->arena, f, &resumed, err);

    *ret_found = resumed.found;
    if (st != BIOFT_OK)
        return st;
    if (resumed.other)
        log_write(r->log, r->remade++ ? LOG_DETAIL : LOG_WARNING,
                  "%s: figures of another network or other settings are "
                  "recomputed: %s",
                  r->trial->id, resumed.other);
    return BIOFT_OK;
}

bioft_status found_entry(const struct trial_run *r, const struct entry *e, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t g = 0; g < e->spec->gradient_count; g++)
        for (size_t i = 0; st == BIOFT_OK && i < e->spec->epsilon_count * e->metrics; i++)
            if (e->found[g][i / e->metrics])
                st = found_samples(r, &e->figures[g][i], e->target.split, e->positions, e->count, err);
    return st;
}
