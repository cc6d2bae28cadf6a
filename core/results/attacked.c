/* What attacks did, as columns. */
#include "results/attacked.h"

#include "formats/csv.h"
#include <math.h>
#include <string.h>

static const char *const record_columns[RECORD_COLUMNS] = {
    "clean", "right",  "target", "distance", "queries", "gradients", "zero_gradients", "nonfinite_gradients",
    "found", "rising", "traced", "part",
};
static const char *const indicator_columns[INDICATOR_COLUMNS] = {
    "right",         "gained",        "reached",         "queries",        "gradients",
    "zero_gradient", "zero_survived", "unchanged",       "budget_unused",  "silent",
    "rising",        "draws",         "gradient_cosine", "sign_agreement", "differences_off",
};

static void add_names(struct text *t, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        csv_text(t, names[i]);
}

/* Empty where there is no number. */
static void add_number(struct text *t, double v)
{
    if (isfinite(v))
        csv_number(t, v);
    else
        csv_text(t, NULL);
}

static void add_count(struct text *t, int64_t v)
{
    if (v >= 0)
        csv_integer(t, v);
    else
        csv_text(t, NULL);
}

static bool read_number(const char *s, double empty, double *ret)
{
    *ret = empty;
    return !*s || text_to_double(s, strlen(s), ret);
}

static bool read_count(const char *s, int64_t *ret)
{
    double v;
    const bool good = read_number(s, -1.0, &v) && v >= -1.0 && v < 9e15;
    *ret = good ? (int64_t)v : -1;
    return good;
}

void record_header(struct text *t) { add_names(t, record_columns, RECORD_COLUMNS); }

void record_add(struct text *t, const struct attack_record *r)
{
    add_number(t, r->clean);
    csv_integer(t, r->right);
    add_count(t, r->target);
    add_number(t, r->distance);
    csv_integer(t, (int64_t)r->queries);
    csv_integer(t, (int64_t)r->gradients);
    csv_integer(t, (int64_t)r->zero);
    csv_integer(t, (int64_t)r->nonfinite);
    csv_integer(t, r->found);
    csv_integer(t, r->rising);
    csv_integer(t, r->traced);
    csv_text(t, r->part);
}

bool record_read(char *const *s, struct attack_record *ret)
{
    int64_t v[9];
    bool good = read_number(s[0], (double)NAN, &ret->clean) && read_number(s[3], (double)INFINITY, &ret->distance);
    static const size_t at[9] = { 1, 2, 4, 5, 6, 7, 8, 9, 10 };

    for (size_t i = 0; good && i < 9; i++)
        good = read_count(s[at[i]], &v[i]);
    if (!good)
        return false;
    ret->right = v[0] > 0;
    ret->target = (int32_t)v[1];
    ret->queries = (uint64_t)v[2];
    ret->gradients = (uint64_t)v[3];
    ret->zero = (uint64_t)v[4];
    ret->nonfinite = (uint64_t)v[5];
    ret->found = v[6] > 0;
    ret->rising = v[7] > 0;
    ret->traced = v[8] > 0;
    ret->part = s[11];
    return true;
}

void indicators_header(struct text *t) { add_names(t, indicator_columns, INDICATOR_COLUMNS); }

void indicators_add(struct text *t, const struct figure *f)
{
    const struct indicators *i = &f->indicators;
    const int64_t counts[] = {
        i->zero_gradient, i->zero_survived, i->unchanged, i->budget_unused, i->silent, i->rising
    };

    if (!f->attacked) {
        for (size_t c = 0; c < INDICATOR_COLUMNS; c++)
            csv_text(t, NULL);
        return;
    }
    add_count(t, i->right);
    add_count(t, i->gained);
    add_count(t, i->reached);
    add_number(t, i->queries);
    add_number(t, i->gradients);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        add_count(t, counts[c]);
    csv_text(t, i->draws);
    add_number(t, i->cosine);
    add_number(t, i->signs);
    add_number(t, i->differs);
}

bool indicators_begin(char *const *header)
{
    for (size_t i = 0; i < INDICATOR_COLUMNS; i++)
        if (strcmp(header[i], indicator_columns[i]) != 0)
            return false;
    return true;
}

struct indicators indicators_none(void)
{
    return (struct indicators){ -1, -1,          -1,          -1,          -1,          -1,          -1, -1,
                                -1, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, "" };
}

bool indicators_read(char *const *s, struct indicators *ret)
{
    ret->draws = s[11];
    return read_count(s[0], &ret->right) && read_count(s[1], &ret->gained) && read_count(s[2], &ret->reached) &&
           read_number(s[3], (double)NAN, &ret->queries) && read_number(s[4], (double)NAN, &ret->gradients) &&
           read_count(s[5], &ret->zero_gradient) && read_count(s[6], &ret->zero_survived) &&
           read_count(s[7], &ret->unchanged) && read_count(s[8], &ret->budget_unused) &&
           read_count(s[9], &ret->silent) && read_count(s[10], &ret->rising) &&
           read_number(s[12], (double)NAN, &ret->cosine) && read_number(s[13], (double)NAN, &ret->signs) &&
           read_number(s[14], (double)NAN, &ret->differs);
}
