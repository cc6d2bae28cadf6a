/* Good manifests: every key ends where it should, and every default is what the design says. */
#include "fake_registry.h"
#include "workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path_buffer[8192];

static const char *in_workspace(const char *path)
{
    snprintf(path_buffer, sizeof path_buffer, "%s/%s", workspace, path);
    return path_buffer;
}

static const struct option_value *option(const struct choice *c, const char *name)
{
    size_t index;

    assert_non_null(options_find(c->plugin, name, &index));
    return &c->values[index];
}

static void defaults(void **state)
{
    struct experiment *e = workspace_good(SMALL "attacks: [{plugin: fgsm, epsilon: 0.1}]\n", NULL);
    const struct trial *t = &e->trials[0];
    const struct stage_spec *s = &t->stages[0];
    const struct attack_spec *a = &t->attacks[0];

    (void)state;
    assert_int_equal(e->trial_count, 1);
    assert_string_equal(e->name, "small");
    assert_string_equal(e->output, in_workspace("runs/small"));
    assert_string_equal(t->id, "00");
    assert_int_equal(t->swept_count, 0);
    assert_int_equal(t->seed, 1);
    assert_null(t->engine);
    assert_int_equal(t->precision, BIOFT_F32);
    assert_int_equal(t->threads, 2);
    assert_null(t->weights);
    assert_int_equal(t->head.classes + t->head.bits + t->head.reuse, 0);
    assert_string_equal(t->backbone.plugin->descriptor.name, "lenet5");
    assert_null(t->dataset->root);
    assert_int_equal(t->dataset->transform.kind, TRANSFORM_AUTO);
    assert_string_equal(t->dataset->cache, "auto");
    assert_null(t->dataset->classes);
    assert_null(t->dataset->protocol);
    assert_int_equal(t->dataset->split_seed + t->dataset->limit, 0);
    assert_int_equal(t->dataset->missing, POLICY_ERROR);
    assert_int_equal(t->dataset->broken, POLICY_DROP);
    assert_int_equal(t->dataset->unlabelled, POLICY_DROP);

    assert_int_equal(t->stage_count, 1);
    assert_string_equal(s->name, "train");
    assert_ptr_equal(s->dataset, t->dataset);
    assert_null(s->head);
    assert_int_equal(s->rule_count, 1);
    assert_string_equal(s->rules[0].layers, "*");
    assert_string_equal(s->rule_name, "bp");
    assert_string_equal(s->loss.plugin->descriptor.name, "cross_entropy");
    assert_int_equal(s->optimizer.kind, BIOFT_ADAM);
    assert_true(s->optimizer.lr == 1e-3 && s->optimizer.head_lr == 1e-3 && s->optimizer.loss_lr == 1e-3);
    assert_true(s->optimizer.beta1 == 0.9 && s->optimizer.beta2 == 0.999 && s->optimizer.eps == 1e-8);
    assert_true(s->optimizer.weight_decay == 0.0 && s->optimizer.momentum == 0.0);
    assert_int_equal(s->schedule.kind, SCHEDULE_CONSTANT);
    assert_true(s->epochs == 1.0 && s->steps == 0);
    assert_int_equal(s->batch_size, 32);
    assert_int_equal(s->accumulate, 1);
    assert_int_equal(s->freeze_count, 0);
    assert_true(!s->batchnorm_frozen && s->shuffle && !s->select_by_val);
    assert_int_equal(s->alignment, 0);
    assert_int_equal(s->checkpoint_epochs, 1);

    assert_string_equal(a->name, "fgsm");
    assert_string_equal(a->options, "");
    assert_int_equal(a->epsilon_count, 1);
    assert_true(a->epsilon[0] == 0.1);
    assert_int_equal(a->gradient_count, 2);
    assert_int_equal(a->gradients[0], GRADIENT_RULE);
    assert_int_equal(a->gradients[1], GRADIENT_EXACT);
    assert_int_equal(a->samples + a->batch_size + a->dump, 0);
    assert_string_equal(a->split, "test");
    assert_false(a->predicted_labels);
    assert_int_equal(a->target, TARGET_NONE);
    assert_int_equal(a->restarts, 1);
    experiment_destroy(e);
}

static void everything_given(void **state)
{
    static const char manifest[] = HEADER
        "seed: 77\n"
        "engine: {plugin: openblas, threads: 5, block: 32}\n"
        "precision: bf16\n"
        "output: out/here\n"
        "dataset:\n"
        "  plugin: pictures\n"
        "  root: data\n"
        "  transform: {size: 32, resize: 36, train: random_resized_crop, padding: 4, flip: true}\n"
        "  cache: cached\n"
        "  classes: [7, 0, 3]\n"
        "  split_seed: 9\n"
        "  protocol: retrieval\n"
        "  limit: 100\n"
        "  missing: drop\n"
        "  broken: error\n"
        "  unlabelled: keep\n"
        "  list: list.txt\n"
        "  note: 12\n"
        "  grey: true\n"
        "model:\n"
        "  backbone: {plugin: mlp, hidden: [10, 1e1, 3], dropout: 5e-1}\n"
        "  weights: ./sub/../weights.pth\n"
        "  head: {bits: 48}\n"
        "stages:\n"
        "  - name: fine-tune_2\n"
        "    dataset: {plugin: pictures, transform: none, cache: off}\n"
        "    head: {classes: 3}\n"
        "    weights: weights.pth\n"
        "    rules:\n"
        "      - {layers: \"classifier.*\", rule: bp}\n"
        "      - {layers: conv1, rule: {plugin: frsf, scale: none, low: -.5, high: +.5}}\n"
        "      - {layers: \"*\", rule: usf}\n"
        "    loss: cross_entropy\n"
        "    optimizer: {name: sgd, lr: 1E-5, head_lr: .001, loss_lr: 1.0e-4, weight_decay: 5e-4, momentum: 0.9}\n"
        "    schedule: {name: step, every: 10, gamma: 0.5}\n"
        "    steps: 3e2\n"
        "    batch_size: 64\n"
        "    accumulate: 2\n"
        "    freeze: [\"features.*\", conv1.bias]\n"
        "    batchnorm: frozen\n"
        "    shuffle: false\n"
        "    model_selection: val\n"
        "    alignment: 100\n"
        "    checkpoint: {every: 5}\n"
        "attacks:\n"
        "  - {plugin: pgd, name: strong, epsilon: [0.5, 0, 8/255, 1e-3], steps: 40, stepsize: 2/255, samples: 500,\n"
        "     split: val, gradient: exact, labels: predicted, target: 7, restarts: 3, batch_size: 128, dump: 4,\n"
        "     random_start: true}\n"
        "  - {plugin: pgd, epsilon: 0, target: least_likely, gradient: [exact, rule]}\n"
        "  - {plugin: guess, epsilon: 300}\n";
    struct experiment *e = workspace_good(manifest, NULL);
    const struct trial *t = &e->trials[0];
    const struct dataset_spec *d = t->dataset;
    const struct stage_spec *s = &t->stages[0];
    const struct attack_spec *a = t->attacks;

    (void)state;
    assert_string_equal(e->output, in_workspace("out/here"));
    assert_int_equal(t->seed, 77);
    assert_string_equal(t->engine->descriptor.name, "openblas");
    assert_int_equal(t->engine_values[0].integer, 32);
    assert_int_equal(t->threads, 5);
    assert_int_equal(t->precision, BIOFT_BF16);
    assert_string_equal(d->root, in_workspace("data"));
    assert_int_equal(d->transform.kind, TRANSFORM_MAP);
    assert_int_equal(d->transform.size, 32);
    assert_int_equal(d->transform.resize, 36);
    assert_int_equal(d->transform.train, CROP_RANDOM_RESIZED);
    assert_int_equal(d->transform.padding, 4);
    assert_true(d->transform.flip);
    assert_string_equal(d->cache, in_workspace("cached"));
    assert_int_equal(d->class_count, 3);
    assert_int_equal(d->classes[0], 7);
    assert_int_equal(d->classes[2], 3);
    assert_int_equal(d->split_seed, 9);
    assert_string_equal(d->protocol, "retrieval");
    assert_int_equal(d->limit, 100);
    assert_int_equal(d->missing, POLICY_DROP);
    assert_int_equal(d->broken, POLICY_ERROR);
    assert_int_equal(d->unlabelled, POLICY_KEEP);
    assert_string_equal(option(&d->choice, "list")->text, in_workspace("list.txt"));
    assert_string_equal(option(&d->choice, "note")->text, "12");
    assert_int_equal(option(&d->choice, "grey")->integer, 1);
    assert_int_equal(option(&t->backbone, "hidden")->count, 3);
    assert_int_equal(option(&t->backbone, "hidden")->integers[1], 10);
    assert_true(option(&t->backbone, "dropout")->number == 0.5);
    assert_string_equal(t->weights->file, in_workspace("sub/../weights.pth"));
    assert_int_equal(t->head.bits, 48);

    assert_string_equal(s->name, "fine-tune_2");
    assert_ptr_not_equal(s->dataset, d);
    assert_int_equal(s->dataset->transform.kind, TRANSFORM_NONE);
    assert_string_equal(s->dataset->cache, "off");
    assert_int_equal(s->head->classes, 3);
    assert_string_equal(s->weights->file, in_workspace("weights.pth"));
    assert_int_equal(s->rule_count, 3);
    assert_string_equal(s->rule_name, "bp+frsf+usf");
    assert_string_equal(s->rules[0].layers, "classifier.*");
    assert_true(option(&s->rules[1].choice, "low")->number == -0.5);
    assert_true(option(&s->rules[1].choice, "high")->number == 0.5);
    assert_int_equal(option(&s->rules[1].choice, "scale")->integer, 0);
    assert_int_equal(option(&s->rules[2].choice, "scale")->integer, 1);
    assert_string_equal(s->loss.plugin->descriptor.name, "cross_entropy");
    assert_int_equal(s->optimizer.kind, BIOFT_SGD);
    assert_true(s->optimizer.lr == 1e-5 && s->optimizer.head_lr == 1e-3 && s->optimizer.loss_lr == 1e-4);
    assert_true(s->optimizer.weight_decay == 5e-4 && s->optimizer.momentum == 0.9);
    assert_int_equal(s->schedule.kind, SCHEDULE_STEP);
    assert_int_equal(s->schedule.every, 10);
    assert_true(s->schedule.gamma == 0.5);
    assert_true(s->epochs == 0.0 && s->steps == 300);
    assert_int_equal(s->batch_size, 64);
    assert_int_equal(s->accumulate, 2);
    assert_int_equal(s->freeze_count, 2);
    assert_string_equal(s->freeze[1], "conv1.bias");
    assert_true(s->batchnorm_frozen && !s->shuffle && s->select_by_val);
    assert_int_equal(s->alignment, 100);
    assert_int_equal(s->checkpoint_epochs, 5);

    assert_int_equal(t->attack_count, 3);
    assert_string_equal(a[0].name, "strong");
    assert_int_equal(a[0].epsilon_count, 4);
    assert_true(a[0].epsilon[0] == 0.5 && a[0].epsilon[1] == 0.0 && a[0].epsilon[3] == 1e-3);
    assert_true(a[0].epsilon[2] == 8.0 / 255.0);
    assert_int_equal(option(&a[0].choice, "steps")->integer, 40);
    assert_true(option(&a[0].choice, "stepsize")->number == 2.0 / 255.0);
    assert_int_equal(option(&a[0].choice, "random_start")->integer, 1);
    assert_int_equal(a[0].samples, 500);
    assert_string_equal(a[0].split, "val");
    assert_int_equal(a[0].gradient_count, 1);
    assert_int_equal(a[0].gradients[0], GRADIENT_EXACT);
    assert_true(a[0].predicted_labels);
    assert_int_equal(a[0].target, TARGET_CLASS);
    assert_int_equal(a[0].target_class, 7);
    assert_int_equal(a[0].restarts, 3);
    assert_int_equal(a[0].batch_size, 128);
    assert_int_equal(a[0].dump, 4);
    assert_string_equal(a[1].name, "pgd");
    assert_int_equal(a[1].target, TARGET_LEAST_LIKELY);
    assert_int_equal(a[1].gradients[0], GRADIENT_EXACT);
    assert_int_equal(a[1].gradients[1], GRADIENT_RULE);
    assert_true(a[2].epsilon[0] == 300.0);
    assert_int_equal(a[2].gradient_count, 1);
    assert_int_equal(t->k_count, 0);
    experiment_destroy(e);
}

/* What comes out of the network is the head named last; rankings are measured where that is bits. */
static void heads(void **state)
{
    struct experiment *e = workspace_good(HEADER DATASET
                                          "model: {backbone: mlp, head: {bits: 16}}\n"
                                          "stages:\n"
                                          "  - {name: a, rule: bp, steps: 0, loss: hyp2}\n"
                                          "  - {name: b, rule: bp, steps: 0, head: {classes: 3}}\n"
                                          "  - {name: c, rule: bp, steps: 0}\n"
                                          "  - {name: d, rule: bp, steps: 0, head: {bits: 32}, loss: hyp2}\n"
                                          "  - {name: e, rule: bp, steps: 0, head: {reuse: true}, loss: hyp2}\n",
                                          NULL);
    const struct trial *t = &e->trials[0];
    static const uint32_t bits[] = { 16, 0, 0, 32, 32, 32 };

    (void)state;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        assert_int_equal(trial_head(t, i)->bits, bits[i]);
    assert_int_equal(t->k_count, 1);
    assert_int_equal(t->k[0], 5000);
    experiment_destroy(e);
    e = workspace_good(HEADER DATASET "model: {backbone: mlp, head: {bits: 8}}\nstages: []\n"
                                      "retrieval: {k: [1e3, 5]}\n",
                       NULL);
    assert_int_equal(e->trials[0].k_count, 2);
    assert_true(e->trials[0].k[0] == 1000 && e->trials[0].k[1] == 5);
    experiment_destroy(e);
}

static void other_forms_of_metrics(void **state)
{
    static const struct {
        const char *log;
        bool tensorboard, mlflow;
    } cases[] = {
        { "", false, false },
        { "log: []\n", false, false },
        { "log: mlflow\n", false, true },
        { "log: [tensorboard]\n", true, false },
        { "log: [mlflow, tensorboard]\n", true, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        snprintf(text, sizeof text, HEADER DATASET MODEL STAGES "%s", cases[i].log);
        struct experiment *e = workspace_good(text, NULL);
        assert_int_equal(e->trials[0].tensorboard, cases[i].tensorboard);
        assert_int_equal(e->trials[0].mlflow, cases[i].mlflow);
        experiment_destroy(e);
    }
}

static void learning_rates_follow(void **state)
{
    struct experiment *e = workspace_good(HEADER DATASET MODEL
                                          "stages:\n"
                                          "  - {name: a, rule: bp, steps: 0, optimizer: {lr: 0.5}}\n"
                                          "  - {name: b, rule: bp, steps: 0, optimizer: {lr: 0.5, head_lr: 0.25}}\n"
                                          "  - {name: c, rule: bp, steps: 0, optimizer: {lr: 0.5, loss_lr: 0}}\n"
                                          "  - {name: d, rule: bp, epochs: 0.5, optimizer: sgd, schedule: cosine}\n",
                                          NULL);
    const struct stage_spec *s = e->trials[0].stages;

    (void)state;
    assert_true(s[0].optimizer.head_lr == 0.5 && s[0].optimizer.loss_lr == 0.5);
    assert_true(s[1].optimizer.head_lr == 0.25 && s[1].optimizer.loss_lr == 0.25);
    assert_true(s[2].optimizer.head_lr == 0.5 && s[2].optimizer.loss_lr == 0.0);
    assert_int_equal(s[3].optimizer.kind, BIOFT_SGD);
    assert_int_equal(s[3].schedule.kind, SCHEDULE_COSINE);
    assert_true(s[3].epochs == 0.5);
    experiment_destroy(e);
}

/* An attack of each combination of its numbers, in the order of the plugin's table, the last fastest. */
static void grids(void **state)
{
    static const char *const options[] = {
        "steps=5;stepsize=0;restarts=1",    "steps=5;stepsize=0;restarts=2",    "steps=5;stepsize=0.25;restarts=1",
        "steps=5;stepsize=0.25;restarts=2", "steps=1;stepsize=0;restarts=1",    "steps=1;stepsize=0;restarts=2",
        "steps=1;stepsize=0.25;restarts=1", "steps=1;stepsize=0.25;restarts=2",
    };
    struct experiment *e = workspace_good(
        SMALL "attacks:\n"
              "  - {plugin: pgd, restarts: [1, 2], stepsize: [0, 1/4], epsilon: [0, 0.1], steps: [5, 1]}\n"
              "  - {plugin: fgsm, epsilon: 0}\n"
              "  - {plugin: pgd, name: one, steps: [7], epsilon: 0}\n",
        NULL);
    const struct trial *t = &e->trials[0];

    (void)state;
    assert_int_equal(t->attack_count, 10);
    for (size_t i = 0; i < 8; i++) {
        const struct attack_spec *a = &t->attacks[i];
        assert_string_equal(a->options, options[i]);
        assert_int_equal(option(&a->choice, "steps")->integer, i < 4 ? 5 : 1);
        assert_true(option(&a->choice, "stepsize")->number == (i / 2 % 2 ? 0.25 : 0.0));
        assert_int_equal(a->restarts, i % 2 + 1);
        assert_int_equal(a->epsilon_count, 2);
        assert_string_equal(a->name, "pgd");
    }
    assert_string_equal(t->attacks[8].options, "");
    assert_string_equal(t->attacks[9].options, "steps=7");
    assert_int_equal(option(&t->attacks[9].choice, "steps")->integer, 7);
    experiment_destroy(e);
}

/* null is as if the key were not there. */
static void nulls(void **state)
{
    struct experiment *e = workspace_good(
        HEADER DATASET
        "seed: ~\nengine:\nprecision: null\nsweep:\nattacks:\n"
        "model: {backbone: {plugin: lenet5, activation: ~}, weights: ~, head: ~}\n"
        "stages: [{name: a, rule: bp, epochs: 1, steps: ~, optimizer: {lr: null}, checkpoint: {every: null}}]\n",
        NULL);

    (void)state;
    assert_int_equal(e->trials[0].seed, 1);
    assert_true(e->trials[0].stages[0].optimizer.lr == 1e-3);
    assert_int_equal(e->trials[0].stages[0].checkpoint_epochs, 1);
    experiment_destroy(e);
}

static void no_stages(void **state)
{
    struct experiment *e = workspace_good(
        HEADER DATASET "model: {backbone: lenet5, weights: weights.pth}\nstages: []\n", NULL);

    (void)state;
    assert_int_equal(e->trials[0].stage_count, 0);
    assert_non_null(e->trials[0].dataset);
    experiment_destroy(e);
}

/* Where every stage has its own dataset the attacks' is the last one's. */
static void datasets_of_stages(void **state)
{
    struct experiment *e = workspace_good(
        HEADER MODEL "stages:\n"
                     "  - {name: a, rule: bp, epochs: 1, dataset: {plugin: pictures, split_seed: 1}}\n"
                     "  - {name: b, rule: bp, epochs: 1, dataset: {plugin: pictures, split_seed: 2}}\n",
        NULL);

    (void)state;
    assert_int_equal(e->trials[0].dataset->split_seed, 2);
    experiment_destroy(e);
}

/* What a manifest reads is relative to its folder, from wherever; `folder` says another. */
static void paths(void **state)
{
    const char *const plugin_paths[] = { "from/here" };
    struct experiment_params p = {
        .path = "sub/deep.yaml", .threads = 3, .plugin_paths = plugin_paths, .plugin_path_count = 1, .out = "elsewhere"
    };
    struct experiment *e = NULL;
    struct error err;
    char *text, places[9000];

    (void)state;
    workspace_write("sub/deep.yaml",
                    HEADER "plugins: [../data, ../weights.pth]\n"
                           "dataset: {plugin: pictures, root: ../data}\noutput: ignored\n" MODEL STAGES);
    assert_int_equal(experiment_read(&p, &e, &text, &err), BIOFT_OK);
    assert_null(text);
    assert_string_equal(e->trials[0].dataset->root, in_workspace("sub/../data"));
    assert_string_equal(e->output, in_workspace("elsewhere"));
    snprintf(places, sizeof places, "from/here | %s/sub/../data:%s/sub/../weights.pth", workspace, workspace);
    assert_string_equal(fake_places, places);
    experiment_destroy(e);

    workspace_write("sub/deep.yaml", HEADER "folder: ..\ndataset: {plugin: pictures, root: data}\n" MODEL STAGES);
    assert_int_equal(experiment_read(&p, &e, &text, &err), BIOFT_OK);
    assert_string_equal(e->trials[0].dataset->root, in_workspace("sub/../data"));
    experiment_destroy(e);
}

/* Aliases stand for copies of their own. */
static void aliases(void **state)
{
    struct experiment *e = workspace_good(HEADER "dataset: &d {plugin: pictures, limit: 3}\n" MODEL
                                                 "stages:\n  - {name: a, rule: bp, epochs: 1, dataset: *d}\n",
                                          NULL);

    (void)state;
    assert_ptr_not_equal(e->trials[0].dataset, e->trials[0].stages[0].dataset);
    assert_int_equal(e->trials[0].stages[0].dataset->limit, 3);
    experiment_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_given),
        cmocka_unit_test(other_forms_of_metrics),
        cmocka_unit_test(learning_rates_follow),
        cmocka_unit_test(grids),
        cmocka_unit_test(nulls),
        cmocka_unit_test(no_stages),
        cmocka_unit_test(heads),
        cmocka_unit_test(datasets_of_stages),
        cmocka_unit_test(paths),
        cmocka_unit_test(aliases),
    };

    return cmocka_run_group_tests(tests, workspace_open, workspace_close);
}
