/* What the tests of training share: an engine, networks, data and specs made without a manifest. */
#include "fixture.h"

#include "base/file.h"
#include "base/random.h"
#include "formats/npy.h"
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

void fixture_open(struct fixture *f, unsigned threads)
{
    struct error err = { 0 };
    char folder[] = "train-test-XXXXXX", *made = mkdtemp(folder);
    memset(f, 0, sizeof(*f));
    f->folder = made ? realpath(made, NULL) : NULL;
    assert_non_null(f->folder);
    OK(registry_create(&(struct registry_places){ .environment = true }, NULL, &f->registry, &err), err);
    f->arena = arena_create();
    assert_non_null(f->arena);
    OK(pool_create(threads, &f->pool, &err), err);
}

void fixture_engine(struct fixture *f)
{
    struct error err = { 0 };
    const struct choice engine = fixture_choice(f, BIOFT_KIND_ENGINE, "openblas", NULL);
    const struct engine_params p = {
        .registry = f->registry,
        .plugin = engine.plugin,
        .values = engine.values,
        .pool = f->pool,
        .seed = 1,
    };
    OK(engine_open(&p, &f->engine, &err), err);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s, (void)type, (void)ftw;
    return remove(path);
}

void fixture_close(struct fixture *f)
{
    engine_close(f->engine);
    pool_destroy(f->pool);
    registry_destroy(f->registry);
    arena_destroy(f->arena);
    nftw(f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f->folder);
}

struct fixture fixture;

int fixture_open_group(void **state)
{
    (void)state;
    fixture_open(&fixture, 1);
    fixture_engine(&fixture);
    return 0;
}

int fixture_close_group(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

const char *fixture_path(struct fixture *f, const char *name)
{
    return arena_printf(f->arena, "%s/%s", f->folder, name);
}

const struct plugin *fixture_plugin(struct fixture *f, uint32_t kind, const char *name)
{
    struct error err = { 0 };
    const struct plugin *p = NULL;
    OK(registry_find(f->registry, kind, name, &p, &err), err);
    return p;
}

static void set_option(struct fixture *f, struct choice *c, const char *assignment)
{
    struct error err = { 0 };
    const char *items[16], *equals = strchr(assignment, '=');
    size_t index = 0, count = 0;
    const bioft_option *o = options_find(c->plugin, arena_text_n(f->arena, assignment, (size_t)(equals - assignment)),
                                         &index);
    assert_non_null(o);
    const bool list = o->type == BIOFT_F64_LIST || o->type == BIOFT_I64_LIST || o->type == BIOFT_STRING_LIST;
    char *rest = arena_text(f->arena, equals + 1);
    if (!list)
        items[count++] = rest;
    for (char *s = list ? strtok(rest, " ") : NULL; s; s = strtok(NULL, " "))
        items[count++] = s;
    OK(option_parse(o, items, count, list, f->folder, f->arena, &c->values[index], &err), err);
}

struct choice fixture_choice(struct fixture *f, uint32_t kind, const char *name, ...)
{
    struct error err = { 0 };
    struct choice c = { .plugin = fixture_plugin(f, kind, name) };
    va_list args;
    OK(options_defaults(c.plugin, f->arena, &c.values, &err), err);
    va_start(args, name);
    for (const char *s = va_arg(args, const char *); s; s = va_arg(args, const char *))
        set_option(f, &c, s);
    va_end(args);
    return c;
}

struct rule_spec *fixture_rule(struct fixture *f, struct choice rule)
{
    struct rule_spec *r = arena_array(f->arena, 1, sizeof(*r));
    r->layers = "*";
    r->choice = rule;
    return r;
}

struct graph *fixture_graph(struct fixture *f, struct choice backbone, uint32_t outputs)
{
    struct error err = { 0 };
    struct instance *instance = NULL;
    struct graph *g = NULL;
    (void)f;
    OK(instance_create(&(struct instance_params){ .plugin = backbone.plugin, .values = backbone.values }, &instance,
                       &err),
       err);
    OK(graph_build(&(struct graph_params){ .backbone = instance, .head_outputs = outputs }, &g, &err), err);
    instance_destroy(instance);
    return g;
}

struct model *fixture_model(struct fixture *f, const struct graph *g, uint64_t seed)
{
    struct error err = { 0 };
    struct model *m = NULL;
    OK(model_create(f->engine, g, &m, &err), err);
    for (uint32_t i = 0; i < g->view.parameter_count; i++) {
        float *values = mem_aligned(g->parameters[i].count, sizeof(*values));
        assert_non_null(values);
        OK(graph_initialise(g, i, seed, NULL, values), err);
        OK(model_write(m, BIOFT_VALUE, i, values, &err), err);
        free(values);
    }
    return m;
}

float *fixture_read(struct model *m, uint32_t what, uint32_t parameter)
{
    struct error err = { 0 };
    float *values = mem_aligned(m->graph->parameters[parameter].count, sizeof(*values));
    assert_non_null(values);
    OK(model_read(m, what, parameter, values, &err), err);
    return values;
}

void fixture_write(struct model *m, uint32_t what, uint32_t parameter, const float *values)
{
    struct error err = { 0 };
    OK(model_write(m, what, parameter, values, &err), err);
}

struct dataset *fixture_data(struct fixture *f, struct image_format image, uint64_t count, uint32_t classes)
{
    struct error err = { 0 };
    const size_t size = (size_t)image.channels * image.height * image.width;
    const uint64_t shape[4] = { count, image.channels, image.height, image.width };
    float *pixels = mem_array(count * size, sizeof(*pixels)), *pattern = mem_array(classes * size, sizeof(*pattern));
    int64_t *labels = mem_array(count, sizeof(*labels));
    assert_true(pixels && pattern && labels);
    random_fill(BIOFT_UNIFORM, 1, "pattern", 0, 0, pattern, classes * size);
    random_fill(BIOFT_UNIFORM, 1, "noise", 0, 0, pixels, count * size);
    for (uint64_t i = 0; i < count; i++) {
        labels[i] = (int64_t)(i * 7 % classes);
        for (size_t k = 0; k < size; k++)
            pixels[i * size + k] = 0.5f * (pixels[i * size + k] + pattern[(size_t)labels[i] * size + k]);
    }
    const char *const splits[] = { "train", "val", "test" };
    for (size_t s = 0; s < 3; s++) {
        OK(npy_write(fixture_path(f, arena_printf(f->arena, "%s_images.npy", splits[s])), NPY_F32, 4, shape, pixels,
                     &err),
           err);
        OK(npy_write(fixture_path(f, arena_printf(f->arena, "%s_labels.npy", splits[s])), NPY_I64, 1, shape, labels,
                     &err),
           err);
    }
    free(pixels);
    free(pattern);
    free(labels);
    return fixture_open_data(f, f->folder);
}

struct dataset *fixture_open_data(struct fixture *f, const char *folder)
{
    struct error err = { 0 };
    struct dataset *d = NULL;
    struct dataset_spec *spec = arena_array(f->arena, 1, sizeof(*spec));
    spec->choice = fixture_choice(f, BIOFT_KIND_DATASET, "npy", NULL);
    spec->root = folder;
    spec->transform.kind = TRANSFORM_NONE;
    spec->cache = "off";
    OK(dataset_open(spec, f->pool, NULL, &d, &err), err);
    return d;
}

struct trial *fixture_trial(struct fixture *f, struct choice backbone, struct dataset *data, struct choice rule,
                            const char *loss)
{
    struct trial *t = arena_array(f->arena, 1, sizeof(*t));
    struct stage_spec *s = arena_array(f->arena, 1, sizeof(*s));
    t->id = "00";
    t->seed = 1;
    t->precision = BIOFT_F32;
    t->threads = pool_threads(f->pool);
    t->dataset = data->spec;
    t->backbone = backbone;
    t->head.classes = data->classes;
    t->stages = s;
    t->stage_count = 1;
    s->name = "train";
    s->dataset = data->spec;
    s->rules = fixture_rule(f, rule);
    s->rule_count = 1;
    s->rule_name = rule.plugin->descriptor.name;
    s->loss = fixture_choice(f, BIOFT_KIND_LOSS, loss, NULL);
    s->optimizer = (struct optimizer_spec){
        .kind = BIOFT_SGD,
        .lr = 0.1,
        .head_lr = 0.1,
        .loss_lr = 0.1,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .eps = 1e-8,
    };
    s->epochs = 1;
    s->batch_size = 8;
    s->accumulate = 1;
    s->shuffle = true;
    return t;
}
