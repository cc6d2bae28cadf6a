/* The resolved manifest reads back to the same experiment, and the keys change with what decides results, and with
 * nothing else. */
#include "workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TWO_STAGES \
    HEADER \
    "dataset: {plugin: pictures, root: data}\n" \
    "model: {backbone: lenet5, weights: weights.pth}\n" \
    "stages:\n" \
    "  - {name: pre, rule: bp, epochs: 1, dataset: {plugin: pictures, classes: [0, 1]}}\n" \
    "  - {name: tune, rule: usf, steps: 300, optimizer: {lr: 1e-4, head_lr: 1e-3}}\n" \
    "attacks:\n" \
    "  - {plugin: pgd, epsilon: [0, 8/255], steps: [1, 5], restarts: [1, 2]}\n"

/* The first line that differs says more than two pages. */
static void assert_text(const char *a, const char *b)
{
    size_t at = 0;

    if (strcmp(a, b) == 0)
        return;
    while (a[at] == b[at])
        at++;
    while (at > 0 && a[at - 1] != '\n')
        at--;
    fail_msg("%.*s\nbecame\n%.*s\nin\n%s", (int)strcspn(a + at, "\n"), a + at, (int)strcspn(b + at, "\n"), b + at, a);
}

static void text_of_a_small_one(void **state)
{
    static const char end[] =
        "threads: 2\n"
        "engine:\n  plugin: auto\n"
        "precision: f32\n"
        "dataset:\n  plugin: pictures\n  note: ''\n  grey: false\n  transform: auto\n  cache: auto\n"
        "  split_seed: 0\n  limit: 0\n"
        "  missing: error\n  broken: drop\n  unlabelled: drop\n"
        "model:\n  backbone:\n    plugin: lenet5\n    activation: relu\n  head:\n    reuse: false\n"
        "stages:\n  - name: train\n    rule:\n      plugin: usf\n      scale: xavier\n"
        "    loss:\n      plugin: cross_entropy\n      label_smoothing: 0.1\n"
        "    optimizer:\n      name: adam\n      lr: 1e-05\n      head_lr: 1e-05\n      loss_lr: 1e-05\n"
        "      weight_decay: 0\n      betas: [0.9, 0.999]\n      eps: 1e-08\n"
        "    schedule: constant\n    epochs: 1\n    batch_size: 32\n    accumulate: 1\n    freeze: []\n"
        "    batchnorm: train\n    shuffle: true\n    model_selection: last\n    alignment: 0\n    log_every: 0\n"
        "    checkpoint:\n      every: 1\n"
        "attacks:\n  - plugin: fgsm\n    name: fgsm\n    epsilon: [0, 0.5]\n    gradient: [rule, exact]\n"
        "    samples: 0\n    split: test\n    labels: true\n    target: none\n    restarts: 1\n    batch_size: 0\n"
        "    dump: 0\n"
        "log: []\n";
    char expected[16384];
    struct experiment *e = workspace_good(
        HEADER DATASET MODEL
        "stages: [{name: train, rule: usf, epochs: 1, label_smoothing: .1, optimizer: {lr: 1E-5}}]\n"
        "attacks: [{plugin: fgsm, epsilon: [0, 1/2]}]\n",
        NULL);

    (void)state;
    snprintf(expected, sizeof expected, "bioft: 1\nname: small\nfolder: %s\noutput: %s/runs/small\nseed: 1\n%s",
             workspace, workspace, end);
    assert_text(e->resolved, expected);
    assert_string_equal(e->trials[0].resolved, expected);
    experiment_destroy(e);
}

static void assert_same(const struct experiment *a, const struct experiment *b)
{
    assert_text(a->resolved, b->resolved);
    assert_string_equal(a->key, b->key);
    assert_string_equal(a->output, b->output);
    assert_int_equal(a->trial_count, b->trial_count);
    for (size_t i = 0; i < a->trial_count; i++) {
        const struct trial *x = &a->trials[i], *y = &b->trials[i];
        assert_string_equal(x->id, y->id);
        assert_text(x->resolved, y->resolved);
        assert_string_equal(x->key, y->key);
        assert_int_equal(x->stage_count, y->stage_count);
        for (size_t k = 0; k < x->stage_count; k++) {
            assert_string_equal(x->stage_key[k], y->stage_key[k]);
            assert_string_equal(x->stages[k].rule_name, y->stages[k].rule_name);
        }
        assert_int_equal(x->attack_count, y->attack_count);
        for (size_t k = 0; k < x->attack_count; k++)
            assert_string_equal(x->attacks[k].options, y->attacks[k].options);
    }
}

/* Read again from another folder, as OUT/manifest.yaml is. */
static struct experiment *again(const char *resolved)
{
    struct experiment_params p = { .path = "sub/resolved.yaml", .threads = 9 };
    struct experiment *e = NULL;
    struct error err;
    char *text;

    workspace_write("sub/resolved.yaml", resolved);
    if (experiment_read(&p, &e, &text, &err) != BIOFT_OK)
        fail_msg("%s\n%s", text, resolved);
    return e;
}

static void reads_back(void **state)
{
    static const char *const manifests[] = {
        SMALL,
        TWO_STAGES,
        TWO_STAGES "sweep:\n  stages.tune.rule: [bp, {plugin: frsf, low: -1}, usf]\n  seed: [1, 2]\n",
        TWO_STAGES "sweep:\n  stages.tune.optimizer.lr: [1e-3, 1.0e-4]\n  stages.tune.optimizer.name: [adam, sgd]\n",
        TWO_STAGES "sweep:\n  stages.tune.optimizer: [sgd, {name: adam, eps: 1e-4}]\n",
        TWO_STAGES "sweep:\n  stages.pre.optimizer.lr: [1e-3, 1e-4]\n", /* head_lr and loss_lr follow it */
        TWO_STAGES "sweep:\n  stages.pre.optimizer.lr: [0.1]\n",
        TWO_STAGES "sweep:\n  stages.tune.rule.plugin: [usf, frsf]\n",
        TWO_STAGES "sweep:\n  zip: [{stages.tune.rule: [bp, usf], seed: [1, 2]}, {threads: [1, 2]}]\n"
                   "  stages.tune.steps: [1, 2]\n  skip_if: [{threads: 1, stages.tune.rule: bp}]\n",
        TWO_STAGES "sweep:\n  stages.tune.label_smoothing: [0.1]\n",
        TWO_STAGES "sweep:\n  stages.tune.label_smoothing: [0.1, 0.2]\n",
        TWO_STAGES "sweep:\n  stages.tune.loss: [cross_entropy, {plugin: cross_entropy, label_smoothing: 0.5}]\n",
        TWO_STAGES "sweep:\n  stages.tune.steps: [0, 10]\n  stages.pre.epochs: [0.5, 1]\n",
        TWO_STAGES "sweep:\n  stages.tune.schedule: [constant, {name: step, every: 2, gamma: 0.5}]\n",
        TWO_STAGES "sweep:\n  stages.tune.schedule.name: [constant, cosine]\n",
        TWO_STAGES "sweep:\n  model.backbone: [lenet5, {plugin: mlp, hidden: [3, 4]}, mlp]\n"
                   "  model.head: [{classes: 2}, {reuse: true}]\n",
        TWO_STAGES "sweep:\n  model.backbone.plugin: [lenet5, mlp]\n",
        TWO_STAGES "sweep:\n  attacks.pgd.steps: [1, [2, 3]]\n  attacks.0.epsilon: [[0, 8/255], 0.1]\n",
        TWO_STAGES "sweep:\n  attacks.0.plugin: [pgd]\n",
        TWO_STAGES "sweep:\n  attacks.0: [{plugin: fgsm, epsilon: 0}, {plugin: pgd, epsilon: [0.1], steps: 4}]\n",
        TWO_STAGES "sweep:\n  attacks: [[], [{plugin: fgsm, epsilon: 0}]]\n",
        TWO_STAGES "sweep:\n  stages: [[], [{name: one, rule: bp, epochs: 1}], "
                   "[{name: one, rule: bp, epochs: 1}, {name: two, rule: usf, steps: 3}]]\n",
        TWO_STAGES "sweep:\n  dataset: [pictures, {plugin: pictures, root: data, limit: 5}]\n",
        TWO_STAGES "sweep:\n  dataset.transform: [auto, none, {size: 32}]\n"
                   "  dataset.cache: [off, sub/cache, ./auto]\n",
        TWO_STAGES "sweep:\n  dataset.transform.size: [28, 32]\n  dataset.classes: [[0, 1], [2]]\n"
                   "  precision: [f32, bf16]\n",
        TWO_STAGES "sweep:\n  engine: [auto, openblas, {plugin: openblas, block: 8, threads: 1}]\n",
        TWO_STAGES "sweep:\n  engine.threads: [1, 2]\n",
        TWO_STAGES "threads: 3\nsweep:\n  engine: [auto, {threads: 4}]\n",
        TWO_STAGES "engine: {threads: 3}\nsweep:\n  threads: [1, 3]\n",
        TWO_STAGES "sweep:\n  dataset.note: ['', 'null', \"a\\x1b'b\", '1', \"\xc3\xa4\\n\"]\n",
        TWO_STAGES "sweep:\n  stages.pre.freeze: [[], [\"*\", 'null', \"a: b\"]]\n",
        HEADER DATASET MODEL "stages:\n  - name: a\n    steps: 1\n    rules: [{layers: \"*\", rule: bp}]\n"
                             "sweep:\n  stages.a.rules.0.rule: [usf, {plugin: frsf, high: 2}]\n",
        HEADER DATASET MODEL "stages:\n  - name: a\n    steps: 1\n"
                             "sweep:\n  stages.a.rules: [[{layers: \"*\", rule: bp}], "
                             "[{layers: \"fc.*\", rule: bp}, {layers: \"*\", rule: usf}]]\n",
        HEADER DATASET MODEL "stages: [{name: a, steps: 1}]\n"
                             "sweep:\n  stages.a.rules: [[{layers: \"*\", rule: bp}]]\n",
        HEADER MODEL "stages:\n"
                     "  - {name: a, rule: bp, epochs: 1, dataset: {plugin: pictures, split_seed: 1}}\n"
                     "  - {name: b, rule: bp, epochs: 1, dataset: {plugin: pictures, split_seed: 2}}\n"
                     "sweep:\n  stages.b.dataset: [pictures, {plugin: pictures, split_seed: 4}]\n",
        HEADER "folder: sub\nplugins: [../data, /]\n"
               "dataset: {plugin: pictures, root: ., list: ../list.txt, cache: off}\n"
               "model: {backbone: lenet5, weights: ../weights.pth}\n" STAGES,
        HEADER "log: [mlflow, tensorboard, mlflow]\ndataset: {plugin: pictures, root: /}\n" MODEL STAGES
               "attacks: [{plugin: guess, epsilon: [0, 1e-300, 12.5], target: none}, "
               "{plugin: pgd, epsilon: 1, target: 3, gradient: exact}]\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        struct experiment *first = workspace_good(manifests[i], NULL), *second = again(first->resolved);
        assert_same(first, second);
        for (size_t k = 0; k < first->trial_count; k++) {
            struct experiment *alone = again(first->trials[k].resolved);
            assert_text(first->trials[k].resolved, alone->trials[0].resolved);
            assert_text(first->trials[k].resolved, alone->resolved);
            assert_string_equal(alone->trials[0].key, first->trials[k].key);
            experiment_destroy(alone);
        }
        experiment_destroy(second);
        experiment_destroy(first);
    }
}

/* Images of other trials: as a whole, since a trial alone has no other. */
static void reads_back_with_other_trials(void **state)
{
    struct experiment *a = workspace_good(
        TWO_STAGES
        "  - {plugin: pgd, name: a, epsilon: 0.1, from: {rule: usf}}\n"
        "  - {plugin: pgd, name: b, epsilon: 0.1, from: [{rule: usf}, {rule: {plugin: frsf, low: -1}}], restarts: [1, 2]}\n"
        "sweep:\n  stages.tune.rule: [usf, {plugin: frsf, low: -1}]\n",
        NULL);
    struct experiment *b = again(a->resolved);

    (void)state;
    assert_same(a, b);
    for (size_t i = 0; i < a->trials[0].attack_count; i++)
        assert_string_equal(a->trials[0].attacks[i].key, b->trials[0].attacks[i].key);
    experiment_destroy(b);
    experiment_destroy(a);
}

static void reads_back_with_set(void **state)
{
    static const char *const sets[] = {
        "dataset.root=data",
        "stages.tune.rule={plugin: usf, scale: none}",
        "sweep.seed=[3, 4]",
        NULL,
    };
    struct experiment *first = workspace_good(TWO_STAGES, sets), *second = again(first->resolved);

    (void)state;
    assert_same(first, second);
    experiment_destroy(second);
    experiment_destroy(first);
}

/* What a change does to the keys of the first stage, the second, the trial, the experiment. */
static void what_changes_keys(void **state)
{
    static const struct {
        const char *set;
        bool first, second, trial;
    } cases[] = {
        { "seed=2", true, true, true },
        { "precision=bf16", true, true, true },
        { "engine=openblas", true, true, true },
        { "model.backbone.activation=tanh", true, true, true },
        { "model.weights=list.txt", true, true, true },
        { "model.head={classes: 2}", true, true, true },
        { "stages.pre.name=before", true, true, true },
        { "stages.pre.rule=usf", true, true, true },
        { "stages.pre.epochs=2", true, true, true },
        { "stages.pre.batch_size=16", true, true, true },
        { "stages.pre.dataset.classes=[1, 0]", true, true, true },
        { "stages.pre.dataset.limit=10", true, true, true },
        { "stages.pre.dataset.split_seed=10", true, true, true },
        { "stages.pre.dataset.transform=none", true, true, true },
        { "stages.pre.dataset.broken=error", true, true, true },
        { "stages.pre.shuffle=false", true, true, true },
        { "stages.pre.freeze=[\"conv1.*\"]", true, true, true },
        { "stages.pre.model_selection=val", true, true, true },
        { "stages.pre.label_smoothing=0.1", true, true, true },
        { "dataset.grey=true", false, true, true },
        { "dataset.root=sub", false, true, true },
        { "stages.tune.rule.scale=none", false, true, true },
        { "stages.tune.rule=bp", false, true, true },
        { "stages.tune.optimizer.head_lr=1", false, true, true },
        { "stages.tune.head={reuse: true}", false, true, true },
        { "stages.tune.weights=weights.pth", false, true, true },
        { "attacks.pgd.steps=[1]", false, false, true },
        { "attacks.pgd.epsilon=0", false, false, true },
        { "attacks.pgd.samples=5", false, false, true },
        { "attacks.pgd.gradient=exact", false, false, true },
        { "attacks.pgd.name=other", false, false, true },
        { "attacks=[]", false, false, true },
        { "name=other", false, false, false },
        { "output=elsewhere", false, false, false },
        { "threads=1", false, false, false },
        { "engine.threads=1", false, false, false },
        { "dataset.cache=off", false, false, false },
        { "stages.pre.alignment=5", false, false, false },
        { "stages.pre.log_every=5", false, false, false },
        { "stages.pre.checkpoint={every: 0}", false, false, false },
        { "stages.tune.rule.scale=xavier", false, false, false },
        { "stages.pre.rule={plugin: bp}", false, false, false },
        { "stages.tune.optimizer.lr=0.0001", false, false, false },
        { "plugins=[data]", false, false, false },
        { "log=[mlflow]", false, false, false },
        { "folder=.", false, false, false },
        { "attacks.pgd.epsilon=[0.0, 8/255]", false, false, false },
    };
    struct experiment *base = workspace_good(TWO_STAGES, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const sets[] = { cases[i].set, NULL };
        struct experiment *e = workspace_good(TWO_STAGES, sets);
        const struct trial *a = &base->trials[0], *b = &e->trials[0];
        const bool first = strcmp(a->stage_key[0], b->stage_key[0]) != 0;
        const bool second = strcmp(a->stage_key[1], b->stage_key[1]) != 0;
        const bool trial = strcmp(a->key, b->key) != 0, experiment = strcmp(base->key, e->key) != 0;
        if (first != cases[i].first || second != cases[i].second || trial != cases[i].trial || experiment != trial)
            fail_msg("%s: %d %d %d %d", cases[i].set, first, second, trial, experiment);
        assert_string_not_equal(b->stage_key[0], b->stage_key[1]);
        assert_string_not_equal(b->stage_key[1], b->key);
        assert_int_equal(strlen(b->key), 64);
        experiment_destroy(e);
    }
    experiment_destroy(base);
}

/* Trials that differ later only share their first stage. */
static void shared_stages(void **state)
{
    struct experiment *e = workspace_good(
        TWO_STAGES "sweep:\n  stages.tune.rule: [bp, usf, frsf]\n  attacks.pgd.samples: [1, 2]\n", NULL);

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(e->trials[i].stage_key[0], e->trials[0].stage_key[0]);
        for (size_t k = 0; k < i; k++) {
            assert_int_equal(strcmp(e->trials[i].stage_key[1], e->trials[k].stage_key[1]) == 0, i / 2 == k / 2);
            assert_string_not_equal(e->trials[i].key, e->trials[k].key);
        }
    }
    experiment_destroy(e);
}

static struct experiment *read_at(const char *folder, const char *path)
{
    struct experiment_params p = { .path = path, .threads = 1 };
    struct experiment *e = NULL;
    struct error err;
    char *text;

    assert_int_equal(chdir(folder), 0);
    if (experiment_read(&p, &e, &text, &err) != BIOFT_OK)
        fail_msg("%s", text);
    assert_int_equal(chdir(workspace), 0);
    return e;
}

/* The same manifest has the same keys from any working directory, and where its folder has moved. */
static void places_change_no_key(void **state)
{
    struct experiment *here, *there, *moved;

    (void)state;
    workspace_write("m.yaml", TWO_STAGES);
    assert_int_equal(mkdir("moved", 0777) | mkdir("moved/data", 0777) | mkdir("moved/sub", 0777), 0);
    workspace_write("moved/m.yaml", TWO_STAGES);
    workspace_write("moved/weights.pth", "weights");
    here = read_at(".", "m.yaml");
    there = read_at("sub", "../m.yaml");
    moved = read_at("moved", "m.yaml");
    assert_string_equal(here->key, there->key);
    assert_string_equal(here->key, moved->key);
    assert_string_equal(here->trials[0].stage_key[1], moved->trials[0].stage_key[1]);
    assert_string_not_equal(here->output, there->output);
    experiment_destroy(here);
    experiment_destroy(there);
    experiment_destroy(moved);
}

/* Each trial of a large sweep costs a bounded time. */
static void large_sweep(void **state)
{
    struct text manifest = { 0 };

    (void)state;
    text_add(&manifest, TWO_STAGES "sweep:\n  seed: [0");
    for (int i = 1; i < 1000; i++)
        text_printf(&manifest, ", %d", i);
    text_add(&manifest, "]\n  stages.tune.rule: [bp, usf]\n");
    struct experiment *e = workspace_good(manifest.data, NULL), *back = again(e->resolved);
    assert_int_equal(e->trial_count, 2000);
    assert_string_equal(e->key, back->key);
    experiment_destroy(back);
    experiment_destroy(e);
    text_free(&manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_a_small_one),  cmocka_unit_test(reads_back),
        cmocka_unit_test(reads_back_with_set),  cmocka_unit_test(reads_back_with_other_trials),
        cmocka_unit_test(what_changes_keys),    cmocka_unit_test(shared_stages),
        cmocka_unit_test(places_change_no_key), cmocka_unit_test(large_sweep),
    };

    return cmocka_run_group_tests(tests, workspace_open, workspace_close);
}
