/* Trains six steps and writes what a reference implementation needs to do the same, and what came
 * of it.
 *
 * driver BACKBONE RULE adam|sgd DATA OUT: DATA is a folder of the npy kind. OUT gets
 * before.safetensors and after.safetensors (checkpoints), out.npy (outputs for the first batch in
 * evaluation, before training), exact.npy and rule.npy (gradients of the summed loss by the pixels'
 * normalised values there), v_LAYER.npy (feedback weights). */
#include "../unit/train/fixture.h"

#include "base/file.h"
#include "formats/npy.h"

enum { BATCH = 8, CLASSES = 10 };

struct run {
    struct fixture f;
    struct graph *graph;
    struct model *model;
    struct dataset *data;
    struct trial *trial;
    struct image_format image;
    struct feedback *feedback;
    const char *out;
    struct error err;
};

static const char *path(struct run *r, const char *name) { return arena_printf(r->f.arena, "%s/%s", r->out, name); }

static void save_checkpoint(struct run *r, const char *name)
{
    const struct checkpoint c = {
        .model = r->model,
        .feedback = r->feedback,
        .dataset = r->data,
        .trial = r->trial,
        .stage = r->trial->stages,
        .image = r->image,
    };
    OK(checkpoint_save(path(r, name), &c, &r->err), r->err);
}

static void save_feedback(struct run *r)
{
    for (uint32_t p = 0; p < r->graph->view.parameter_count; p++) {
        const bioft_parameter *of = &r->graph->parameters[p];
        if (of->kind != BIOFT_PARAM_WEIGHT)
            continue;
        float *v = fixture_read(r->model, BIOFT_FEEDBACK, p);
        OK(npy_write(path(r, arena_printf(r->f.arena, "v_%s.npy", r->graph->layers[of->layer].name)), NPY_F32, of->dims,
                     of->shape, v, &r->err),
           r->err);
        free(v);
    }
}

static void save_gradient(struct run *r, struct program *program, const bioft_batch *batch, float *d_out,
                          uint32_t flags, const char *name)
{
    const uint64_t shape[] = { BATCH, r->image.channels, r->image.height, r->image.width };
    float *dx = mem_array(shape[0] * shape[1] * shape[2] * shape[3], sizeof(*dx));
    const bioft_hooks *hooks = feedback_hooks(r->feedback, batch, d_out, NULL, NULL, 0);
    OK(program_backward(program, d_out, flags, dx, flags & BIOFT_EXACT ? NULL : hooks, &r->err), r->err);
    OK(npy_write(path(r, name), NPY_F32, 4, shape, dx, &r->err), r->err);
    free(dx);
}

/* The first batch as an attack sees it, but for the normalisation. */
static void save_first_batch(struct run *r)
{
    const bioft_use use = { .struct_size = sizeof(use),
                            .kind = BIOFT_ATTACK,
                            .precision = BIOFT_F32,
                            .max_batch = BATCH,
                            .threads = pool_threads(r->f.pool) };
    const uint64_t shape[] = { BATCH, CLASSES };
    const struct batches_params params = { .dataset = r->data,
                                           .split = dataset_split(r->data, "train"),
                                           .batch_size = BATCH,
                                           .normalise = true,
                                           .image = r->image };
    struct program *program = NULL;
    struct instance *loss = NULL;
    struct batches *batches = NULL;
    bioft_batch batch;
    float out[BATCH * CLASSES], d_out[BATCH * CLASSES];
    double value;
    const bioft_task task = { .struct_size = sizeof(task), .outputs = CLASSES, .classes = CLASSES };
    OK(instance_create(&(struct instance_params){ .plugin = r->trial->stages->loss.plugin }, &loss, &r->err), r->err);
    OK(loss->plugin->api.loss.attach(loss->self, &task), r->err);
    OK(program_create(r->model, &use, feedback_routes(r->feedback, false), &program, &r->err), r->err);
    OK(batches_create(&params, &batches, &r->err), r->err);
    OK(batches_next(batches, &batch, &r->err), r->err);
    OK(program_forward(program, batch.n, batch.x, 0, out, &r->err), r->err);
    OK(npy_write(path(r, "out.npy"), NPY_F32, 2, shape, out, &r->err), r->err);
    OK(loss->plugin->api.loss.value(loss->self, out, &batch, &value, d_out), r->err);
    save_gradient(r, program, &batch, d_out, BIOFT_EXACT, "exact.npy");
    save_gradient(r, program, &batch, d_out, 0, "rule.npy");
    batches_destroy(batches);
    program_destroy(program);
    instance_destroy(loss);
}

static void set_stage(struct run *r, const char *optimizer)
{
    struct stage_spec *s = r->trial->stages;
    const bool adam = strcmp(optimizer, "adam") == 0;
    s->optimizer.kind = adam ? BIOFT_ADAM : BIOFT_SGD;
    s->optimizer.lr = s->optimizer.head_lr = adam ? 1e-3 : 0.05;
    s->optimizer.momentum = adam ? 0.0 : 0.9;
    s->optimizer.weight_decay = 5e-4;
    s->batch_size = BATCH;
    s->shuffle = false;
}

int main(int argc, char **argv)
{
    struct run r = { 0 };
    if (argc != 6)
        return 2;
    r.out = argv[5];
    fixture_open(&r.f, 2);
    fixture_engine(&r.f);
    const struct choice backbone = fixture_choice(&r.f, BIOFT_KIND_BACKBONE, argv[1], NULL);
    r.graph = fixture_graph(&r.f, backbone, CLASSES);
    r.model = fixture_model(&r.f, r.graph, 1);
    r.image = (struct image_format){ .channels = r.graph->view.channels,
                                     .height = r.graph->view.height,
                                     .width = r.graph->view.width };
    memcpy(r.image.mean, r.graph->mean, sizeof(r.image.mean));
    memcpy(r.image.std, r.graph->std, sizeof(r.image.std));
    r.data = fixture_open_data(&r.f, argv[4]);
    r.trial = fixture_trial(&r.f, backbone, r.data, fixture_choice(&r.f, BIOFT_KIND_RULE, argv[2], NULL),
                            "cross_entropy");
    set_stage(&r, argv[3]);
    OK(feedback_create(r.model, r.trial->stages->rules, 1, 1, r.f.pool, BATCH, &r.feedback, &r.err), r.err);
    save_checkpoint(&r, "before.safetensors");
    save_feedback(&r);
    save_first_batch(&r);
    feedback_destroy(r.feedback);
    const struct stage_params p = { .model = r.model,
                                    .dataset = r.data,
                                    .image = r.image,
                                    .trial = r.trial,
                                    .stage = r.trial->stages,
                                    .checkpoint = path(&r, "after.safetensors"),
                                    .pool = r.f.pool };
    OK(stage_train(&p, NULL, &r.err), r.err);
    model_destroy(r.model);
    graph_destroy(r.graph);
    dataset_close(r.data);
    fixture_close(&r.f);
    return 0;
}
