/* bioft check: a manifest's mistakes, its trials, and what they will take. */
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/print.h"
#include "network/network.h"
#include "run/rehearse.h"
#include "base/clock.h"
#include "train/stage.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMED_STEPS = 3, MOST_TIMINGS = 64 };
/* Seconds that measuring may take before one more step: a GPU's first step prepares it, which takes a second or two; a CPU's
 * that takes longer is measure enough. */
static const double long_measure = 4.0;

struct timing { /* of a step of networks of the same size */
    uint64_t work, parameters;
    uint32_t batch_size;
    double seconds;
    uint64_t bytes; /* of the program */
};

struct check {
    struct argument_list set, plugin_paths;
    uint32_t threads;
    bool quiet, no_timing, trust;
    struct console console;
    struct experiment *experiment;
    struct seen { /* stages that were looked at already */
        char key[SHA256_HEX];
        double image; /* seconds that training takes for one */
    } seen[256];
    size_t seen_count;
    struct timing timings[MOST_TIMINGS];
    size_t timing_count;
    double image;   /* of the last stage looked at; 0: not measured */
    double seconds; /* of all stages, each once */
    double rest;    /* of evaluation and attacks, roughly */
    uint64_t images;
    uint64_t disk, largest; /* bytes of checkpoints, each stage's once; of the largest */
};

/* Until the device has made the gradients: one of them is read. */
static bioft_status wait_for_gradients(struct network *n, float *room, size_t size, struct error *err)
{
    const bioft_graph *g = &n->graph->view;
    for (uint32_t i = 0; i < g->parameter_count; i++)
        if (n->graph->parameters[i].kind != BIOFT_PARAM_RUNNING && n->graph->parameters[i].count <= size)
            return model_read(n->model, BIOFT_GRADIENT, i, room, err);
    return BIOFT_OK;
}

/* `steps` of training, the fastest measured; the memory in any case. */
static bioft_status time_step(struct network *n, const struct trial *t, const struct stage_spec *s, struct pool *pool,
                              int steps, struct timing *ret, struct error *err)
{
    const bioft_use use = program_use(BIOFT_TRAIN, t->precision, s->batch_size, pool);
    const struct engine *e = n->model->engine;
    const size_t pixels = (size_t)n->image.channels * n->image.height * n->image.width * s->batch_size;
    const size_t outputs = (size_t)n->graph->view.outputs * s->batch_size;
    float *x = mem_array(pixels, sizeof(float)), *out = mem_array(outputs, sizeof(float));
    struct program *program = NULL;

    bioft_status st = x && out ? program_create(n->model, &use, NULL, &program, err) : error_memory(err, "a step");
    ret->seconds = 0.0;
    const double begun = clock_seconds();
    for (int i = 0; st == BIOFT_OK && i < steps && clock_seconds() - begun < long_measure; i++) {
        const double start = clock_seconds();
        st = program_forward(program, s->batch_size, x, 0, out, err);
        if (st == BIOFT_OK)
            st = program_backward(program, out, 0, NULL, NULL, err);
        if (st == BIOFT_OK)
            st = wait_for_gradients(n, x, pixels, err);
        const double took = clock_seconds() - start;
        ret->seconds = i == 0 || took < ret->seconds ? took : ret->seconds;
    }
    if (st == BIOFT_OK)
        ret->bytes = e->api->program_bytes(e->instance->self, program->self);
    program_destroy(program);
    free(x);
    free(out);
    return st;
}

/* The same from memory, where a network of this size was measured. */
static bioft_status estimate(struct check *c, struct network *n, const struct trial *t, const struct stage_spec *s,
                             struct pool *pool, struct timing *ret, struct error *err)
{
    *ret = (struct timing){ .work = graph_work(n->graph),
                            .parameters = graph_parameter_total(n->graph),
                            .batch_size = s->batch_size };
    for (size_t i = 0; i < c->timing_count; i++)
        if (c->timings[i].work == ret->work && c->timings[i].parameters == ret->parameters &&
            c->timings[i].batch_size == ret->batch_size) {
            *ret = c->timings[i];
            return BIOFT_OK;
        }
    bioft_status st = time_step(n, t, s, pool, c->no_timing ? 0 : TIMED_STEPS, ret, err);
    if (st != BIOFT_OK)
        return st;
    if (c->timing_count < MOST_TIMINGS)
        c->timings[c->timing_count++] = *ret;
    return BIOFT_OK;
}

static struct seen *find_seen(struct check *c, const char *key)
{
    for (size_t i = 0; i < c->seen_count; i++)
        if (strcmp(c->seen[i].key, key) == 0)
            return &c->seen[i];
    return NULL;
}

static void remember(struct check *c, const char *key, double image)
{
    if (c->seen_count == sizeof c->seen / sizeof *c->seen)
        return;
    c->seen[c->seen_count].image = image;
    memcpy(c->seen[c->seen_count++].key, key, SHA256_HEX);
}

/* Every number with its moments, in float32. */
static void add_checkpoint(struct check *c, const struct optimizer_spec *o, uint64_t parameters)
{
    const uint64_t copies = o->kind == BIOFT_ADAM ? 3 : o->momentum > 0.0 ? 2 : 1;
    const uint64_t bytes = parameters * copies * sizeof(float);
    c->disk += bytes;
    c->largest = bytes > c->largest ? bytes : c->largest;
}

static void add_evaluation(struct check *c, const struct dataset *d, bool codes, double image)
{
    const struct split *test = dataset_split(d, "test"), *database = codes ? dataset_split(d, "database") : NULL;
    c->rest += image / 3.0 * ((test ? (double)test->count : 0.0) + (database ? (double)database->count : 0.0));
}

/* rehearsal.stage */
static bioft_status on_stage(void *ctx, struct trial_run *r, size_t stage, struct network *n, const struct split *train,
                             struct error *err)
{
    struct check *c = ctx;
    const struct trial *t = r->trial;
    const struct stage_spec *s = &t->stages[stage];
    const char *key = r->places[stage].key;
    char size[TEXT_NUMBER], duration[TEXT_NUMBER];
    uint64_t epochs, per_epoch;
    struct timing step;

    if (!find_seen(c, key)) {
        const bioft_status st = estimate(c, n, t, s, r->pool, &step, err);
        if (st != BIOFT_OK)
            return st;
        const uint64_t steps = stage_steps(s, stage_usable(s, n->graph, train->count), &epochs, &per_epoch);
        const double seconds = step.seconds * (double)steps * s->accumulate;
        c->seconds += seconds;
        remember(c, key, step.seconds / s->batch_size);
        add_checkpoint(c, &s->optimizer, step.parameters);
        print("  stage %-12s %-14s %llu steps of %u on %llu images, %ux%ux%u, %llu parameters, %s%s%s\n", s->name,
              s->rule_name, (unsigned long long)steps, s->batch_size * s->accumulate, (unsigned long long)train->count,
              n->image.channels, n->image.height, n->image.width, (unsigned long long)step.parameters,
              text_size(size, step.bytes), c->no_timing ? "" : ", about ",
              c->no_timing ? "" : text_duration(duration, seconds));
    }
    const struct seen *seen = find_seen(c, key);
    c->image = seen ? seen->image : c->image;
    add_evaluation(c, r->data[stage], trial_head(t, stage)->bits > 0, c->image);
    return BIOFT_OK;
}

/* The sum of the attack's options that have a flag; 0: it has none. */
static double option_sum(const struct attack_spec *a, uint32_t flag)
{
    const bioft_plugin *d = &a->choice.plugin->descriptor;
    double sum = 0.0;

    for (uint32_t i = 0; i < d->option_count; i++)
        if (d->options[i].flags & flag)
            sum += (double)a->choice.values[i].integer;
    return sum;
}

/* A training step's third is its forward pass. An attack goes forward and back for each of its steps, towards each class where
 * it has that option, forward for each query, and forward for its figure: for all images, though many attacks leave out those
 * that they have broken. */
static double attack_seconds(const struct attack_spec *a, uint64_t images, double image, uint32_t classes)
{
    const double steps = option_sum(a, BIOFT_OPTION_STEPS), queries = option_sum(a, BIOFT_OPTION_QUERIES);
    const double targets = option_sum(a, BIOFT_OPTION_CLASSES);
    const double towards = targets > 0.0 && classes > 1 ? fmin(targets, classes - 1.0) : 1.0;
    const double gradients = (steps > 0.0 ? steps : queries > 0.0 ? 0.0 : 1.0) * towards;
    double sum = 0.0;

    for (size_t g = 0; g < a->gradient_count; g++) {
        const double asked = a->gradients[g] == GRADIENT_SMOOTHED ? a->smoothing.samples : 1.0;
        sum += (gradients * (1.0 + asked) + queries) * a->restarts + 1.0;
    }
    return (double)images * image * sum / 3.0;
}

/* rehearsal.attack */
static void on_attack(void *ctx, struct trial_run *r, const struct attack_spec *a, const struct split *s)
{
    struct check *c = ctx;
    const uint64_t n = a->samples && a->samples < s->count ? a->samples : s->count;
    const uint64_t images = n * a->epsilon_count * a->gradient_count;
    const size_t stages = r->trial->stage_count;
    const bool once = a->choice.plugin->api.attack.flags & BIOFT_ATTACK_MINIMUM;
    const double seconds = attack_seconds(a, once ? n : n * a->epsilon_count, c->image,
                                          r->data[stages ? stages - 1 : 0]->classes);
    char duration[TEXT_NUMBER];

    c->images += images;
    c->rest += seconds;
    print("  attack %-11s %-14s %llu images, %zu epsilons, %zu gradients%s%s\n", a->name, a->options,
          (unsigned long long)n, a->epsilon_count, a->gradient_count, c->image > 0.0 ? ", at most about " : "",
          c->image > 0.0 ? text_duration(duration, seconds) : "");
}

/* rehearsal.trial */
static void on_trial(void *ctx, const struct trial *t)
{
    ((struct check *)ctx)->image = 0.0;
    print("%s", t->id);
    for (size_t i = 0; i < t->searched_count; i++)
        print("%s%s=%s", i ? ", " : "  candidate ", t->searched[i].path, t->searched[i].value);
    print("\n");
}

static int check_experiment(struct check *c, const char *path)
{
    struct error err = { 0 };
    char duration[TEXT_NUMBER], rest[TEXT_NUMBER], size[TEXT_NUMBER];
    const struct experiment *e = c->experiment;
    struct shared_data shared = { 0 };
    struct rehearsal h = { .experiment = e,
                           .path = path,
                           .log = &c->console.log,
                           .engine_log = &c->console.log,
                           .shared = &shared,
                           .trial = on_trial,
                           .stage = on_stage,
                           .attack = on_attack,
                           .ctx = c };

    const bioft_status st = rehearse(&h, NULL, &err);
    const int status = st != BIOFT_OK || (h.errors && h.io) ? 1 : h.errors ? 2 : 0;
    fflush(stdout);
    if (h.faults.data)
        print_error("%s", h.faults.data);
    if (st != BIOFT_OK)
        console_error(&c->console, err.text);
    rehearsal_finish(&h);
    shared_data_keep(&shared, NULL);
    if (status)
        return status;
    print("%zu trial%s, ", e->trial_count, e->trial_count == 1 ? "" : "s");
    if (!c->no_timing)
        print(
            "training about %s, evaluation and attacks at most about %s with %u threads (stages that trials share are counted "
            "once), ",
            text_duration(duration, c->seconds), text_duration(rest, c->rest),
            e->trial_count ? e->trials[0].threads : 0);
    print("%llu adversarial images, checkpoints of %s; output: %s\n", (unsigned long long)c->images,
          text_size(size, c->disk + c->largest), e->output);
    return 0;
}

int command_check(int argc, char **argv)
{
    struct check c = { 0 };
    const struct argument arguments[] = {
        { "set", "PATH=VALUE", ARGUMENT_LIST, &c.set, "replace a value of the manifest; may be given again" },
        { "threads", "N", ARGUMENT_COUNT, &c.threads, "threads to assume (default: all that are usable)" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &c.plugin_paths, "look for plugins here first; may be given again" },
        { "trust-plugins", NULL, ARGUMENT_FLAG, &c.trust, TRUST_HELP },
        { "no-timing", NULL, ARGUMENT_FLAG, &c.no_timing, "measure no step: no times to expect, but done at once" },
        { "quiet", NULL, ARGUMENT_FLAG, &c.quiet, "only mistakes and warnings" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "check",
        .usage = "MANIFEST [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 1,
        .summary =
            "Reports every mistake of a manifest, or prints its trials with the steps, parameters, memory, time and "
            "disk to expect. Trains nothing and writes nothing.",
    };
    struct error err = { 0 };
    char *said = NULL;

    int status = arguments_parse(&line, argc, argv);
    if (status >= 0)
        return status;
    console_init(&c.console, c.quiet);
    bioft_status st = experiment_read(&(struct experiment_params){ .path = line.positional[0],
                                                                   .set = c.set.items,
                                                                   .set_count = c.set.count,
                                                                   .threads = c.threads ? c.threads : threads_default(),
                                                                   .plugin_paths = c.plugin_paths.items,
                                                                   .plugin_path_count = c.plugin_paths.count,
                                                                   .trust_plugins = c.trust,
                                                                   .log = &c.console.log },
                                      &c.experiment, &said, &err);
    if (said)
        print_error("%s", said);
    free(said);
    if (st != BIOFT_OK && err.text[0])
        console_error(&c.console, err.text);
    status = st == BIOFT_OK ? check_experiment(&c, line.positional[0]) : 2;
    experiment_destroy(c.experiment);
    console_finish(&c.console);
    return status;
}
