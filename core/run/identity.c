/* What a trial and its figures are, whatever the seed. */
#include "run/identity.h"

#include "base/file.h"
#include "data/describe.h"
#include "data/identity.h"
#include "formats/csv.h"
#include "run/backbone_files.h"
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 16, MAX_FILE = 4096 };

static bioft_status add(struct trial_run *r, const char *path, const char *value, struct error *err)
{
    struct settings *s = &r->identity;

    if (!path || !value)
        return error_memory(err, "a trial's identity");
    s->items[s->count++] = (struct keyed_value){ path, value };
    return BIOFT_OK;
}

/* The splits of one stage's data. */
static bioft_status add_data(struct trial_run *r, const char *stage, const struct dataset *d, struct error *err)
{
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < d->split_count; i++) {
        const struct split *s = &d->splits[i];
        st = add(r, arena_printf(r->arena, "data.%s.%s", stage, s->name), s->identity, err);
    }
    return st;
}

/* What no result was made with yet. Trials that begin together agree on it. */
static bioft_status keep_input(const struct trial_run *r, const char *path, const char *sum, struct error *err)
{
    const char *folder = arena_printf(r->arena, "%s/inputs", r->out);
    const char *lock_path = arena_printf(r->arena, "%s/.inputs.lock", r->out);
    int lock = -1;
    bioft_status st = folder && lock_path ? file_make_folder(folder, err) : error_memory(err, "a path");

    if (st == BIOFT_OK)
        st = file_lock_wait(lock_path, r->stop, &lock, err);
    if (st == BIOFT_OK && !file_exists(path))
        st = file_write(path, sum, strlen(sum), err);
    file_unlock(lock);
    return st;
}

/* Were the same inputs other ones when this folder's other results were made? what: a key for a file's name. */
static bioft_status guard(const struct trial_run *r, const char *what, const char *shown, const char *version,
                          const char *hex, struct error *err)
{
    char name[SHA256_HEX], *there = NULL;
    const char *sum = arena_printf(r->arena, "%s%s%schecksum %.16s", version ? "version " : "", version ? version : "",
                                   version ? ", " : "", hex);
    size_t size;

    sha256_bytes(what, strlen(what), name);
    name[DIGITS] = '\0';
    const char *path = arena_printf(r->arena, "%s/inputs/%s", r->out, name);
    bioft_status st = path && sum ? BIOFT_OK : error_memory(err, "a path");
    if (st == BIOFT_OK && !file_exists(path))
        st = keep_input(r, path, sum, err);
    if (st == BIOFT_OK)
        st = file_read(path, MAX_FILE, (uint8_t **)&there, &size, err);
    if (st == BIOFT_OK && (size != strlen(sum) || memcmp(there, sum, size) != 0))
        st = error_set(err, BIOFT_ERR_INVALID,
                       "%s: what it holds has changed since other results in %s were made (%s "
                       "there, %s now); use another --out",
                       shown, r->out, there, sum);
    free(there);
    return st;
}

static bioft_status guard_data(const struct trial_run *r, const struct dataset *d, const char *of, struct error *err)
{
    char sum[SHA256_HEX];
    const struct dataset_spec *spec = d->spec;
    bioft_status st = dataset_digest(d, sum, err);
    const char *what = arena_printf(r->arena, "data %s %s %s %llu %llu", of, d->name, spec->root ? spec->root : "",
                                    (unsigned long long)spec->split_seed, (unsigned long long)spec->limit);

    if (st == BIOFT_OK && !what)
        st = error_memory(err, "a trial's identity");
    return st == BIOFT_OK ? guard(r, what, spec->root ? spec->root : d->name, NULL, sum, err) : st;
}

static bioft_status add_weights(struct trial_run *r, size_t stage, const char *path, struct error *err)
{
    char *sum = arena_array(r->arena, SHA256_HEX, 1);
    const char *what = arena_printf(r->arena, "weights %s", path);
    bioft_status st = sum && what ? sha256_file(path, sum, err) : error_memory(err, "a trial's identity");

    if (st == BIOFT_OK)
        st = guard(r, what, path, NULL, sum, err);
    return st == BIOFT_OK ? add(r, arena_printf(r->arena, "weights.%zu", stage), sum, err) : st;
}

/* What the backbone reads. */
static bioft_status add_backbone_files(struct trial_run *r, struct error *err)
{
    const char *option, *path;
    uint32_t at = 0;
    bioft_status st = BIOFT_OK;

    while (st == BIOFT_OK && (option = backbone_file_next(r->trial, &at, &path))) {
        char *sum = arena_array(r->arena, SHA256_HEX, 1);
        const char *what = arena_printf(r->arena, "backbone %s %s", option, path);
        st = sum && what ? sha256_file(path, sum, err) : error_memory(err, "a trial's identity");
        if (st == BIOFT_OK)
            st = guard(r, what, path, NULL, sum, err);
        if (st == BIOFT_OK)
            st = add(r, arena_printf(r->arena, "model.backbone.%s.sha256", option), sum, err);
    }
    return st;
}

/* A plugin's file: two versions of it are two experiments, whatever they call themselves. */
static bioft_status guard_plugin(const struct trial_run *r, const struct plugin *p, struct error *err)
{
    const char *kind = kind_word(p->descriptor.kind), *name = p->descriptor.name;
    const char *what = arena_printf(r->arena, "plugin %s %s", kind, name);
    const char *shown = arena_printf(r->arena, "%s '%s', %s", kind, name, p->path);
    char sum[SHA256_HEX];
    bioft_status st = what && shown ? sha256_file(p->path, sum, err) : error_memory(err, "a plugin");

    return st == BIOFT_OK ? guard(r, what, shown, p->descriptor.version, sum, err) : st;
}

static bioft_status guard_plugins(const struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    bioft_status st = guard_plugin(r, r->engine->instance->plugin, err);

    if (st != BIOFT_OK)
        return st;
    st = guard_plugin(r, t->backbone.plugin, err);
    for (size_t i = 0; st == BIOFT_OK && i <= t->stage_count; i++)
        st = guard_plugin(r, r->data[i]->instance->plugin, err);
    for (size_t i = 0; st == BIOFT_OK && i < t->stage_count; i++) {
        const struct stage_spec *s = &t->stages[i];
        st = guard_plugin(r, s->loss.plugin, err);
        for (size_t k = 0; st == BIOFT_OK && k < s->rule_count; k++)
            st = guard_plugin(r, s->rules[k].choice.plugin, err);
    }
    for (size_t i = 0; st == BIOFT_OK && i < t->attack_count; i++)
        st = guard_plugin(r, t->attacks[i].choice.plugin, err);
    return st;
}

/* The data's settings but for its contents: two stages may look at the same files in two ways. */
static const char *data_settings(const struct trial_run *r, const char *stage)
{
    const char *prefix = arena_printf(r->arena, *stage ? "stages.%s.dataset." : "%sdataset.", stage);
    struct text t = { 0 };

    for (size_t i = 0; prefix && i < r->trial->deciding.count; i++) {
        const struct keyed_value *s = &r->trial->deciding.items[i];
        if (strncmp(s->path, prefix, strlen(prefix)) == 0)
            text_printf(&t, "%s=%s;", s->path + strlen(prefix), s->value);
    }
    const char *ret = !prefix || t.failed ? NULL : arena_text(r->arena, t.data ? t.data : "");
    text_free(&t);
    return ret;
}

static bioft_status add_inputs(struct trial_run *r, struct error *err)
{
    const struct trial *t = r->trial;
    const size_t count = t->stage_count ? t->stage_count : 1;
    bioft_status st = add(r, "engine.chosen", r->label.engine, err);

    if (st == BIOFT_OK)
        st = add_backbone_files(r, err);
    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        const char *stage = t->stage_count ? t->stages[i].name : "", *of = data_settings(r, stage);
        const struct weights_spec *weights = trial_weights(r, i);
        st = of ? guard_data(r, r->data[i], of, err) : error_memory(err, "a trial's identity");
        if (st == BIOFT_OK)
            st = add_data(r, *stage ? stage : "weights", r->data[i], err);
        if (st == BIOFT_OK && weights)
            st = add_weights(r, i, weights->file, err);
    }
    return st;
}

static bioft_status save(const struct trial_run *r, struct error *err)
{
    const char *path = arena_printf(r->arena, "%s/settings.csv", r->folder);
    struct text t = { 0 };
    bioft_status st = path ? file_make_folder(r->folder, err) : error_memory(err, "a path");

    csv_text(&t, "key");
    csv_text(&t, "value");
    csv_end_line(&t);
    for (size_t i = 0; i < r->identity.count; i++) {
        csv_text(&t, r->identity.items[i].path);
        csv_text(&t, r->identity.items[i].value);
        csv_end_line(&t);
    }
    if (st == BIOFT_OK)
        st = t.failed ? error_memory(err, path) : file_write(path, t.data, t.length, err);
    text_free(&t);
    return st;
}

/* Is it a setting of a later stage, or of an attack, which does not determine this figure? */
static bool is_foreign(const struct trial_run *r, size_t stage, const char *path)
{
    if (strncmp(path, "attacks.", 8) == 0 || strcmp(path, "attacks") == 0)
        return true;
    for (size_t i = stage + 1; i < r->trial->stage_count; i++) {
        const char *name = r->trial->stages[i].name;
        const size_t n = strlen(name);
        if ((strncmp(path, "stages.", 7) == 0 && strncmp(path + 7, name, n) == 0 && path[7 + n] == '.') ||
            (strncmp(path, "data.", 5) == 0 && strncmp(path + 5, name, n) == 0 && path[5 + n] == '.'))
            return true;
    }
    return false;
}

static const char *sum_text(struct arena *arena, struct text *t)
{
    char hex[SHA256_HEX] = "";

    if (!t->failed)
        sha256_bytes(t->data, t->length, hex);
    hex[DIGITS] = '\0';
    const char *ret = t->failed ? NULL : arena_text(arena, hex);
    text_free(t);
    return ret;
}

bioft_status identity_open(struct trial_run *r, struct error *err)
{
    const struct settings *deciding = &r->trial->deciding;
    const size_t most = deciding->count + (r->trial->stage_count + 1) * (MAX_SPLITS + 1) + 1 +
                        r->trial->backbone.plugin->descriptor.option_count;
    struct text all = { 0 };

    r->identity = (struct settings){ .items = arena_array(r->arena, most, sizeof *r->identity.items) };
    if (!r->identity.items)
        return error_memory(err, "a trial's identity");
    for (size_t i = 0; i < deciding->count; i++)
        if (strcmp(deciding->items[i].path, "engine.plugin") != 0)
            r->identity.items[r->identity.count++] = deciding->items[i];
    bioft_status st = guard_plugins(r, err);
    if (st == BIOFT_OK)
        st = add_inputs(r, err);
    if (st != BIOFT_OK)
        return st;
    for (size_t i = 0; i < r->identity.count; i++)
        text_printf(&all, "%s=%s\n", r->identity.items[i].path, r->identity.items[i].value);
    r->label.identity = sum_text(r->arena, &all);
    return r->label.identity ? save(r, err) : error_memory(err, "a trial's identity");
}

const char *identity_of(const struct trial_run *r, size_t stage, const struct figure *f, const char *attack_key)
{
    char number[TEXT_NUMBER];
    struct text t = { 0 };

    for (size_t i = 0; i < r->identity.count; i++)
        if (!is_foreign(r, stage, r->identity.items[i].path))
            text_printf(&t, "%s=%s\n", r->identity.items[i].path, r->identity.items[i].value);
    text_printf(&t, "%s\n%s\n%s\n%s\n", f->stage, f->split, f->metric, attack_key);
    if (f->attacked)
        text_printf(&t, "%s\n%s\n%s\n%s\n%s\n", f->attack, f->options, f->gradient, f->norm,
                    text_number(number, f->epsilon));
    return sum_text(r->arena, &t);
}

void identity_counts(const struct trial_run *r, size_t stage, struct figure *ret)
{
    const struct trial *t = r->trial;
    const struct dataset *d = r->data[stage];
    const struct split *train = dataset_split(d, "train");

    ret->dropped = 0;
    for (size_t i = 0; i < d->split_count; i++)
        ret->dropped += d->splits[i].left_out;
    if (stage >= t->stage_count)
        return;
    ret->n_train = train ? train->count : 0;
    const struct graph *g = r->network.graph;
    const struct stage_spec *s = &t->stages[stage];
    ret->steps = stage_steps(s, g ? stage_usable(s, g, ret->n_train) : ret->n_train, NULL, NULL);
}
