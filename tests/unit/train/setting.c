/* A stage with everything that decides its result, for tests. */
#include "setting.h"

#include <string.h>

static bioft_status report(void *ctx, const struct stage_report *r, struct error *err)
{
    struct setting *s = ctx;
    (void)err;
    s->reports++;
    s->epoch_ends += r->epoch_end;
    s->last_loss = r->loss;
    if (!r->epoch_end && s->steps < 64)
        s->losses[s->steps++] = r->loss;
    s->last_accuracy = r->accuracy;
    s->last_lr = r->lr;
    if (r->delta_angle) {
        s->measured++;
        memcpy(s->delta, r->delta_angle, r->layer_count * sizeof(double));
        memcpy(s->weight_angle, r->weight_angle, r->layer_count * sizeof(double));
    }
    if (s->stop_at > 0 && r->step == s->stop_at)
        s->stop.signal = 15;
    return BIOFT_OK;
}

static void on_log(void *ctx, enum log_level level, const char *text)
{
    struct setting *s = ctx;
    const size_t at = strlen(s->warnings);
    if (level == LOG_WARNING || level == LOG_INFO)
        snprintf(s->warnings + at, sizeof(s->warnings) - at, "%s\n", text);
}

void setting_open(struct setting *s, unsigned threads, const char *backbone, const char *rule, uint64_t count,
                  const char *loss)
{
    static struct log log;
    memset(s, 0, sizeof(*s));
    fixture_open(&s->f, threads);
    fixture_engine(&s->f);
    const bool perceptron = strcmp(backbone, "mlp") == 0;
    const struct choice network = fixture_choice(&s->f, BIOFT_KIND_BACKBONE, backbone, perceptron ? "hidden=12" : NULL,
                                                 NULL);
    s->graph = fixture_graph(&s->f, network, 10);
    struct image_format image = { .channels = s->graph->view.channels,
                                  .height = s->graph->view.height,
                                  .width = s->graph->view.width };
    for (size_t c = 0; c < 4; c++) {
        image.mean[c] = 0.5f;
        image.std[c] = 0.25f;
    }
    s->model = fixture_model(&s->f, s->graph, 1);
    s->data = fixture_data(&s->f, image, count, 10);
    s->trial = fixture_trial(&s->f, network, s->data, fixture_choice(&s->f, BIOFT_KIND_RULE, rule, NULL), loss);
    s->stage = s->trial->stages;
    log = (struct log){ .write = on_log, .ctx = s };
    s->p = (struct stage_params){
        .model = s->model,
        .dataset = s->data,
        .image = image,
        .trial = s->trial,
        .stage = s->stage,
        .key = "key",
        .checkpoint = fixture_path(&s->f, "checkpoint"),
        .resume = true,
        .pool = s->f.pool,
        .stop = &s->stop,
        .log = &log,
        .report = report,
        .ctx = s,
    };
}

void setting_close(struct setting *s)
{
    model_destroy(s->model);
    graph_destroy(s->graph);
    dataset_close(s->data);
    fixture_close(&s->f);
}

void setting_train(struct setting *s)
{
    struct error err = { 0 };
    OK(stage_train(&s->p, NULL, &err), err);
}

void setting_refused(struct setting *s, bioft_status status, const char *part)
{
    struct error err = { 0 };
    assert_int_equal(stage_train(&s->p, NULL, &err), status);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

void setting_digest(struct setting *s, char ret[SHA256_HEX])
{
    struct error err = { 0 };
    OK(sha256_file(s->p.checkpoint, ret, &err), err);
}

float *setting_values(struct setting *s, const char *name)
{
    return fixture_read(s->model, BIOFT_VALUE, graph_parameter(s->graph, name));
}
