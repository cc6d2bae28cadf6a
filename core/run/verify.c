/* Recomputing an output's figures from what it keeps. */
#include "run/verify.h"

#include "base/file.h"
#include "formats/csv.h"
#include "results/results.h"
#include "run/search.h"
#include "train/checkpoint.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 256 << 20 };

/* One trial being verified. */
struct verifying {
    const struct verify_params *p;
    struct trial trial; /* as it is, but that it logs nowhere else */
    struct trial_run run;
    char *kept; /* its folder in OUT */
    struct verified *found;
};

__attribute__((format(printf, 2, 3))) static void differ(struct verifying *v, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_printf(&v->found->differences, "%s: %s\n", v->trial.id, line);
    v->found->differing++;
}

static bioft_status need_checkpoints(const struct verifying *v, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < v->trial.stage_count; i++) {
        const char *path = v->run.places[i].checkpoint;
        struct progress progress = { 0 };
        char key[SHA256_HEX];
        if (file_exists(path))
            st = checkpoint_peek(path, &progress, key, err);
        if (st == BIOFT_OK && !progress.complete)
            st = error_set(err, BIOFT_ERR_INVALID,
                           "%s: stage '%s' has no complete checkpoint at %s: it was removed, or the data, "
                           "the weights or the engine are not those of the run",
                           v->trial.id, v->trial.stages[i].name, path);
    }
    return st;
}

/* The attacks' figures, filled anew from the predictions that are kept. */
static bioft_status recount(struct verifying *v, struct error *err)
{
    struct arena *arena = v->run.arena;
    const char *path = arena_printf(arena, "%s/results.csv", v->kept);
    struct trial_figures *all;
    size_t count, end;
    char name[256], other[256];
    bioft_status st = path ? results_read(path, arena, &all, &count, err) : error_memory(err, "a path");

    if (st != BIOFT_OK)
        return st;
    if (count != 1)
        return error_set(err, BIOFT_ERR_FORMAT, "%s: %zu trials, 1 expected", path, count);
    for (size_t i = 0; st == BIOFT_OK && i < all->count; i = end) {
        struct figure *f = &all->figures[i];
        bool found;
        figure_file(f, name, sizeof name);
        for (end = i + 1; end < all->count; end++) {
            figure_file(&all->figures[end], other, sizeof other);
            if (strcmp(name, other) != 0)
                break;
        }
        if (!f->attacked || strcmp(f->attack, ATTACK_WORST) == 0)
            continue;
        st = figure_load(v->kept, f, end - i, arena, f, &found, err);
        found = found && f->predictions;
        if (st == BIOFT_OK && !found)
            differ(v, "predictions/%s.csv is missing, and with it what %s is computed from", name, f->attack);
        for (size_t m = i; st == BIOFT_OK && found && m < end; m++)
            st = figure_fill(&all->figures[m], all->figures[m].predictions, all->figures[m].n, err);
        if (st == BIOFT_OK && found)
            st = figure_save(v->run.folder, &v->run.label, f, end - i, err);
    }
    return st;
}

static bioft_status read_csv(struct verifying *v, const char *folder, struct csv *ret, struct error *err)
{
    const char *path = arena_printf(v->run.arena, "%s/results.csv", folder);

    return path ? csv_load(path, MAX_FILE, v->run.arena, ret, err) : error_memory(err, "a path");
}

/* Every column that is computed: the report's verdict is not of a trial alone. */
static void compare_row(struct verifying *v, const char *file, const struct csv *kept, size_t row,
                        const struct csv *made, size_t at)
{
    char title[256];
    struct figure f = { .stage = csv_cell(made, at, "stage"),
                        .split = csv_cell(made, at, "split"),
                        .attack = csv_cell(made, at, "attack"),
                        .options = csv_cell(made, at, "options"),
                        .gradient = csv_cell(made, at, "gradient"),
                        .norm = csv_cell(made, at, "norm") };
    const char *epsilon = csv_cell(made, at, "epsilon");

    f.attacked = *epsilon && text_to_double(epsilon, strlen(epsilon), &f.epsilon);
    figure_file(&f, title, sizeof title);
    for (size_t k = 0; k < made->columns; k++) {
        const char *name = made->field[0][k];
        if (strncmp(name, "verdict", 7) == 0)
            continue;
        const char *a = csv_cell(kept, row, name), *b = made->field[at][k];
        if (strcmp(a, b) != 0)
            differ(v, "%s, %s %s: %s is %s there, computed %s", file, csv_cell(made, at, "metric"), title, name,
                   *a ? a : "empty", *b ? b : "empty");
    }
}

/* The trial's rows, in order. */
static void compare(struct verifying *v, const char *file, const struct csv *kept, const struct csv *made)
{
    size_t at = 1;

    for (size_t r = 1; r < kept->rows; r++) {
        if (strcmp(csv_cell(kept, r, "trial"), v->trial.id) != 0)
            continue;
        if (at < made->rows)
            compare_row(v, file, kept, r, made, at);
        at++;
    }
    if (at != made->rows)
        differ(v, "%s has %zu figures of it, computed %zu", file, at - 1, made->rows - 1);
}

static bioft_status compare_results(struct verifying *v, struct error *err)
{
    struct csv made, kept, whole;
    bioft_status st = read_csv(v, v->run.folder, &made, err);

    if (st == BIOFT_OK)
        st = read_csv(v, v->kept, &kept, err);
    if (st == BIOFT_OK)
        st = read_csv(v, v->p->out, &whole, err);
    if (st != BIOFT_OK)
        return st;
    compare(v, "its results.csv", &kept, &made);
    compare(v, "results.csv", &whole, &made);
    v->found->figures += made.rows - 1;
    return BIOFT_OK;
}

static bool same_files(const char *a, const char *b)
{
    struct file_map x, y;
    struct error err;
    bool same = false;

    if (file_map_open(a, &x, &err) != BIOFT_OK)
        return false;
    if (file_map_open(b, &y, &err) == BIOFT_OK) {
        same = x.size == y.size && memcmp(x.bytes, y.bytes, x.size) == 0 &&
               file_map_check(&x, BIOFT_OK, &err) == BIOFT_OK && file_map_check(&y, BIOFT_OK, &err) == BIOFT_OK;
        file_map_close(&y);
    }
    file_map_close(&x);
    return same;
}

static bioft_status compare_predictions(struct verifying *v, struct error *err)
{
    const char *folder = arena_printf(v->run.arena, "%s/predictions", v->run.folder);
    char **names = NULL;
    size_t count = 0;
    bioft_status st = folder ? file_list(folder, &names, &count, err) : error_memory(err, "a path");

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        const char *a = arena_printf(v->run.arena, "%s/predictions/%s", v->kept, names[i]);
        const char *b = arena_printf(v->run.arena, "%s/%s", folder, names[i]);
        if (!a || !b)
            st = error_memory(err, "a path");
        else if (!same_files(a, b))
            differ(v, "predictions/%s is not what is computed", names[i]);
    }
    if (st == BIOFT_OK)
        file_list_free(names, count);
    return st;
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *at)
{
    (void)s;
    (void)flag;
    (void)at;
    return remove(path);
}

static bioft_status verify_in(struct verifying *v, const char *work, struct error *err)
{
    bioft_status st = trial_open(&v->run, err);

    if (st == BIOFT_OK)
        st = need_checkpoints(v, err);
    if (st == BIOFT_OK && !(v->run.folder = arena_text(v->run.arena, work)))
        st = error_memory(err, "a path");
    if (st == BIOFT_OK && !v->p->attacks)
        st = recount(v, err);
    if (st == BIOFT_OK)
        st = trial_run(&v->run, err);
    if (st == BIOFT_OK)
        st = compare_results(v, err);
    return st == BIOFT_OK ? compare_predictions(v, err) : st;
}

bioft_status verify_trial(const struct verify_params *p, const struct trial *t, struct verified *ret, struct error *err)
{
    const char *place = getenv("TMPDIR");
    char *work = path_join(place && *place ? place : "/tmp", "bioft-verify-XXXXXX");
    struct text kept = { 0 };
    struct status_file status = { 0 };
    struct verifying v = { .p = p, .found = ret };
    bioft_status st = search_find(p->out, t, &t, err);

    v.trial = *t;
    text_printf(&kept, "%s/trials/%s", p->out, t->id);
    v.kept = kept.data;
    v.trial.tensorboard = v.trial.mlflow = false;
    v.run = (struct trial_run){ .experiment = p->experiment,
                                .trial = &v.trial,
                                .out = p->out,
                                .log = p->log,
                                .stop = p->stop,
                                .status = &status,
                                .shared = p->shared,
                                .recounting = true };
    if (st == BIOFT_OK && (!work || kept.failed))
        st = error_memory(err, "a path");
    else if (st == BIOFT_OK && !mkdtemp(work))
        st = file_error(err, work, "make", errno);
    if (st == BIOFT_OK) {
        st = verify_in(&v, work, err);
        trial_close(&v.run);
        nftw(work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    if (st == BIOFT_OK && ret->differences.failed)
        st = error_memory(err, "what differs");
    text_free(&kept);
    free(work);
    return st;
}
