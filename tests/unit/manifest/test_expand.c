/* --set and sweeps: which trials come out, in which order, by which names. */
#include "workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *rule(const struct trial *t, size_t stage) { return t->stages[stage].rule_name; }

static void product(void **state)
{
    static const char *const ids[] = {
        "00-rule=bp,seed=1",  "01-rule=bp,seed=2",  "02-rule=bp,seed=3",
        "03-rule=usf,seed=1", "04-rule=usf,seed=2", "05-rule=usf,seed=3",
    };
    struct experiment *e = workspace_good(SMALL "sweep:\n  stages.train.rule: [bp, usf]\n  seed: [1, 2, 3]\n", NULL);

    (void)state;
    assert_int_equal(e->trial_count, 6);
    assert_int_equal(e->sweep_count, 2);
    assert_string_equal(e->sweep_paths[0], "stages.train.rule");
    assert_string_equal(e->sweep_paths[1], "seed");
    for (size_t i = 0; i < 6; i++) {
        const struct trial *t = &e->trials[i];
        assert_int_equal(t->number, i);
        assert_string_equal(t->id, ids[i]);
        assert_int_equal(t->seed, i % 3 + 1);
        assert_string_equal(rule(t, 0), i < 3 ? "bp" : "usf");
        assert_int_equal(t->swept_count, 2);
        assert_string_equal(t->swept[0].path, "stages.train.rule");
        assert_string_equal(t->swept[0].value, i < 3 ? "bp" : "usf");
        assert_string_equal(t->swept[1].path, "seed");
    }
    experiment_destroy(e);
}

/* `from` of an attack: the trial that has this value and the others of its own; zipped paths go together. */
static void sources(void **state)
{
    struct experiment *e = workspace_good(
        SMALL
        "attacks: [{plugin: pgd, epsilon: 0.1, from: [{seed: 2}, {rule: usf, "
        "dataset.split_seed: 7}]}]\nsweep:\n  stages.train.rule: [bp, \"usf\"]\n  zip: [{seed: [1, 2], dataset.split_seed: [7, 8]}]\n"
        "  skip_if: [{stages.train.rule: bp, seed: 1}]\n",
        NULL);
    static const size_t wanted[3][2] = { { 0, 1 }, { 2, 1 }, { 2, 1 } }; /* bp,2  usf,1  usf,2 */

    (void)state;
    assert_int_equal(e->trial_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct attack_spec *a = e->trials[i].attacks;
        assert_int_equal(e->trials[i].attack_count, 2);
        assert_string_equal(a[0].options, "from=seed:2");
        assert_string_equal(a[1].options, "from=rule:usf,dataset.split_seed:7");
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(a[k].surrogate->number, wanted[i][k]);
        assert_true(a[0].gradient_count == 1 && a[0].gradients[0] == GRADIENT_EXACT);
        assert_int_not_equal(strcmp(a[0].key, a[1].key), 0);
    }
    experiment_destroy(e);
}

/* A folder's name says what the trial is: the last component of a path, more where that is not enough. */
static void names(void **state)
{
    static const struct {
        const char *sweep, *first, *value;
    } cases[] = {
        { "  stages.train.rule: [{plugin: usf, scale: none}, bp]\n", "00-rule=usf+scale=none",
          "{plugin: usf, scale: none}" },
        { "  stages.train.optimizer.betas: [[0.9, 0.99]]\n", "00-betas=0.9+0.99", "[0.9, 0.99]" },
        { "  stages.train.optimizer: [{name: sgd, lr: 1e-2}]\n", "00-optimizer=sgd+lr=1e-2", "{name: sgd, lr: 1e-2}" },
        { "  model.head: [{bits: 16}]\n  stages.train.loss: [hyp2]\n", "00-head=bits=16,loss=hyp2", "{bits: 16}" },
        { "  dataset.root: [data, ./data]\n", "00-root=data", "data" },
        { "  dataset.root: [./data, data]\n", "00-root=.-data", "./data" },
        { "  model.weights: [null, weights.pth]\n", "00-weights=null", "null" },
        { "  dataset.note: ['a b/c:d']\n", "00-note=a-b-c-d", "'a b/c:d'" },
        { "  stages.train.optimizer.lr: [1e-5]\n  stages.train.optimizer.head_lr: [1.0e-4]\n",
          "00-lr=1e-5,head_lr=1.0e-4", "1e-5" },
        { "  stages.train.batch_size: [1]\n  attacks.fgsm.batch_size: [2]\n", "00-train.batch_size=1,fgsm.batch_size=2",
          "1" },
        { "  stages.0.head: [{reuse: true}]\n  model.head: [{classes: 3}]\n",
          "00-0.head=reuse=true,model.head=classes=3", "{reuse: true}" },
        { "  engine.threads: [1, 2]\n", "00-threads=1", "1" },
        { "  attacks.0.epsilon: [[0, 8/255]]\n", "00-epsilon=0+8-255", "[0, 8/255]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char manifest[1024];
        snprintf(manifest, sizeof manifest, SMALL "%ssweep:\n%s",
                 strstr(cases[i].sweep, "attacks.") ? "attacks: [{plugin: fgsm, epsilon: 0}]\n" : "", cases[i].sweep);
        struct experiment *e = workspace_good(manifest, NULL);
        assert_string_equal(e->trials[0].id, cases[i].first);
        assert_string_equal(e->trials[0].swept[0].value, cases[i].value);
        for (const char *s = e->trials[0].id; *s; s++)
            assert_true((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || strchr("._=,+-", *s));
        experiment_destroy(e);
    }
}

static void many_digits(void **state)
{
    struct text manifest = { 0 };

    (void)state;
    text_add(&manifest, SMALL "sweep:\n  seed: [0");
    for (int i = 1; i < 101; i++)
        text_printf(&manifest, ", %d", i);
    text_add(&manifest, "]\n");
    struct experiment *e = workspace_good(manifest.data, NULL);
    assert_string_equal(e->trials[0].id, "000-seed=0");
    assert_string_equal(e->trials[100].id, "100-seed=100");
    experiment_destroy(e);
    text_free(&manifest);
}

/* A path may lead into a bare name, into a section that is not there, and into what the path before it put. */
static void paths_that_make_their_way(void **state)
{
    struct experiment *e = workspace_good(HEADER DATASET MODEL "stages:\n"
                                                               "  - {name: pre, rule: bp, epochs: 1}\n"
                                                               "  - {name: tune, rule: usf, epochs: 1}\n"
                                                               "attacks: [{plugin: pgd, epsilon: 0}]\n"
                                                               "sweep:\n"
                                                               "  stages.tune.rule.scale: [none]\n"
                                                               "  stages.1.optimizer.lr: [0.25]\n"
                                                               "  dataset.split_seed: [3]\n"
                                                               "  attacks.pgd.steps: [[2, 3]]\n"
                                                               "  model.head.classes: [4]\n"
                                                               "  stages.pre.rule: [frsf]\n"
                                                               "  stages.pre.rule.low: [-1]\n",
                                          NULL);
    const struct trial *t = &e->trials[0];

    (void)state;
    assert_string_equal(rule(t, 1), "usf");
    assert_int_equal(t->stages[1].rules[0].choice.values[0].integer, 0);
    assert_true(t->stages[1].optimizer.lr == 0.25);
    assert_int_equal(t->dataset->split_seed, 3);
    assert_int_equal(t->attack_count, 2);
    assert_int_equal(t->head.classes, 4);
    assert_string_equal(rule(t, 0), "frsf");
    assert_true(t->stages[0].rules[0].choice.values[1].number == -1.0);
    experiment_destroy(e);
}

/* Each trial is read from its own copy: what one trial's values do is not left in the next. */
static void trials_do_not_mix(void **state)
{
    struct experiment *e = workspace_good(SMALL "sweep:\n  stages.train.rule: [{plugin: usf, scale: none}, usf]\n"
                                                "  stages.train.optimizer: [{lr: 2}, {head_lr: 3}]\n",
                                          NULL);

    (void)state;
    assert_int_equal(e->trials[0].stages[0].rules[0].choice.values[0].integer, 0);
    assert_int_equal(e->trials[2].stages[0].rules[0].choice.values[0].integer, 1);
    assert_true(e->trials[0].stages[0].optimizer.head_lr == 2.0);
    assert_true(e->trials[1].stages[0].optimizer.lr == 1e-3 && e->trials[1].stages[0].optimizer.head_lr == 3.0);
    experiment_destroy(e);
}

static void set(void **state)
{
    static const char *const sets[] = {
        "seed=5",
        "stages.train.epochs=0.5",
        "stages.train.optimizer={name: sgd, lr: 1e-2}",
        "stages.0.optimizer.momentum=0.5",
        "dataset.classes=[1, 2]",
        "dataset.note=a=b",
        "dataset.limit=",
        "attacks=[{plugin: fgsm, epsilon: [0, 8/255]}]",
        "attacks.fgsm.samples=10",
        "model.backbone.activation=tanh",
        "engine.threads=7",
        "name=other",
        "stages.train.rule.scale=none",
        "seed=6",
        NULL,
    };
    struct experiment *e = workspace_good(
        HEADER "dataset: {plugin: pictures, limit: 3}\n" MODEL "stages: [{name: train, rule: usf, epochs: 1}]\n", sets);
    const struct trial *t = &e->trials[0];
    size_t index;

    (void)state;
    assert_int_equal(t->seed, 6);
    assert_true(t->stages[0].epochs == 0.5);
    assert_int_equal(t->stages[0].optimizer.kind, BIOFT_SGD);
    assert_true(t->stages[0].optimizer.momentum == 0.5 && t->stages[0].optimizer.lr == 1e-2);
    assert_int_equal(t->dataset->class_count, 2);
    assert_int_equal(t->dataset->limit, 0);
    assert_non_null(options_find(t->dataset->choice.plugin, "note", &index));
    assert_string_equal(t->dataset->choice.values[index].text, "a=b");
    assert_int_equal(t->attacks[0].samples, 10);
    assert_int_equal(t->attacks[0].epsilon_count, 2);
    assert_int_equal(t->backbone.values[0].integer, 1);
    assert_int_equal(t->threads, 7);
    assert_null(t->engine);
    assert_string_equal(e->name, "other");
    assert_int_equal(t->stages[0].rules[0].choice.values[0].integer, 0);
    experiment_destroy(e);
}

/* The sweep can be set as a whole and by its paths. */
static void set_sweep(void **state)
{
    static const char *const sets[] = { "sweep.seed=[4, 5]", "sweep.stages.train.rule=[usf]", NULL };
    static const char *const none[] = { "sweep=", NULL };
    const char manifest[] = SMALL "sweep:\n  seed: [1, 2, 3]\n";
    struct experiment *e = workspace_good(manifest, sets);

    (void)state;
    assert_int_equal(e->trial_count, 2);
    assert_string_equal(e->trials[1].id, "01-seed=5,rule=usf");
    experiment_destroy(e);
    e = workspace_good(manifest, none);
    assert_int_equal(e->trial_count, 1);
    assert_string_equal(e->trials[0].id, "00");
    experiment_destroy(e);
}

/* Paths on the command line are relative to the working directory, those of the manifest to its folder. */
static void set_paths(void **state)
{
    static const char *const sets[] = { "dataset.root=data", "model.weights=sub/w.pth" };
    struct experiment_params p = { .path = "sub/deep.yaml", .threads = 1, .set = sets, .set_count = 2 };
    struct experiment *e = NULL;
    struct error err;
    char *text, expected[8192];

    (void)state;
    workspace_write("sub/w.pth", "w");
    workspace_write("sub/deep.yaml", HEADER "dataset: {plugin: pictures, list: ../list.txt}\n" MODEL STAGES);
    if (experiment_read(&p, &e, &text, &err) != BIOFT_OK)
        fail_msg("%s", text);
    snprintf(expected, sizeof expected, "%s/data", workspace);
    assert_string_equal(e->trials[0].dataset->root, expected);
    snprintf(expected, sizeof expected, "%s/sub/w.pth", workspace);
    assert_string_equal(e->trials[0].weights->file, expected);
    experiment_destroy(e);
}

/* Paths of a group go together; a group is one axis where `zip` stands. */
static void zipped(void **state)
{
    static const char *const ids[] = {
        "00-rule=bp,seed=1,lr=0.1,epochs=1",  "01-rule=bp,seed=1,lr=0.1,epochs=2",
        "02-rule=bp,seed=2,lr=0.2,epochs=1",  "03-rule=bp,seed=2,lr=0.2,epochs=2",
        "04-rule=usf,seed=1,lr=0.1,epochs=1", "05-rule=usf,seed=1,lr=0.1,epochs=2",
        "06-rule=usf,seed=2,lr=0.2,epochs=1", "07-rule=usf,seed=2,lr=0.2,epochs=2",
    };
    struct experiment *e = workspace_good(
        SMALL
        "sweep:\n  stages.train.rule: [bp, usf]\n  zip:\n    - {seed: [1, 2], stages.train.optimizer.lr: [0.1, 0.2]}\n"
        "  stages.train.epochs: [1, 2]\n",
        NULL);

    (void)state;
    assert_int_equal(e->trial_count, 8);
    assert_int_equal(e->sweep_count, 4);
    for (size_t i = 0; i < 8; i++) {
        const struct trial *t = &e->trials[i];
        assert_string_equal(t->id, ids[i]);
        assert_int_equal(t->seed, i / 2 % 2 + 1);
        assert_true(t->stages[0].optimizer.lr == (i / 2 % 2 ? 0.2 : 0.1));
        assert_true(t->stages[0].epochs == (double)(i % 2 + 1));
        assert_string_equal(rule(t, 0), i < 4 ? "bp" : "usf");
    }
    experiment_destroy(e);
}

/* A trial that meets all of any condition is left out; the others are numbered without a gap. */
static void skipped(void **state)
{
    static const char *const ids[] = {
        "00-rule=bp,seed=1", "01-rule=usf,seed=1", "02-rule=usf,seed=2", "03-rule=frsf,seed=1", "04-rule=frsf,seed=3",
    };
    struct experiment *e = workspace_good(
        SMALL "sweep:\n  skip_if:\n    - {stages.train.rule: bp, seed: 2}\n    - {stages.train.rule: frsf, seed: 2}\n"
              "    - {seed: 3, stages.train.rule: usf}\n    - {stages.train.rule: bp, seed: 3}\n"
              "  stages.train.rule: [bp, usf, frsf]\n  seed: [1, 2, 3]\n",
        NULL);

    (void)state;
    assert_int_equal(e->trial_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(e->trials[i].id, ids[i]);
        assert_int_equal(e->trials[i].number, i);
        assert_int_equal(e->trials[i].seed, ids[i][strlen(ids[i]) - 1] - '0');
    }
    experiment_destroy(e);
}

/* Each trial has the same candidates; what the sweep chose stays, and the resolved manifest says both. */
static void searched(void **state)
{
    static const char text[] = SMALL
        "sweep: {stages.train.rule: [bp, usf]}\n"
        "search: {stages.train.optimizer.lr: [1e-2, 1e-3], stages.train.batch_size: [8, 16]}\n";
    static const double lr[] = { 1e-2, 1e-2, 1e-3, 1e-3 };
    struct experiment *e = workspace_good(text, NULL), *again;
    size_t column = 0;
    const char *sets[] = { "search.stages.train.optimizer.lr=[1e-4, 1e-3]", NULL };

    (void)state;
    assert_int_equal(e->trial_count, 2);
    while (column < e->varied_count && strcmp(e->varied[column], "stages.train.optimizer.lr") != 0)
        column++;
    assert_in_range(column, 0, e->varied_count - 1);
    assert_string_equal(e->trials[1].candidates[3].varied[column], "0.001");
    for (size_t i = 0; i < 2; i++) {
        const struct trial *t = &e->trials[i];
        assert_int_equal(t->candidate_count, 4);
        assert_string_equal(t->key, t->candidates[0].key);
        for (size_t k = 0; k < 4; k++) {
            const struct trial *c = &t->candidates[k];
            assert_string_equal(c->id, i ? "01-rule=usf" : "00-rule=bp");
            assert_string_equal(rule(c, 0), i ? "usf" : "bp");
            assert_true(c->number == i && c->stages[0].optimizer.lr == lr[k] &&
                        c->stages[0].batch_size == (k % 2 ? 16 : 8));
            assert_string_equal(c->searched[0].path, "stages.train.optimizer.lr");
            assert_string_equal(c->searched[0].value, k < 2 ? "1e-2" : "1e-3");
            assert_true(k == 0 || strcmp(c->stage_key[0], c[-1].stage_key[0]) != 0);
        }
    }
    assert_non_null(strstr(e->resolved, "search:"));
    again = workspace_good(e->resolved, NULL);
    assert_string_equal(again->key, e->key);
    assert_string_equal(again->resolved, e->resolved);
    experiment_destroy(again);
    again = workspace_good(text, sets);
    assert_true(again->trials[1].candidates[0].stages[0].optimizer.lr == 1e-4);
    assert_string_not_equal(again->key, e->key);
    experiment_destroy(again);
    experiment_destroy(e);
}

static void wrong_searches(void **state)
{
    static const char *const cases[][2] = {
        { "search: 1\n", "'search': a map of paths to lists expected, such as {stages.NAME.optimizer.lr: [1, 2]}" },
        { "search: {seed: [1, 2]}\n", "'seed': a search chooses keys of 'model' and of stages" },
        { "search: {stages.train.dataset.limit: [1, 2]}\n", "but for their 'dataset'" },
        { "search: {stages.train.optimizer.lr: []}\n", "found an empty one" },
        { "sweep: {stages.train.optimizer: [adam, sgd]}\nsearch: {stages.train.optimizer.lr: [1, 2]}\n",
          "'stages.train.optimizer.lr': the sweep has 'stages.train.optimizer'" },
        { "sweep: {seed: [1, 2]}\nsearch: {stages.train.optimizer.lr: [1, 2]}\n"
          "attacks: [{plugin: pgd, epsilon: 0.1, from: [{seed: 2}]}]\n",
          "'from' and 'search' exclude each other" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text, manifest[1000];
        struct experiment *e = NULL;
        snprintf(manifest, sizeof manifest, "%s%s", SMALL, cases[i][0]);
        assert_int_equal(workspace_read(manifest, NULL, &e, &text), BIOFT_ERR_INVALID);
        if (!strstr(text, cases[i][1]))
            fail_msg("%s\nwhere expected: %s", text, cases[i][1]);
        free(text);
    }
}

static void wrong_sweeps(void **state)
{
    static const struct {
        const char *sweep, *says;
    } cases[] = {
        { "zip: [{seed: [1, 2], threads: [1]}]", "1 value where 'seed' has 2" },
        { "zip: {seed: [1, 2]}", "a list of groups expected" },
        { "zip: [seed]", "a map of paths to lists" },
        { "zip: [{}]", "a map of paths to lists" },
        { "zip: [{seed: [1, 1], threads: [2, 2]}]", "stand together already" },
        { "seed: [1]\n  zip: [{seed: [1]}]", "in the sweep already" },
        { "zip: [{name: [a, b]}]", "the same for all trials" },
        { "zip: [{seed: 1}]", "a list of values to try" },
        { "seed: [1, 2]\n  skip_if: {seed: 1}", "a list of conditions" },
        { "seed: [1, 2]\n  skip_if: [{sed: 1}]", "'sed' is not a path of the sweep" },
        { "seed: [1, 2]\n  skip_if: [{seed: 3}]", "'seed' has no such value" },
        { "seed: [1, 2]\n  skip_if: [{}]", "a map of swept paths" },
        { "seed: [1, 2]\n  skip_if: [{seed: 1}, {seed: 2}]", "leave no trial" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char manifest[1024], *text;
        struct experiment *e;
        snprintf(manifest, sizeof manifest, SMALL "sweep:\n  %s\n", cases[i].sweep);
        assert_int_equal(workspace_read(manifest, NULL, &e, &text), BIOFT_ERR_INVALID);
        if (!strstr(text, cases[i].says))
            fail_msg("%s: %s", cases[i].sweep, text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product),
        cmocka_unit_test(sources),
        cmocka_unit_test(names),
        cmocka_unit_test(many_digits),
        cmocka_unit_test(paths_that_make_their_way),
        cmocka_unit_test(trials_do_not_mix),
        cmocka_unit_test(set),
        cmocka_unit_test(set_sweep),
        cmocka_unit_test(set_paths),
        cmocka_unit_test(zipped),
        cmocka_unit_test(skipped),
        cmocka_unit_test(wrong_sweeps),
        cmocka_unit_test(searched),
        cmocka_unit_test(wrong_searches),
    };

    return cmocka_run_group_tests(tests, workspace_open, workspace_close);
}
