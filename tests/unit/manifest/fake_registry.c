/* A registry of static plugins: enough of each kind to read manifests with. Linked before the room plugin, it
 * stands in for the one that opens files. */
#include "fake_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registry {
    int nothing;
};

char fake_places[1024];

static const char *const scales[] = { "none", "xavier", "constant", NULL };
static const char *const activations[] = { "relu", "tanh", NULL };

#define OPTION(NAME, TYPE, ...) \
    { \
        .name = NAME, .type = TYPE, .help = "", __VA_ARGS__ \
    }

static const bioft_option usf_options[] = { OPTION("scale", BIOFT_CHOICE, .def = 1, .choices = scales) };
static const bioft_option frsf_options[] = {
    OPTION("scale", BIOFT_CHOICE, .def = 1, .choices = scales),
    OPTION("low", BIOFT_F64, .def = 0.0),
    OPTION("high", BIOFT_F64, .def = 1.0),
};
static const bioft_option lenet5_options[] = { OPTION("activation", BIOFT_CHOICE, .choices = activations) };
static const bioft_option mlp_options[] = {
    OPTION("hidden", BIOFT_I64_LIST, .def_string = "[128, 64]"),
    OPTION("dropout", BIOFT_F64, .max = 0.9),
};
static const bioft_option pictures_options[] = {
    OPTION("list", BIOFT_PATH, .def_string = NULL),
    OPTION("note", BIOFT_STRING, .def_string = ""),
    OPTION("grey", BIOFT_BOOL, .def = 0),
};
static const bioft_option pgd_options[] = {
    OPTION("steps", BIOFT_I64, .def = 5, .min = 1, .max = 1000, .flags = BIOFT_OPTION_STEPS),
    OPTION("stepsize", BIOFT_F64, .def = 0.0, .max = 1.0, .unit = "pixels", .flags = BIOFT_OPTION_FRACTIONS),
    OPTION("random_start", BIOFT_BOOL, .def = 0),
};
static const bioft_option smoothing_options[] = { OPTION("label_smoothing", BIOFT_F64, .max = 0.99,
                                                         .flags = BIOFT_OPTION_LABEL_SMOOTHING) };
static const bioft_option engine_options[] = { OPTION("block", BIOFT_I64, .def = 64, .min = 1, .max = 4096) };

#define PLUGIN(KIND, NAME, ...) \
    { \
        .descriptor = {.kind = KIND, .name = NAME, .version = "1.0", __VA_ARGS__ } \
    }
#define WITH(OPTIONS) \
    .options = OPTIONS, .option_count = sizeof(OPTIONS) / sizeof(*OPTIONS), .option_size = sizeof(bioft_option)

static struct plugin plugins[] = {
    PLUGIN(BIOFT_KIND_RULE, "bp", .options = NULL),
    PLUGIN(BIOFT_KIND_RULE, "frsf", WITH(frsf_options)),
    PLUGIN(BIOFT_KIND_RULE, "usf", WITH(usf_options)),
    PLUGIN(BIOFT_KIND_BACKBONE, "lenet5", WITH(lenet5_options)),
    PLUGIN(BIOFT_KIND_BACKBONE, "mlp", WITH(mlp_options)),
    PLUGIN(BIOFT_KIND_DATASET, "pictures", WITH(pictures_options)),
    PLUGIN(BIOFT_KIND_ATTACK, "fgsm", .options = NULL),
    PLUGIN(BIOFT_KIND_ATTACK, "guess", .options = NULL),
    PLUGIN(BIOFT_KIND_ATTACK, "hag", .options = NULL),
    PLUGIN(BIOFT_KIND_ATTACK, "pgd", WITH(pgd_options)),
    PLUGIN(BIOFT_KIND_LOSS, "cross_entropy", WITH(smoothing_options)),
    PLUGIN(BIOFT_KIND_LOSS, "hyp2", .options = NULL),
    PLUGIN(BIOFT_KIND_ENGINE, "openblas", WITH(engine_options)),
};
enum { PLUGINS = sizeof plugins / sizeof *plugins };

static struct plugin *find(uint32_t kind, const char *name)
{
    for (size_t i = 0; i < PLUGINS; i++)
        if (plugins[i].descriptor.kind == kind && strcmp(plugins[i].descriptor.name, name) == 0)
            return &plugins[i];
    return NULL;
}

static void join(char *ret, size_t size, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", i ? ":" : "", texts[i]);
}

bioft_status registry_create(const struct registry_places *places, const struct log *log, struct registry **ret,
                             struct error *err)
{
    (void)log;
    find(BIOFT_KIND_ATTACK, "fgsm")->api.attack = (bioft_attack){
        .norm = BIOFT_LINF, .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CLASSES
    };
    find(BIOFT_KIND_ATTACK, "guess")->api.attack = (bioft_attack){ .norm = BIOFT_L2 };
    find(BIOFT_KIND_ATTACK, "hag")->api.attack = (bioft_attack){ .norm = BIOFT_LINF,
                                                                 .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_CODES };
    find(BIOFT_KIND_ATTACK, "pgd")->api.attack = (bioft_attack){
        .norm = BIOFT_LINF, .flags = BIOFT_ATTACK_GRADIENT | BIOFT_ATTACK_TARGETED
    };
    find(BIOFT_KIND_LOSS, "cross_entropy")->api.loss.flags = BIOFT_LOSS_CLASSES;
    find(BIOFT_KIND_LOSS, "hyp2")->api.loss.flags = BIOFT_LOSS_CODES;
    fake_places[0] = '\0';
    join(fake_places, sizeof fake_places, places->command_line, places->command_line_count);
    strcat(fake_places, " | ");
    join(fake_places, sizeof fake_places, places->manifest, places->manifest_count);
    if (places->command_line_count == 1 && strcmp(places->command_line[0], "nowhere") == 0)
        return error_set(err, BIOFT_ERR_INVALID, "--plugin-path nowhere: there is no such place");
    *ret = calloc(1, sizeof **ret);
    return *ret ? BIOFT_OK : error_memory(err, "a registry");
}

void registry_destroy(struct registry *r) { free(r); }

bioft_status registry_find(struct registry *r, uint32_t kind, const char *name, const struct plugin **ret,
                           struct error *err)
{
    (void)r;
    if (strcmp(name, "broken") == 0)
        return error_set(err, BIOFT_ERR_FORMAT, "/p/broken.so: wrong magic");
    *ret = find(kind, name);
    return *ret ? BIOFT_OK : error_set(err, BIOFT_ERR_INVALID, "looked in /p, /q");
}

bioft_status registry_names(struct registry *r, uint32_t kind, char ***ret, size_t *ret_count, struct error *err)
{
    char **names = calloc(PLUGINS, sizeof *names);
    size_t count = 0;

    (void)r;
    if (!names)
        return error_memory(err, "names");
    for (size_t i = 0; i < PLUGINS; i++)
        if (plugins[i].descriptor.kind == kind)
            names[count++] = strdup(plugins[i].descriptor.name);
    *ret = names;
    *ret_count = count;
    return BIOFT_OK;
}

void registry_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bioft_status registry_beside(const struct registry *r, uint32_t kind, const char *name, const char *ending, char **ret,
                             struct error *err)
{
    (void)r, (void)kind, (void)name, (void)ending, (void)err;
    *ret = NULL;
    return BIOFT_OK;
}

bioft_status registry_beside_names(const struct registry *r, uint32_t kind, const char *ending, char ***ret,
                                   size_t *ret_count, struct error *err)
{
    (void)r, (void)kind, (void)ending, (void)err;
    *ret = NULL;
    *ret_count = 0;
    return BIOFT_OK;
}
