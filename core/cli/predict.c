/* bioft predict: a network's outputs for an array or a folder of images. */
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/predict_input.h"
#include "cli/predict_network.h"
#include "cli/print.h"
#include "run/retrieval_files.h"
#include "formats/csv.h"
#include "network/finite.h"
#include "plugin/precision.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 5, BATCH = 32 };

struct predict {
    const char *input, *output, *precision;
    uint32_t size;
    bool quiet, bits;
    struct predictor_params params;
    struct argument_list plugin_paths;
    struct console console;
    struct predictor predictor;
    struct input in;
    float *x, *out; /* a batch; out: [count][outputs] of all */
    bool *broken;   /* [count] */
};

static bool is_array(const char *path)
{
    const size_t n = path ? strlen(path) : 0;
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

/* All outputs, batch by batch; those of broken images are NaN. */
static bioft_status run_batches(struct predict *p, struct error *err)
{
    const uint32_t outputs = p->predictor.network.outputs, batch = p->params.batch;
    struct finite finite = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t first = 0; first < p->in.count && st == BIOFT_OK; first += batch) {
        const size_t left = p->in.count - first;
        const uint32_t n = (uint32_t)(left < batch ? left : batch);
        float *out = p->out + first * outputs;
        st = input_read(&p->in, first, n, p->x, p->broken + first, err);
        if (st == BIOFT_OK)
            st = program_forward(p->predictor.program, n, p->x, 0, out, err);
        for (uint32_t i = 0; st == BIOFT_OK && i < n; i++) {
            const uint64_t number = first + i;
            if (!p->broken[number])
                finite_take(&finite, 1, outputs, out + (size_t)i * outputs, &number);
            for (uint32_t k = 0; p->broken[number] && k < outputs; k++)
                out[(size_t)i * outputs + k] = NAN;
        }
        log_write(&p->console.log, LOG_PROGRESS, "%zu of %zu images", first + n, p->in.count);
    }
    if (st == BIOFT_OK && finite.bad > 0)
        st = finite_error(&finite, input_name(&p->in, finite.first, (char[INPUT_NAME]){ 0 }), err);
    else if (st == BIOFT_OK && p->in.broken == p->in.count)
        st = error_set(err, BIOFT_ERR_FORMAT, "%s: none of its %zu images could be read", p->input, p->in.count);
    else if (st == BIOFT_OK && p->in.broken > 0)
        log_write(&p->console.log, LOG_WARNING, "%zu of %zu images could not be read and are left out%s", p->in.broken,
                  p->in.count, is_array(p->output) ? ": their rows are NaN" : "");
    return st;
}

/* The largest outputs' indices, the lower number first among equals. */
static uint32_t find_top(const float *out, uint32_t outputs, uint32_t ret[TOP])
{
    uint32_t count = 0;

    for (uint32_t c = 0; c < outputs; c++) {
        uint32_t at = count;
        while (at > 0 && out[c] > out[ret[at - 1]])
            at--;
        if (at == TOP)
            continue;
        count += count < TOP;
        for (uint32_t k = count - 1; k > at; k--)
            ret[k] = ret[k - 1];
        ret[at] = c;
    }
    return count;
}

/* One row an image and rank: softmax in double, in the order of the classes. */
static void add_rows(const struct predict *p, size_t index, struct text *t)
{
    const struct checkpoint_network *n = &p->predictor.network;
    const float *out = p->out + index * n->outputs;
    char number[INPUT_NAME];
    uint32_t top[TOP];
    double sum = 0.0;
    const uint32_t count = find_top(out, n->outputs, top);

    for (uint32_t c = 0; c < n->outputs; c++)
        sum += exp((double)out[c] - (double)out[top[0]]);
    for (uint32_t k = 0; k < count; k++) {
        csv_text(t, input_name(&p->in, index, number));
        csv_integer(t, k + 1);
        csv_integer(t, top[k]);
        csv_text(t, top[k] < n->class_count ? n->classes[top[k]] : NULL);
        csv_number(t, exp((double)out[top[k]] - (double)out[top[0]]) / sum);
        csv_end_line(t);
    }
}

/* Would the output take the place of what it is made of? */
static bioft_status check_output(const struct predict *p, struct error *err)
{
    if (!p->output || !file_exists(p->output))
        return BIOFT_OK;
    bool same = file_same(p->output, p->input) || file_same(p->output, p->params.weights);
    for (size_t i = 0; !same && p->in.names && i < p->in.count; i++) {
        char *path = path_join(p->in.folder, p->in.names[i]);
        if (!path)
            return error_memory(err, p->output);
        same = file_same(p->output, path);
        free(path);
    }
    return same ? error_set(err, BIOFT_ERR_INVALID,
                            "--output %s is an input, which it would replace; name another file", p->output)
                : BIOFT_OK;
}

static bioft_status write_csv(const struct predict *p, struct error *err)
{
    static const char *const columns[] = { "image", "rank", "class", "name", "probability" };
    struct text t = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        csv_text(&t, columns[i]);
    csv_end_line(&t);
    for (size_t i = 0; i < p->in.count; i++)
        if (!p->broken[i])
            add_rows(p, i, &t);
    if (t.failed)
        st = error_memory(err, "the predictions");
    else if (p->output)
        st = file_write(p->output, t.data, t.length, err);
    else
        print_bytes(stdout, t.data, t.length);
    text_free(&t);
    return st;
}

/* The signs of all outputs, as `bioft map` reads them. */
static bioft_status write_codes(const struct predict *p, struct error *err)
{
    const uint32_t bits = p->predictor.network.outputs;
    struct codes codes;

    for (size_t i = 0; i < p->in.count * bits; i++)
        if (isnan(p->out[i]))
            return error_set(err, BIOFT_ERR_FORMAT,
                             "%s: image %s could not be read, so that it has no code; nothing was written", p->input,
                             input_name(&p->in, i / bits, (char[INPUT_NAME]){ 0 }));
    bioft_status st = codes_create(p->in.count, bits, 0, &codes, err);
    if (st != BIOFT_OK)
        return st;
    codes_pack(p->out, p->in.count, bits, codes.codes);
    st = retrieval_write_codes(p->output, &codes, err);
    codes_free(&codes);
    return st;
}

static bioft_status make_room(struct predict *p, struct error *err)
{
    const struct image_format *image = &p->in.image;
    size_t pixels, outputs;

    if (!mem_product((size_t)image->channels * image->height, (size_t)image->width * p->params.batch, &pixels) ||
        !mem_product(p->in.count, p->predictor.network.outputs, &outputs))
        return error_set(err, BIOFT_ERR_INVALID, "a batch of %u is too large", p->params.batch);
    p->x = mem_aligned(pixels, sizeof *p->x);
    p->out = mem_aligned(outputs, sizeof *p->out);
    p->broken = mem_array(p->in.count, sizeof *p->broken);
    return p->x && p->out && p->broken ? BIOFT_OK : error_memory(err, "a batch");
}

static bioft_status predict(struct predict *p, struct error *err)
{
    bioft_status st = predictor_open(&p->params, &p->predictor, err);
    const struct checkpoint_network *n = &p->predictor.network;

    if (st == BIOFT_OK && n->bits && !is_array(p->output))
        st = error_set(err, BIOFT_ERR_INVALID,
                       "%s gives codes of %u bits and no classes: write them to an .npy, "
                       "--output Y.npy, with --bits as signs",
                       p->params.weights, n->outputs);
    else if (st == BIOFT_OK && p->bits && !n->bits)
        st = error_set(err, BIOFT_ERR_INVALID, "--bits is for hash codes, and %s has %u classes", p->params.weights,
                       n->outputs);
    if (st == BIOFT_OK)
        st = input_open(&(struct input_params){ .path = p->input,
                                                .image = &n->image,
                                                .spec = &n->transform,
                                                .size = p->size,
                                                .pool = p->predictor.pool,
                                                .log = &p->console.log },
                        &p->in, err);
    if (st == BIOFT_OK)
        st = check_output(p, err);
    if (st == BIOFT_OK && p->in.count < p->params.batch)
        p->params.batch = (uint32_t)p->in.count;
    if (st == BIOFT_OK)
        st = predictor_build(&p->predictor, p->in.image.height, p->in.image.width, err);
    if (st == BIOFT_OK)
        st = make_room(p, err);
    if (st == BIOFT_OK)
        st = run_batches(p, err);
    if (st == BIOFT_OK && p->bits)
        return write_codes(p, err);
    if (st == BIOFT_OK && is_array(p->output))
        return npy_write(p->output, NPY_F32, 2, (const uint64_t[]){ p->in.count, n->outputs }, p->out, err);
    return st == BIOFT_OK ? write_csv(p, err) : st;
}

static int run_predict(struct predict *p)
{
    struct error err = { 0 };
    const bioft_status st = predict(p, &err);

    if (st != BIOFT_OK)
        console_error(&p->console, err.text);
    input_close(&p->in);
    predictor_close(&p->predictor);
    free(p->x);
    free(p->out);
    free(p->broken);
    return st == BIOFT_OK ? 0 : st == BIOFT_ERR_INVALID ? 2 : 1;
}

/* -1: go on. */
static int understand(const struct command_line *line, struct predict *p)
{
    const char *missing = !p->params.weights ? "--weights FILE" : !p->input ? "--input X.npy, or a folder" : NULL;

    if (missing)
        print_error("bioft predict: %s is missing\nusage: bioft predict %s\n", missing, line->usage);
    else if (p->bits && !is_array(p->output))
        print_error("bioft predict: --bits writes codes to an .npy: --output Y.npy\n");
    else if (!precision_by_word(p->precision, &p->params.precision))
        print_error("bioft predict: --precision is f32 or bf16, not '%s'\n", p->precision);
    else
        return -1;
    return 2;
}

int command_predict(int argc, char **argv)
{
    struct predict p = { .precision = "f32", .params = { .batch = BATCH } };
    struct predictor_params *n = &p.params;
    const struct argument arguments[] = {
        { "weights", "FILE", ARGUMENT_TEXT, &n->weights, "a bioft checkpoint, or a state dict (.pth, .safetensors)" },
        { "backbone", "NAME", ARGUMENT_TEXT, &n->backbone, "the network, where FILE is not a checkpoint" },
        { "classes", "N", ARGUMENT_COUNT, &n->classes, "outputs of its head (default: as FILE has them)" },
        { "input", "X", ARGUMENT_TEXT, &p.input,
          "an .npy of normalised float32 [n, channels, height, width] or of "
          "uint8 pixels, or a folder of images" },
        { "output", "Y", ARGUMENT_TEXT, &p.output,
          "raw outputs to Y.npy, or the five likeliest classes as CSV "
          "(default: CSV on standard output)" },
        { "bits", NULL, ARGUMENT_FLAG, &p.bits,
          "codes to Y.npy instead of raw outputs: their signs, eight a byte (numpy.packbits), or "
          "1 and -1 where a code fills no bytes" },
        { "size", "S", ARGUMENT_COUNT, &p.size, "height and width that images are made into" },
        { "batch", "N", ARGUMENT_COUNT, &n->batch, "images at once (default: 32)" },
        { "engine", "NAME", ARGUMENT_TEXT, &n->engine, "the compute engine (default: the highest score)" },
        { "precision", "P", ARGUMENT_TEXT, &p.precision, "f32 (default) or bf16" },
        { "threads", "N", ARGUMENT_COUNT, &n->threads, "threads to use (default: all that this process may use)" },
        { "plugin-path", "DIR", ARGUMENT_LIST, &p.plugin_paths, "look for plugins here first; may be given again" },
        { "quiet", NULL, ARGUMENT_FLAG, &p.quiet, "only warnings and the result" },
        { NULL, NULL, ARGUMENT_FLAG, NULL, NULL },
    };
    struct command_line line = {
        .name = "predict",
        .usage = "--weights FILE [--backbone NAME] --input X.npy|DIR [--output Y.npy|Y.csv] [options]",
        .arguments = arguments,
        .summary = "Runs a network. A checkpoint of bioft describes its network; other files of "
                   "weights need --backbone.\n"
                   "Images are decoded and transformed as in evaluation, as recorded in the checkpoint "
                   "or as published.",
    };
    int status = arguments_parse(&line, argc, argv);

    if (status < 0)
        status = understand(&line, &p);
    if (status >= 0)
        return status;
    n->threads = n->threads ? n->threads : threads_default();
    n->plugin_paths = p.plugin_paths.items;
    n->plugin_path_count = p.plugin_paths.count;
    console_init(&p.console, p.quiet);
    n->log = &p.console.log;
    status = run_predict(&p);
    console_finish(&p.console);
    return status;
}
