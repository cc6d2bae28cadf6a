/* bioft bench: how fast a backbone trains or runs on this machine, on random pictures. */
#include "base/clock.h"
#include "base/random.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "formats/json.h"
#include "train/feedback.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CLASSES = 10, STEPS = 5, PROFILE_BYTES = 1 << 20 };

struct bench {
    const char *backbone, *rule, *engine;
    struct argument_list plugin_paths;
    uint32_t batch, size, steps, threads;
    bool train, profile, json, quiet;
    struct console console;
    struct registry *registry;
    struct pool *pool;
    struct engine *opened;
    struct instance *built;
    struct graph *graph;
    struct model *model;
    struct feedback *feedback;
    struct program *program;
    struct arena *arena;
    float *x, *out, *d_out;
    int32_t *label;
    uint64_t *labels;
    double *lr;
    uint64_t step;
};

static bioft_status find(struct bench *b, uint32_t kind, const char *name, const struct plugin **ret,
                         struct option_value **ret_values, struct error *err)
{
    bioft_status st = registry_find(b->registry, kind, name, ret, err);
    return st == BIOFT_OK ? options_defaults(*ret, b->arena, ret_values, err) : st;
}

static bioft_status open_engine(struct bench *b, struct error *err)
{
    struct engine_params p = { .registry = b->registry, .seed = 1, .log = &b->console.log };
    struct option_value *values = NULL;
    bioft_status st = pool_create(b->threads, &b->pool, err);

    if (st == BIOFT_OK && b->engine)
        st = find(b, BIOFT_KIND_ENGINE, b->engine, &p.plugin, &values, err);
    p.pool = b->pool;
    p.values = values;
    return st == BIOFT_OK ? engine_open(&p, &b->opened, err) : st;
}

static bioft_status build(struct bench *b, struct error *err)
{
    struct instance_params p = { .seed = 1 };
    struct option_value *values;
    bioft_status st = find(b, BIOFT_KIND_BACKBONE, b->backbone, &p.plugin, &values, err);

    p.values = values;
    if (st == BIOFT_OK)
        st = instance_create(&p, &b->built, err);
    if (st == BIOFT_OK)
        st = graph_build(&(struct graph_params){ .backbone = b->built, .height = b->size, .width = b->size,
                                                 .head_outputs = CLASSES }, &b->graph, err);
    return st == BIOFT_OK ? model_create(b->opened, b->graph, &b->model, err) : st;
}

/* The parameters' first values, as a run would have them. */
static bioft_status initialise(struct bench *b, struct error *err)
{
    const struct graph *g = b->graph;
    bioft_status st = BIOFT_OK;

    for (uint32_t i = 0; st == BIOFT_OK && i < g->view.parameter_count; i++) {
        float *values = mem_array(g->parameters[i].count, sizeof *values);
        if (!values)
            return error_memory(err, "first values");
        st = graph_initialise(g, i, 1, NULL, values);
        if (st == BIOFT_OK)
            st = model_write(b->model, BIOFT_VALUE, i, values, err);
        else
            error_set(err, st, "%s: no first values", g->parameters[i].name);
        free(values);
    }
    return st;
}

static bioft_status attach_rule(struct bench *b, struct error *err)
{
    struct rule_spec spec = { .layers = "*" };
    bioft_status st;

    if (!b->train || !b->rule)
        return BIOFT_OK;
    st = find(b, BIOFT_KIND_RULE, b->rule, &spec.choice.plugin, &spec.choice.values, err);
    return st == BIOFT_OK ? feedback_create(b->model, &spec, 1, 1, b->pool, b->batch, &b->feedback, err) : st;
}

/* Random pictures and labels, the same in every run. */
static bioft_status make_batch(struct bench *b, struct error *err)
{
    const bioft_graph *g = &b->graph->view;
    size_t pixels, outputs;

    if (!mem_product((size_t)g->channels * g->height, (size_t)g->width * b->batch, &pixels) ||
        !mem_product(g->outputs, b->batch, &outputs))
        return error_set(err, BIOFT_ERR_INVALID, "a batch of %u is too large", b->batch);
    b->x = mem_aligned(pixels, sizeof *b->x);
    b->out = mem_aligned(outputs, sizeof *b->out);
    b->d_out = mem_aligned(outputs, sizeof *b->d_out);
    b->label = mem_array(b->batch, sizeof *b->label);
    b->labels = mem_array(b->batch, sizeof *b->labels);
    b->lr = mem_array(g->parameter_count, sizeof *b->lr);
    if (!b->x || !b->out || !b->d_out || !b->label || !b->labels || !b->lr)
        return error_memory(err, "a batch");
    random_fill(BIOFT_NORMAL, 1, "bench", 0, 0, b->x, pixels);
    for (uint32_t i = 0; i < b->batch; i++) {
        b->label[i] = (int32_t)(i % CLASSES);
        b->labels[i] = (uint64_t)1 << b->label[i];
    }
    for (uint32_t i = 0; i < g->parameter_count; i++)
        b->lr[i] = 1e-3;
    return BIOFT_OK;
}

static bioft_status open_all(struct bench *b, struct error *err)
{
    const struct registry_places places = { .command_line = b->plugin_paths.items,
                                            .command_line_count = b->plugin_paths.count, .environment = true,
                                            .implicit = true };
    bioft_status st = registry_create(&places, &b->console.log, &b->registry, err);

    if (st == BIOFT_OK && !(b->arena = arena_create()))
        st = error_memory(err, "the benchmark");
    if (st == BIOFT_OK)
        st = open_engine(b, err);
    if (st == BIOFT_OK)
        st = build(b, err);
    if (st == BIOFT_OK)
        st = initialise(b, err);
    if (st == BIOFT_OK)
        st = attach_rule(b, err);
    if (st == BIOFT_OK)
        st = make_batch(b, err);
    if (st == BIOFT_OK)
        st = program_create(b->model, &(bioft_use){
            .struct_size = sizeof(bioft_use), .kind = b->train ? BIOFT_TRAIN : BIOFT_EVAL, .precision = BIOFT_F32,
            .max_batch = b->batch, .threads = b->threads },
            b->feedback ? feedback_routes(b->feedback, false) : NULL, &b->program, err);
    return st;
}

static void close_all(struct bench *b)
{
    program_destroy(b->program);
    feedback_destroy(b->feedback);
    model_destroy(b->model);
    graph_destroy(b->graph);
    instance_destroy(b->built);
    engine_close(b->opened);
    pool_destroy(b->pool);
    registry_destroy(b->registry);
    arena_destroy(b->arena);
    free(b->x);
    free(b->out);
    free(b->d_out);
    free(b->label);
    free(b->labels);
    free(b->lr);
}

/* The gradient of the mean cross-entropy: softmax less the label, over the batch. */
static void loss_gradient(struct bench *b)
{
    for (uint32_t i = 0; i < b->batch; i++) {
        const float *out = b->out + (size_t)i * CLASSES;
        float *d = b->d_out + (size_t)i * CLASSES, largest = out[0], sum = 0;
        for (uint32_t c = 1; c < CLASSES; c++)
            largest = out[c] > largest ? out[c] : largest;
        for (uint32_t c = 0; c < CLASSES; c++)
            sum += d[c] = expf(out[c] - largest);
        for (uint32_t c = 0; c < CLASSES; c++)
            d[c] = (d[c] / sum - (float)((int32_t)c == b->label[i])) / (float)b->batch;
    }
}

static bioft_status learn(struct bench *b, struct error *err)
{
    const bioft_batch batch = { .struct_size = sizeof batch, .n = b->batch, .classes = CLASSES, .label_words = 1,
                                .step = b->step, .x = b->x, .label = b->label, .labels = b->labels };
    const bioft_update u = { .struct_size = sizeof u, .kind = BIOFT_ADAM, .t = b->step + 1, .lr = b->lr,
                             .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 5e-4, .gradient_scale = 1.0 };
    const bioft_hooks *hooks = NULL;
    uint32_t bad;

    loss_gradient(b);
    if (b->feedback)
        hooks = feedback_hooks(b->feedback, &batch, b->d_out, NULL, NULL, b->step);
    bioft_status st = program_backward(b->program, b->d_out, 0, NULL, hooks, err);
    if (st == BIOFT_OK)
        st = model_update(b->model, &u, hooks, &bad, err);
    if (st != BIOFT_OK)
        return b->feedback ? feedback_error(b->feedback, st, err) : st;
    b->step++;
    if (!b->feedback)
        return BIOFT_OK;
    st = feedback_step_end(b->feedback, b->step - 1, err);
    return st == BIOFT_OK ? feedback_refresh(b->feedback, b->step, err) : st;
}

static bioft_status run_step(struct bench *b, double *ret_seconds, struct error *err)
{
    const double start = clock_seconds();
    bioft_status st = program_forward(b->program, b->batch, b->x, b->step, b->out, err);

    if (st == BIOFT_OK && b->train)
        st = learn(b, err);
    *ret_seconds = clock_seconds() - start;
    return st;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bioft_status measure(struct bench *b, double *ret_best, double *ret_median, struct error *err)
{
    double warm_up, *seconds = mem_array(b->steps, sizeof *seconds);
    bioft_status st = seconds ? run_step(b, &warm_up, err) : error_memory(err, "the times");

    for (uint32_t i = 0; st == BIOFT_OK && i < b->steps; i++)
        st = run_step(b, &seconds[i], err);
    if (st == BIOFT_OK) {
        qsort(seconds, b->steps, sizeof *seconds, by_value);
        *ret_best = b->batch / seconds[0];
        *ret_median = b->batch / (0.5 * (seconds[(b->steps - 1) / 2] + seconds[b->steps / 2]));
    }
    free(seconds);
    return st;
}

static double peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void print_json(const struct bench *b, double best)
{
    struct text t = { 0 };

    json_begin_object(&t);
    json_key(&t, "backbone");
    json_string(&t, b->backbone);
    json_key(&t, "mode");
    json_string(&t, b->train ? "train" : "forward");
    json_key(&t, "rule");
    json_string(&t, b->train ? b->rule : NULL);
    json_key(&t, "engine");
    json_string(&t, b->opened->instance->plugin->descriptor.name);
    json_key(&t, "precision");
    json_string(&t, "f32");
    json_key(&t, "batch");
    json_integer(&t, b->batch);
    json_key(&t, "images_per_s");
    json_number(&t, round(best * 10) / 10);
    json_key(&t, "peak_rss_mib");
    json_number(&t, round(peak_mib() * 10) / 10);
    json_end_object(&t);
    if (t.data)
        puts(t.data);
    text_free(&t);
}

static void print_text(const struct bench *b, double best, double median)
{
    printf("%s %s%s%s, batch %u of %ux%ux%u, %s, %u thread%s\n", b->backbone, b->train ? "train" : "forward",
           b->train && b->rule ? ", rule " : "", b->train && b->rule ? b->rule : "", b->batch, b->graph->view.channels,
           b->graph->view.height, b->graph->view.width, b->opened->identity, pool_threads(b->pool),
           pool_threads(b->pool) == 1 ? "" : "s");
    printf("images/s: best %.1f, median %.1f of %u step%s; peak memory %.1f MiB\n", best, median, b->steps,
           b->steps == 1 ? "" : "s", peak_mib());
}

/* On one line where every line is to be an object. */
static bioft_status print_profile(const struct bench *b, struct error *err)
{
    const struct engine *e = b->opened;
    char *json;

    if (!e->api->profile)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "engine '%s' measures no profile",
                         e->instance->plugin->descriptor.name);
    json = mem_array(PROFILE_BYTES, 1);
    if (!json)
        return error_memory(err, "a profile");
    bioft_status st = e->api->profile(e->instance->self, b->program->self, json, PROFILE_BYTES);
    if (st != BIOFT_OK) {
        instance_error(e->instance, st, err);
    } else {
        for (char *c = json; b->json && *c; c++)
            if (*c == '\n')
                *c = ' ';
        puts(json);
    }
    free(json);
    return st;
}

static int run_bench(struct bench *b)
{
    struct error err = { 0 };
    double best = 0, median = 0;
    bioft_status st = open_all(b, &err);

    if (st == BIOFT_OK)
        st = measure(b, &best, &median, &err);
    if (st == BIOFT_OK && b->json)
        print_json(b, best);
    else if (st == BIOFT_OK)
        print_text(b, best, median);
    if (st == BIOFT_OK && b->profile)
        st = print_profile(b, &err);
    if (st != BIOFT_OK)
        console_error(&b->console, err.text);
    close_all(b);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}

int command_bench(int argc, char **argv)
{
    struct bench b = { .batch = 32, .steps = STEPS };
    const struct argument arguments[] = {
        { "backbone", "NAME", ARGUMENT_TEXT, &b.backbone, "the network, with a head of 10 classes" },
        { "rule", "NAME", ARGUMENT_TEXT, &b.rule, "the learning rule (default: true derivatives)" },
        { "batch", "N", ARGUMENT_COUNT, &b.batch, "pictures a step (default: 32)" },
        { "size", "S", ARGUMENT_COUNT, &b.size, "height and width (default: the published size)" },
        { "engine", "NAME", ARGUMENT_TEXT, &b.engine, "the compute engine (default: the highest score)" },
        { "steps", "N", ARGUMENT_COUNT, &b.steps, "steps to measure, after one that is not (default: 5)" },
        { "threads", "N", ARGUMENT_COUNT, &b.threads, "threads to use (default: all that this process may use)" },
        { "profile", NULL, ARGUMENT_FLAG, &b.profile, "where the time went, as JSON" },
        { "json", NULL, ARGUMENT_FLAG, &b.json, "one JSON object a line; images_per_s is the best step's" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &b.plugin_paths, "look for plugins here first; may be given again" },
        { "quiet", NULL, ARGUMENT_FLAG, &b.quiet, "only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "bench", .usage = "train|forward --backbone NAME [options]", .arguments = arguments,
        .positional_min = 1, .positional_max = 1,
        .summary = "Measures steps of training (with Adam) or of the forward pass on random pictures.",
    };
    int status = arguments_parse(&line, argc, argv);

    if (status >= 0)
        return status;
    b.train = strcmp(line.positional[0], "train") == 0;
    if ((!b.train && strcmp(line.positional[0], "forward") != 0) || !b.backbone) {
        fprintf(stderr, "bioft bench: %s\nusage: bioft bench %s\n",
                b.backbone ? "it measures 'train' or 'forward'" : "which backbone? Give --backbone NAME", line.usage);
        return 2;
    }
    b.threads = b.threads ? b.threads : threads_available();
    console_init(&b.console, b.quiet || b.json);
    status = run_bench(&b);
    console_finish(&b.console);
    return status;
}
