/* bioft bench engines: one backbone on every compute engine that is here, in each precision, trained and run. */
#include "cli/bench.h"
#include "cli/print.h"

#include "base/text.h"
#include "formats/json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Images a second; 0: not measured. why: the engine's identity, or what it refused with. */
struct row {
    double train, forward;
    char why[2048];
};

static bioft_status check_kernels(const struct bench *b, struct error *err)
{
    const char *kernels = "";
    char *profile = NULL;
    bioft_status st = bench_profile(b, &profile, err);

    if (st == BIOFT_OK)
        st = bench_kernels(profile, b->arena, &kernels, err);
    if (st == BIOFT_OK)
        st = bench_check_kernels(b, kernels, err);
    free(profile);
    return st;
}

static bioft_status measure(const struct bench *common, const char *engine, uint32_t precision, bool train, double *ret,
                            char *why, size_t size)
{
    struct bench b = *common;
    struct bench_times best;
    struct error err = { 0 };
    double median;
    bioft_status st;

    b.engine = engine;
    b.precision = precision;
    b.train = train;
    st = bench_open(&b, &err);
    if (st == BIOFT_OK)
        st = bench_measure(&b, &best, &median, &err);
    if (st == BIOFT_OK)
        st = check_kernels(&b, &err);
    if (st == BIOFT_OK)
        *ret = best.all > 0 ? b.batch / best.all : 0;
    snprintf(why, size, "%.*s", (int)size - 1, st == BIOFT_OK ? b.opened->identity : err.text);
    bench_close(&b);
    return st;
}

static void print_row(const struct bench *b, const char *engine, const char *precision, const struct row *r)
{
    if (b->json) {
        struct text t = { 0 };
        json_begin_object(&t);
        json_key(&t, "engine");
        json_string(&t, engine);
        json_key(&t, "precision");
        json_string(&t, precision);
        json_key(&t, "train_images_per_s");
        json_number(&t, round(100 * r->train) / 100);
        json_key(&t, "forward_images_per_s");
        json_number(&t, round(100 * r->forward) / 100);
        json_key(&t, "why");
        json_string(&t, r->why);
        json_end_object(&t);
        if (t.data)
            print("%s\n", t.data);
        text_free(&t);
    } else if (r->forward > 0) {
        print("%-12s %-9s %9.1f %9.1f  %s\n", engine, precision, r->train, r->forward, r->why);
    } else {
        print("%-12s %-9s %9s %9s  %s\n", engine, precision, "-", "-", r->why);
    }
    fflush(stdout);
}

/* What a faster build would have, where something else is here in its place. */
static void print_absent(struct registry *r)
{
    struct registry_absence *absent = NULL;
    struct error ignored = { 0 };
    size_t count = 0;

    if (registry_absences(r, BIOFT_KIND_ENGINE, &absent, &count, &ignored) != BIOFT_OK)
        return;
    for (size_t i = 0; i < count; i++)
        print("%-12s is not here: %s\n", absent[i].name, absent[i].why);
    registry_absences_free(absent, count);
}

/* A precision that the engine does not have is a row, not an error. */
static bioft_status compare(struct bench *b, const char *engine, struct error *err)
{
    static const struct {
        uint32_t precision;
        const char *name;
    } precisions[] = { { BIOFT_F32, "f32" }, { BIOFT_BF16, "bf16" } };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        struct row r = { 0 };
        bioft_status one = measure(b, engine, precisions[i].precision, true, &r.train, r.why, sizeof r.why);
        if (one == BIOFT_OK)
            one = measure(b, engine, precisions[i].precision, false, &r.forward, r.why, sizeof r.why);
        print_row(b, engine, precisions[i].name, &r);
        if (one != BIOFT_OK && one != BIOFT_ERR_UNSUPPORTED)
            st = error_set(err, one, "engine '%s' failed in %s: %s", engine, precisions[i].name, r.why);
    }
    return st;
}

bioft_status bench_engines(struct bench *b, struct error *err)
{
    const struct registry_places places = { .command_line = b->plugin_paths.items,
                                            .command_line_count = b->plugin_paths.count,
                                            .environment = true,
                                            .implicit = true };
    struct registry *r;
    char **names = NULL;
    size_t count = 0;
    bioft_status st = registry_create(&places, &b->console.log, &r, err);

    if (st != BIOFT_OK)
        return st;
    st = registry_names(r, BIOFT_KIND_ENGINE, &names, &count, err);
    if (st == BIOFT_OK && !b->json)
        print("%s, batch %u, %u thread%s: images a second, the best of %u steps\n%-12s %-9s %9s %9s  %s\n", b->backbone,
              b->batch, b->threads, b->threads == 1 ? "" : "s", b->steps, "engine", "precision", "train", "forward",
              "what");
    for (size_t i = 0; i < count; i++) {
        const bioft_status one = compare(b, names[i], err);
        if (one != BIOFT_OK)
            st = one;
    }
    if (!b->json)
        print_absent(r);
    registry_names_free(names, count);
    registry_destroy(r);
    return st;
}
