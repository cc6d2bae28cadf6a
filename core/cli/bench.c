/* bioft bench: how fast a backbone trains or runs on this machine, on random images. */
#include "cli/bench.h"

#include "cli/commands.h"
#include "cli/print.h"
#include "formats/json.h"
#include "plugin/precision.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { STEPS = 5 };

struct result {
    struct bench_times best;
    struct bench_peaks peaks;
    double median, peak_mib;
    const char *kernels;
    char *profile;
};

static double peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static double per_second(double what, double seconds) { return seconds > 0 ? what / seconds : 0; }

static void number(struct text *t, const char *key, double value, double scale)
{
    json_key(t, key);
    json_number(t, round(value * scale) / scale);
}

static void string(struct text *t, const char *key, const char *value)
{
    json_key(t, key);
    json_string(t, value);
}

static void print_json(const struct bench *b, const struct result *r)
{
    struct text t = { 0 };

    json_begin_object(&t);
    string(&t, "backbone", b->backbone);
    string(&t, "mode", b->train ? "train" : "forward");
    string(&t, "rule", b->train ? b->rule : NULL);
    string(&t, "engine", b->opened->instance->plugin->descriptor.name);
    string(&t, "precision", b->precision_name);
    json_key(&t, "batch");
    json_integer(&t, b->batch);
    number(&t, "images_per_s", b->batch / r->best.all, 100);
    number(&t, "peak_rss_mib", r->peak_mib, 10);
    number(&t, "images_per_s_median", b->batch / r->median, 100);
    json_key(&t, "threads");
    json_integer(&t, pool_threads(b->pool));
    string(&t, "identity", b->opened->identity);
    string(&t, "kernels", r->kernels);
    number(&t, "forward_s", r->best.forward, 1e6);
    number(&t, "backward_s", r->best.backward, 1e6);
    number(&t, "update_s", r->best.update, 1e6);
    number(&t, "gflops", 1e-9 * per_second(bench_step_flops(b), r->best.all), 10);
    number(&t, "peak_gflops", 1e-9 * r->peaks.flops, 10);
    number(&t, "update_gb_per_s", 1e-9 * per_second(bench_update_bytes(b), r->best.update), 10);
    number(&t, "peak_gb_per_s", 1e-9 * r->peaks.bytes, 10);
    json_end_object(&t);
    if (t.data)
        print("%s\n", t.data);
    text_free(&t);
}

static void print_text(const struct bench *b, const struct result *r)
{
    const double flops = per_second(bench_step_flops(b), r->best.all);
    const double bytes = per_second(bench_update_bytes(b), r->best.update);

    print("%s %s%s%s, batch %u of %ux%ux%u, %s, %s, %u thread%s\n", b->backbone, b->train ? "train" : "forward",
          b->train && b->rule ? ", rule " : "", b->train && b->rule ? b->rule : "", b->batch,
          b->network.graph->view.channels, b->network.graph->view.height, b->network.graph->view.width,
          b->precision_name, b->opened->identity, pool_threads(b->pool), pool_threads(b->pool) == 1 ? "" : "s");
    if (*r->kernels)
        print("instruction sets: %s\n", r->kernels);
    print("images/s: best %.1f, median %.1f of %u step%s; peak memory %.1f MiB\n", b->batch / r->best.all,
          b->batch / r->median, b->steps, b->steps == 1 ? "" : "s", r->peak_mib);
    if (b->train)
        print("best step: %.1f ms forward, %.1f backward, %.1f update\n", 1e3 * r->best.forward, 1e3 * r->best.backward,
              1e3 * r->best.update);
    print("products: %.1f GFLOP/s, %.0f%% of the %.1f that a large one reaches\n", 1e-9 * flops,
          100 * flops / r->peaks.flops, 1e-9 * r->peaks.flops);
    if (b->train)
        print("update: %.1f GB/s, %.0f%% of the %.1f that a triad reaches\n", 1e-9 * bytes,
              100 * bytes / r->peaks.bytes, 1e-9 * r->peaks.bytes);
}

bioft_status bench_check_kernels(const struct bench *b, const char *kernels, struct error *err)
{
    if (b->precision != BIOFT_BF16 || strstr(kernels, "bf16") || strstr(kernels, "amx"))
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_UNSUPPORTED,
                     "no primitive used AMX or AVX-512 BF16 (%s): a figure of bf16 would "
                     "be one of something else; measure f32 here",
                     *kernels ? kernels : "the engine names none");
}

/* On one line where every line is to be an object. */
static bioft_status print_profile(const struct bench *b, const struct result *r, struct error *err)
{
    if (!r->profile)
        return error_set(err, BIOFT_ERR_UNSUPPORTED, "engine '%s' measures no profile",
                         b->opened->instance->plugin->descriptor.name);
    if (!b->json)
        return bench_print_profile(r->profile, b->steps + 1, b->arena, err);
    for (char *c = r->profile; *c; c++)
        if (*c == '\n')
            *c = ' ';
    print("%s\n", r->profile);
    return BIOFT_OK;
}

static bioft_status measure(struct bench *b, struct result *ret, struct error *err)
{
    bioft_status st = bench_measure(b, &ret->best, &ret->median, err);

    ret->peak_mib = peak_mib();
    if (st == BIOFT_OK)
        st = bench_profile(b, &ret->profile, err);
    if (st == BIOFT_OK)
        st = bench_kernels(ret->profile, b->arena, &ret->kernels, err);
    if (st == BIOFT_OK)
        st = bench_check_kernels(b, ret->kernels, err);
    return st == BIOFT_OK ? bench_peaks(b, &ret->peaks, err) : st;
}

static int run_bench(struct bench *b)
{
    struct error err = { 0 };
    struct result r = { .kernels = "" };
    bioft_status st = bench_open(b, &err);

    if (st == BIOFT_OK)
        st = measure(b, &r, &err);
    if (st == BIOFT_OK)
        (b->json ? print_json : print_text)(b, &r);
    if (st == BIOFT_OK && b->profile)
        st = print_profile(b, &r, &err);
    if (st != BIOFT_OK)
        console_error(&b->console, err.text);
    free(r.profile);
    bench_close(b);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}

static int run_engines(struct bench *b)
{
    struct error err = { 0 };
    bioft_status st = bench_engines(b, &err);

    if (st != BIOFT_OK)
        console_error(&b->console, err.text);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}

/* NULL: all is well. */
static const char *check_words(struct bench *b, const char *mode)
{
    b->train = strcmp(mode, "train") == 0;
    if (!b->train && strcmp(mode, "forward") != 0 && strcmp(mode, "engines") != 0)
        return "it measures 'train' or 'forward', or compares 'engines'";
    if (!b->backbone)
        return "which backbone? Give --backbone NAME";
    if (strcmp(mode, "engines") == 0 && (b->engine || b->profile || b->rule))
        return "'engines' takes neither --engine nor --rule nor --profile";
    if (!precision_by_word(b->precision_name, &b->precision))
        return "--precision is f32 or bf16";
    return NULL;
}

int command_bench(int argc, char **argv)
{
    struct bench b = { .batch = 32, .steps = STEPS, .precision_name = "f32" };
    const struct argument arguments[] = {
        { "backbone", "NAME", ARGUMENT_TEXT, &b.backbone, "the network, with a head of 10 classes" },
        { "rule", "NAME", ARGUMENT_TEXT, &b.rule, "the learning rule (default: true derivatives)" },
        { "batch", "N", ARGUMENT_COUNT, &b.batch, "images a step (default: 32)" },
        { "size", "S", ARGUMENT_COUNT, &b.size, "height and width (default: the published size)" },
        { "precision", "P", ARGUMENT_TEXT, &b.precision_name, "f32 (default) or bf16" },
        { "engine", "NAME", ARGUMENT_TEXT, &b.engine, "the compute engine (default: the highest score)" },
        { "steps", "N", ARGUMENT_COUNT, &b.steps, "steps to measure, after one that is not (default: 5)" },
        { "threads", "N", ARGUMENT_COUNT, &b.threads, "threads to use (default: all that this process may use)" },
        { "profile", NULL, ARGUMENT_FLAG, &b.profile, "where the time went, by layer and phase" },
        { "json", NULL, ARGUMENT_FLAG, &b.json, "one JSON object a line; images_per_s is the best step's" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &b.plugin_paths, "look for plugins here first; may be given again" },
        { "quiet", NULL, ARGUMENT_FLAG, &b.quiet, "only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "bench",
        .usage = "train|forward|engines --backbone NAME [options]",
        .arguments = arguments,
        .positional_min = 1,
        .positional_max = 1,
        .summary = "Measures steps of training (with Adam) or of the forward pass on random images; `engines` both, on "
                   "every compute engine, in each precision.",
    };
    int status = arguments_parse(&line, argc, argv);
    const char *wrong;

    if (status >= 0)
        return status;
    wrong = check_words(&b, line.positional[0]);
    if (wrong) {
        print_error("bioft bench: %s\nusage: bioft bench %s\n", wrong, line.usage);
        return 2;
    }
    b.threads = b.threads ? b.threads : threads_default();
    console_init(&b.console, b.quiet || b.json);
    status = strcmp(line.positional[0], "engines") == 0 ? run_engines(&b) : run_bench(&b);
    console_finish(&b.console);
    return status;
}
