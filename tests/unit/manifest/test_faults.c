/* Manifests with mistakes: each is found, at its place, in words that say what to write instead. */
#include "workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Lines: HEADER is 1 and 2, DATASET 3, MODEL 4, STAGES 5 and 6. */
#define STAGE(REST) HEADER DATASET MODEL "stages:\n  - {name: train, rule: bp, " REST "}\n"
#define PICTURES(REST) HEADER "dataset: {plugin: pictures, " REST "}\n" MODEL STAGES
#define LENET5(REST) HEADER DATASET "model: {backbone: lenet5, " REST "}\n" STAGES
#define ONLY(REST) HEADER DATASET MODEL "stages: [{name: a, " REST "}]\n"
#define SWEEP(REST) SMALL "sweep:\n  " REST "\n"
#define TRAIN STAGE("epochs: 1")
#define CODES STAGE("epochs: 1, head: {bits: 16}, loss: hyp2")
#define ATTACK(REST) TRAIN "attacks:\n  - {" REST "}\n"
#define OPTIMIZER(REST) STAGE("epochs: 1, optimizer: {" REST "}")

#define HUNDRED "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static const struct fault {
    const char *manifest, *set;
    const char *said[3];                           /* errors, and notes by their "note: " */
} faults[] = {
    /* the whole */
    { "", NULL, { "m.yaml:1:1: error: a manifest is a map of keys; this is empty\n" } },
    { "- 1\n", NULL, { "m.yaml:1:1: error: a manifest is a map of keys" } },
    { "name: x\n", NULL, { "m.yaml:1:1: error: 'bioft' is missing: bioft: 1 is the version" } },
    { "bioft: 2\nnonsense: 3\n", NULL,
      { "m.yaml:1:8: error: version 2 of the manifest's format; this bioft reads version 1" } },
    { "bioft: x\n", NULL, { "m.yaml:1:8: error: 'bioft': integer of at least 1 expected, found 'x'" } },
    { "bioft: 1\n" DATASET MODEL STAGES, NULL, { "m.yaml:1:1: error: 'name' is missing" } },
    { "bioft: 1\nname: a/b\n" DATASET MODEL STAGES, NULL,
      { "m.yaml:2:7: error: 'name': a name of letters, digits" } },
    { HEADER MODEL STAGES, NULL, { "m.yaml:1:1: error: 'dataset' is missing" } },
    { HEADER MODEL "stages: []\n", NULL, { "m.yaml:1:1: error: 'dataset' is missing" } },
    { HEADER DATASET STAGES, NULL, { "m.yaml:1:1: error: 'model' is missing" } },
    { HEADER DATASET MODEL, NULL, { "'stages' is missing; stages: [] evaluates" } },
    { SMALL "stage: 1\n", NULL,
      { "m.yaml:7:1: error: unknown key 'stage' in a manifest; did you mean 'stages'?\n    7 | stage: 1\n      "
        "| ^~~~~\nnote: keys here: bioft, name, " } },
    { SMALL "seed: [1, 2]\n", NULL,
      { "m.yaml:7:7: error: 'seed': integer of at least 0 expected, found a list\n",
        "note: expected one value; a path under 'sweep' makes a trial of each value of a list\n" } },
    { SMALL "seed: '1'\n", NULL, { "'seed': integer of at least 0 expected, found the text '1'" } },
    { SMALL "seed: -1\n", NULL, { "'seed': integer of at least 0 expected, found '-1'" } },
    { SMALL "seed: 1.5\n", NULL, { "'seed': integer of at least 0 expected, found '1.5'" } },
    { SMALL "precision: f16\n", NULL,
      { "m.yaml:7:12: error: 'precision': one of f32, bf16 expected, found 'f16'; did you mean 'bf16'?" } },
    { SMALL "engine: openbla\n", NULL,
      { "m.yaml:7:9: error: no engine named 'openbla'; did you mean 'openblas'?",
        "note: engines here: openblas (bioft plugin list)\nnote: looked in /p, /q\n" } },
    { SMALL "engine: {plugin: openblas, block: 0}\n", NULL,
      { "m.yaml:7:35: error: 'block': 0 is below the smallest, 1" } },
    { SMALL "engine: {plugin: auto, block: 1}\n", NULL,
      { "m.yaml:7:24: error: unknown key 'block' of an engine chosen by itself" } },
    { SMALL "engine: {threads: 0}\n", NULL, { "'threads': integer from 1 to 4096 expected, found '0'" } },
    { SMALL "engine: broken\n", NULL,
      { "m.yaml:7:9: error: engine 'broken' cannot be used: /p/broken.so: wrong magic" } },
    { SMALL "plugins: x\n", NULL, { "'plugins': a list of folders and files expected, found 'x'" } },
    { SMALL "plugins: [nowhere]\n", NULL, { "m.yaml:7:11: error: 'plugins': '" } },
    { SMALL "folder: nowhere\n", NULL, { "m.yaml:7:9: error: 'folder': '" } },
    { SMALL "output: a/" HUNDRED HUNDRED HUNDRED "/b\n", NULL,
      { "m.yaml:7:9: error: the output folder has a name of more than 255 bytes" } },
    { SMALL "output: [x]\n", NULL, { "'output': a path expected, found a list" } },

    /* dataset */
    { HEADER "dataset: picture\n" MODEL STAGES, NULL,
      { "m.yaml:3:10: error: no dataset named 'picture'; did you mean 'pictures'?" } },
    { HEADER "dataset: {root: data}\n" MODEL STAGES, NULL,
      { "m.yaml:3:10: error: 'plugin' is missing: it names the dataset" } },
    { HEADER "dataset: {plugin: [a]}\n" MODEL STAGES, NULL,
      { "m.yaml:3:19: error: the name of a dataset expected" } },
    { PICTURES("root: dat"), NULL,
      { "m.yaml:3:35: error: 'root': '/",
        "note: bioft plugin show pictures describes what belongs there\n" } },
    { PICTURES("root: ''"), NULL, { "'root': a path expected, found an empty text" } },
    { PICTURES("clases: [1]"), NULL,
      { "m.yaml:3:29: error: unknown key 'clases' of dataset 'pictures'; did you mean 'classes'?",
        "note: keys here: plugin, root, transform, cache, classes, split_seed, protocol, limit, missing, "
        "broken, unlabelled, split, list, note, grey\n" } },
    { PICTURES("gray: true"), NULL, { "unknown key 'gray' of dataset 'pictures'; did you mean 'grey'?" } },
    { PICTURES("grey: yes"), NULL, { "m.yaml:3:35: error: 'grey': true or false expected, found 'yes'" } },
    { PICTURES("grey: 'true'"), NULL, { "'grey': true or false expected, found the text 'true'" } },
    { PICTURES("list: lost.txt"), NULL, { "m.yaml:3:35: error: 'list': '/" } },
    { PICTURES("note: {a: 1}"), NULL, { "'note': text expected, found a map" } },
    { PICTURES("note: [a, b]"), NULL, { "m.yaml:3:35: error: 'note': text expected, found a list" } },
    { PICTURES("classes: []"), NULL, { "'classes': a list such as [0, 1, 7] expected" } },
    { PICTURES("classes: [0, 1, 0]"), NULL, { "m.yaml:3:45: error: 'classes': 0 is in the list already" } },
    { PICTURES("classes: [0, -1]"), NULL, { "m.yaml:3:42: error: 'classes': integer from 0" } },
    { PICTURES("missing: keep"), NULL, { "'missing': one of error, drop expected, found 'keep'" } },
    { PICTURES("unlabelled: error"), NULL, { "'unlabelled': one of drop, keep expected" } },
    { PICTURES("transform: autos"), NULL,
      { "'transform': one of auto, none expected, found 'autos'; did you mean 'auto'?" } },
    { PICTURES("transform: {size: 0, flop: true}"), NULL,
      { "'size': integer from 1 to 16384 expected, found '0'",
        "unknown key 'flop' in a transform; did you mean 'flip'?" } },
    { PICTURES("transform: {size: 32, resize: 28}"), NULL, { "'resize' is 28, less than 'size', 32" } },

    /* model */
    { HEADER DATASET "model: lenet5\n" STAGES, NULL,
      { "m.yaml:4:8: error: 'model': a map such as {backbone: NAME} expected, found 'lenet5'" } },
    { HEADER DATASET "model: {weights: weights.pth}\n" STAGES, NULL,
      { "m.yaml:4:8: error: 'backbone' is missing in 'model'" } },
    { HEADER DATASET "model: {backbone: {plugin: lenet5, activation: tan}}\n" STAGES, NULL,
      { "m.yaml:4:48: error: 'activation': one of relu, tanh expected, found 'tan'; did you mean 'tanh'?" } },
    { HEADER DATASET "model: {backbone: {plugin: mlp, hidden: [1, x]}}\n" STAGES, NULL,
      { "m.yaml:4:41: error: 'hidden': integer expected, found 'x'" } },
    { HEADER DATASET "model: {backbone: {plugin: mlp, hidden: x}}\n" STAGES, NULL,
      { "'hidden': integer expected, found 'x'" } },
    { LENET5("weights: weight.pth"), NULL, { "m.yaml:4:36: error: 'weights': '/" } },
    { LENET5("weights: data"), NULL, { "'weights': a file expected; '/" } },
    { LENET5("head: {classes: 5, bits: 32}"), NULL, { "'head' has 'classes' and 'bits'" } },
    { LENET5("head: {bits: 4}"), NULL, { "'bits': integer from 8 to 512 expected, found '4'" } },
    { LENET5("head: {clases: 5}"), NULL, { "unknown key 'clases' in 'head'; did you mean 'classes'?" } },
    { HEADER "dataset: {plugin: pictures, classes: [0, 1]}\n" DATASET MODEL STAGES, NULL,
      { "key 'dataset' is given twice, on line 3 and on line 4" } },
    { HEADER "dataset: {plugin: pictures, classes: [0, 1]}\nmodel: {backbone: lenet5, head: {classes: 3}}\n" STAGES,
      NULL,
      { "m.yaml:4:33: error: the head has 3 classes, stage 'train' keeps 2 of its dataset's" } },
    { SMALL "retrieval: {k: 5}\n", NULL,
      { "m.yaml:7:12: error: 'retrieval' is for networks that give hash codes: no head here has 'bits'" } },
    { SMALL "log: [mlflow, tensorbord]\n", NULL,
      { "m.yaml:7:15: error: 'log': one of tensorboard, mlflow expected, found 'tensorbord'; did you mean 'tensorboard'?" } },
    { SMALL "log: {mlflow: true}\n", NULL, { "m.yaml:7:6: error: 'log': one of tensorboard, mlflow expected, found a map" } },
    { SWEEP("log: [mlflow, tensorboard]"), NULL, { "'log' is the same for all trials" } },
    { CODES "retrieval: {k: [5, 9, 5]}\n", NULL, { "m.yaml:7:23: error: 'k': 5 is in the list already" } },
    { CODES "retrieval: {k: 0}\n", NULL, { "m.yaml:7:16: error: 'k': integer from 1 to" } },
    { CODES "retrieval: {k: []}\n", NULL, { "m.yaml:7:16: error: 'k': an empty list" } },
    { CODES "retrieval: 5\n", NULL, { "m.yaml:7:12: error: 'retrieval': a map such as {k: 5000} expected" } },
    { CODES "retrieval: {kk: 5}\n", NULL, { "m.yaml:7:13: error: unknown key 'kk' in 'retrieval'" } },
    { CODES "attacks: [{plugin: pgd, epsilon: 0.1, labels: predicted}]\n", NULL,
      { "m.yaml:7:11: error: 'labels': a head with bits predicts no class" } },
    { CODES "attacks: [{plugin: pgd, epsilon: 0.1, target: least_likely}]\n", NULL,
      { "m.yaml:7:11: error: 'target': a head with bits predicts no class" } },
    { LENET5("head: {bits: 16}"), NULL,
      { "m.yaml:6:5: error: loss 'cross_entropy' is for classes, and the head has bits" } },

    /* stages */
    { HEADER DATASET MODEL "stages: {name: x}\n", NULL,
      { "m.yaml:5:9: error: 'stages': a list of stages expected" } },
    { HEADER DATASET MODEL "stages: [train]\n", NULL,
      { "m.yaml:5:10: error: 'stages': a map such as {name: NAME" } },
    { HEADER DATASET MODEL "stages: [{rule: bp, epochs: 1}]\n", NULL,
      { "m.yaml:5:10: error: a stage needs a 'name'" } },
    { HEADER DATASET MODEL "stages: [{name: a.b, rule: bp, epochs: 1}]\n", NULL,
      { "m.yaml:5:17: error: 'name': a name of letters, digits, '_' and '-' expected, found 'a.b'" } },
    { HEADER DATASET MODEL "stages:\n  - {name: a, rule: bp, steps: 1}\n  - {name: a, rule: bp, steps: 1}\n", NULL,
      { "m.yaml:7:12: error: two stages are named 'a'; the first is on line 6\n" } },
    { ONLY("epochs: 1"), NULL, { "m.yaml:5:10: error: a stage needs 'rule', the learning rule" } },
    { STAGE("epochs: 1, rules: []"), NULL, { "a stage has 'rule' or 'rules', not both" } },
    { ONLY("epochs: 1, rule: usff"), NULL,
      { "m.yaml:5:37: error: no learning rule named 'usff'; did you mean 'usf'?\n    5 | stages: [{name: a, "
        "epochs: 1, rule: usff}]\n      |                                     ^~~~\nnote: rules here: bp, frsf, "
        "usf (bioft plugin list)\n" } },
    { ONLY("epochs: 1, rule: {plugin: usf, scale: 1}"), NULL,
      { "m.yaml:5:58: error: 'scale': one of none, xavier, constant expected, found '1'" } },
    { ONLY("epochs: 1, rule: {plugin: frsf, low: [0, 1]}"), NULL, { "'low': number expected, found a list" } },
    { ONLY("epochs: 1, rule: [bp, usf]"), NULL, { "m.yaml:5:37: error: the name of a learning rule expected" } },
    { ONLY("epochs: 1, rules: []"), NULL, { "'rules': a list such as [{layers: \"*\", rule: NAME}] expected" } },
    { ONLY("epochs: 1, rules: [{rule: bp}, {layers: fc}, {layers: x, layer: y, rule: bp}]"), NULL,
      { "m.yaml:5:39: error: 'layers' is missing",
        "m.yaml:5:51: error: 'rule' is missing",
        "unknown key 'layer' in an entry of 'rules'; did you mean 'layers'?" } },
    { HEADER DATASET MODEL
      "stages:\n  - name: a\n    steps: 1\n    rules:\n      - {layers: \"*\", rule: bp}\n      - {layers: "
      "fc, rule: usf}\n", NULL,
      { "m.yaml:10:9: error: no layer is left for this rule: the one on line 9 takes them all" } },
    { STAGE("steps: 1, epochs: 1"), NULL, { "a stage has 'epochs' or 'steps', not both" } },
    { ONLY("rule: bp"), NULL, { "m.yaml:5:10: error: a stage needs 'epochs' or 'steps'" } },
    { STAGE("epochs: 0"), NULL,
      { "m.yaml:6:37: error: 'epochs': number above 0 and at most 1000000000 expected, found '0'" } },
    { STAGE("steps: -1"), NULL, { "'steps': integer of at least 0 expected, found '-1'" } },
    { STAGE("epochs: 1, batch_size: 0"), NULL, { "'batch_size': integer from 1 to 1048576 expected, found '0'" } },
    { STAGE("epochs: 1, epoch: 2"), NULL, { "unknown key 'epoch' in a stage; did you mean 'epochs'?" } },
    { STAGE("epochs: 1, loss: cross_entrpy"), NULL,
      { "no loss named 'cross_entrpy'; did you mean 'cross_entropy'?\n",
        "note: losses here: cross_entropy, hyp2 (" } },
    { STAGE("epochs: 1, loss: hyp2"), NULL, { "loss 'hyp2' is for codes, and the head has classes" } },
    { STAGE("epochs: 1, label_smoothing: 2"), NULL, { "'label_smoothing': 2 is above the largest, 0.99" } },
    { STAGE("epochs: 1, head: {bits: 16}, loss: hyp2, label_smoothing: 0.1"), NULL,
      { "loss 'hyp2' has no label smoothing" } },
    { STAGE("epochs: 1, loss: {plugin: cross_entropy, label_smoothing: 0.2}, label_smoothing: 0.1"), NULL,
      { "'label_smoothing' differs from the loss's own" } },
    { STAGE("epochs: 1, optimizer: adma"), NULL,
      { "'optimizer': one of adam, sgd expected, found 'adma'; did you mean 'adam'?" } },
    { OPTIMIZER("lr: -1"), NULL, { "'lr': number of at least 0 expected, found '-1'" } },
    { OPTIMIZER("lr: nan"), NULL, { "'lr': number of at least 0 expected, found 'nan'" } },
    { OPTIMIZER("lr: 1/3"), NULL, { "'lr': number of at least 0 expected, found '1/3'" } },
    { OPTIMIZER("lr: 0x10"), NULL, { "'lr': number of at least 0 expected, found '0x10'" } },
    { OPTIMIZER("lr: 1_000"), NULL, { "'lr': number of at least 0 expected, found '1_000'" } },
    { OPTIMIZER("betas: 0.9"), NULL, { "'betas': two numbers such as [0.9, 0.999] expected, found '0.9'" } },
    { OPTIMIZER("betas: [0.9, 1]"), NULL, { "'betas': number of at least 0 and below 1 expected, found '1'" } },
    { OPTIMIZER("name: sgd, betas: [0, 0]"), NULL, { "unknown key 'betas' of optimizer 'sgd'" } },
    { OPTIMIZER("momentum: 0.9"), NULL, { "unknown key 'momentum' of optimizer 'adam'" } },
    { OPTIMIZER("eps: 0"), NULL, { "'eps': number above 0 expected, found '0'" } },
    { STAGE("epochs: 1, schedule: step"), NULL, { "'schedule': step needs 'every' and 'gamma'" } },
    { STAGE("epochs: 1, schedule: {name: cosine, every: 3}"), NULL, { "unknown key 'every' in 'schedule'" } },
    { STAGE("epochs: 1, freeze: conv1"), NULL,
      { "'freeze': a list such as [\"conv1.*\"] expected, found 'conv1'" } },
    { STAGE("epochs: 1, freeze: [[a]]"), NULL, { "'freeze': a pattern of parameters expected, found a list" } },
    { STAGE("epochs: 1, batchnorm: freeze"), NULL,
      { "'batchnorm': one of train, frozen expected, found 'freeze'" } },
    { STAGE("epochs: 1, shuffle: 1"), NULL, { "'shuffle': one of false, true expected, found '1'" } },
    { STAGE("epochs: 1, model_selection: test"), NULL,
      { "'model_selection': one of last, val expected, found 'test'" } },
    { STAGE("epochs: 1, checkpoint: 3"), NULL,
      { "'checkpoint': a map such as {every: epoch} expected, found '3'" } },
    { STAGE("epochs: 1, weights: x.pth"), NULL, { "'weights': '/" } },
    { STAGE("epochs: 1, dataset: nope"), NULL, { "no dataset named 'nope'" } },

    /* attacks */
    { TRAIN "attacks: fgsm\n", NULL, { "m.yaml:7:10: error: 'attacks': a list of attacks expected" } },
    { TRAIN "attacks: [fgsm]\n", NULL,
      { "m.yaml:7:11: error: 'attacks': a map such as {plugin: NAME, epsilon: 8/255} expected, found 'fgsm'" } },
    { ATTACK("plugin: fgsn, epsilon: 0"), NULL, { "no attack named 'fgsn'; did you mean 'fgsm'?" } },
    { ATTACK("plugin: fgsm"), NULL,
      { "m.yaml:8:5: error: an attack needs 'epsilon', a number or a list of them" } },
    { ATTACK("plugin: fgsm, epsilon: []"), NULL, { "'epsilon': an empty list" } },
    { ATTACK("plugin: fgsm, epsilon: 8"), NULL,
      { "m.yaml:8:29: error: 'epsilon': pixels are in [0, 1]; did you mean 8/255 = 0.031373?\n" } },
    { ATTACK("plugin: fgsm, epsilon: [0, 16]"), NULL,
      { "m.yaml:8:33: error: 'epsilon': pixels are in [0, 1]; did you mean 16/255 = 0.062745?" } },
    { ATTACK("plugin: fgsm, epsilon: 300"), NULL,
      { "'epsilon': number of at least 0 and at most 1 expected, found '300'" } },
    { ATTACK("plugin: fgsm, epsilon: -0.1"), NULL,
      { "'epsilon': number of at least 0 and at most 1 expected, found '-0.1'" } },
    { ATTACK("plugin: fgsm, epsilon: 8/0"), NULL,
      { "'epsilon': number of at least 0 and at most 1 expected, found '8/0'" } },
    { ATTACK("plugin: fgsm, epsilon: [0.1, .1]"), NULL,
      { "m.yaml:8:35: error: 'epsilon': .1 is in the list already" } },
    { ATTACK("plugin: fgsm, epsilon: [[0]]"), NULL,
      { "'epsilon': number of at least 0 and at most 1 expected, found a list" } },
    { ATTACK("plugin: guess, epsilon: -1"), NULL, { "'epsilon': number of at least 0 expected, found '-1'" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: both"), NULL,
      { "'gradient': one of rule, exact, straight_through, smoothed expected, found 'both'" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: [{smoothed: {samples: 3}}]"), NULL,
      { "'samples': an even number expected, half of them on either side of an image" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: {smoothed: {sigma: 0, sample: 2}}"), NULL,
      { "'sigma': number above 0 and at most 1 expected, found '0'",
        "unknown key 'sample' of 'smoothed'; did you mean 'samples'?" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: [smoothed, {smoothed: {samples: 4}}]"), NULL,
      { "'gradient': one is in the list twice" } },
    { ATTACK("plugin: guess, epsilon: 0, gradient: smoothed"), NULL,
      { "'gradient': attack 'guess' asks for no gradient" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: [exact, exact]"), NULL,
      { "'gradient': one is in the list twice" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: [rule, exact, rule]"), NULL,
      { "'gradient': one is in the list twice" } },
    { ATTACK("plugin: fgsm, epsilon: 0, gradient: []"), NULL, { "'gradient': an empty list" } },
    { ATTACK("plugin: fgsm, epsilon: 0, split: tests"), NULL,
      { "'split': one of train, val, test, database expected, found 'tests'; did you mean 'test'?" } },
    { ATTACK("plugin: fgsm, epsilon: 0, target: random"), NULL, { "attack 'fgsm' takes no target" } },
    { ATTACK("plugin: pgd, epsilon: 0, target: rand"), NULL,
      { "'target': none, random, least_likely or the number of a class expected, found 'rand'" } },
    { ATTACK("plugin: fgsm, epsilon: 0, labels: false"), NULL,
      { "'labels': one of true, predicted expected, found 'false'" } },
    { ATTACK("plugin: hag, epsilon: 0"), NULL, { "attack 'hag' is for retrieval, and the last head has classes" } },
    { ATTACK("plugin: fgsm, epsilon: 0, samples: [1, 2]"), NULL,
      { "'samples': integer of at least 0 expected, found a list" } },
    { ATTACK("plugin: pgd, epsilon: 0, steps: [1, 0]"), NULL,
      { "m.yaml:8:42: error: 'steps': 0 is below the smallest, 1" } },
    { ATTACK("plugin: pgd, epsilon: 0, steps: []"), NULL, { "'steps': an empty list" } },
    { ATTACK("plugin: pgd, epsilon: 0, steps: [1, 1]"), NULL,
      { "m.yaml:8:42: error: 'steps': 1 is in the list already" } },
    { ATTACK("plugin: pgd, epsilon: 0, random_start: [true, false]"), NULL,
      { "'random_start': true or false expected, found a list" } },
    { ATTACK("plugin: pgd, epsilon: 0, restarts: [2, 2]"), NULL, { "'restarts': 2 is in the list already" } },
    { ATTACK("plugin: pgd, epsilon: 0, stpes: 2"), NULL,
      { "unknown key 'stpes' of attack 'pgd'; did you mean 'steps'?" } },
    { ATTACK("plugin: pgd, epsilon: 0, name: worst"), NULL, { "'worst' is the name of the results' rows" } },
    { ATTACK("plugin: pgd, epsilon: 0}\n  - {plugin: pgd, epsilon: 1"), NULL,
      { "m.yaml:9:5: error: two attacks are named 'pgd', the first on line 8; give one a 'name'" } },
    /* images of another trial */
    { ATTACK("plugin: pgd, epsilon: 0.1, from: {rule: usf}") "sweep: {seed: [1, 2]}\n", NULL,
      { "m.yaml:8:39: error: 'from': 'rule' is not a path of the sweep" } },
    { ATTACK("plugin: pgd, epsilon: 0.1, from: {seed: 3}") "sweep: {seed: [1, 2]}\n", NULL,
      { "m.yaml:8:39: error: 'from': the sweep does not have a trial with seed:3 for all of its other values" } },
    { ATTACK("plugin: pgd, epsilon: 0.1, from: {}") "sweep: {seed: [1, 2]}\n", NULL,
      { "m.yaml:8:39: error: 'from': an empty map; name a swept path and its value, such as {rule: bp}" } },
    { ATTACK("plugin: pgd, epsilon: 0.1, gradient: rule, from: {seed: 1}") "sweep: {seed: [1, 2]}\n", NULL,
      { "m.yaml:8:55: error: 'from': images are made with the other network's exact gradient" } },
    { ATTACK("plugin: pgd, epsilon: 0.1, from: [{seed: 1}, {seed: 1}]") "sweep: {seed: [1, 2]}\n", NULL,
      { "m.yaml:8:51: error: 'from': this one is in the list already" } },

    /* sweep */
    { SMALL "sweep: 3\n", NULL, { "m.yaml:7:8: error: 'sweep': a map of paths to lists expected" } },
    { SMALL "sweep: {seed: 3}\n", NULL, { "m.yaml:7:15: error: a list of values to try expected\n" } },
    { SMALL "sweep: {seed: []}\n", NULL, { "a list of values to try expected, found an empty one" } },
    { SMALL "sweep: {seed: [1, 2, 1]}\n", NULL, { "m.yaml:7:22: error: this value is in the list already" } },
    { SWEEP("sed: [1]"), NULL, { "m.yaml:8:3: error: unknown key 'sed' in a manifest; did you mean 'seed'?" } },
    { SWEEP("stages.train.epoch: [1]"), NULL,
      { "m.yaml:8:16: error: unknown key 'epoch' in a stage; did you mean 'epochs'?" } },
    { SWEEP("stages.tune.rule: [bp]"), NULL,
      { "m.yaml:8:10: error: 'stages.tune.rule': no such entry\n",
        "note: entries here: 0 or train\n" } },
    { SWEEP("stages.1.rule: [bp]"), NULL, { "m.yaml:8:10: error: 'stages.1.rule': no such entry\n" } },
    { SWEEP("'stages.train.rule': [bp, usf, fsrf]"), NULL,
      { "m.yaml:8:34: error: no learning rule named 'fsrf'; did you mean 'frsf'?" } },
    { SWEEP("stages..rule: [bp]"), NULL, { "m.yaml:8:10: error: 'stages..rule': no path of keys" } },
    { SWEEP("stages.train.epochs.x: [1]"), NULL,
      { "m.yaml:8:23: error: 'stages.train.epochs.x': there is a single value before this key" } },
    { SWEEP("name: [a, b]"), NULL, { "m.yaml:8:3: error: 'name' is the same for all trials" } },
    { SWEEP("stages.train.name: [a, b]"), NULL, { "names are the same for all trials" } },
    { SWEEP("stages.train: [{name: train, rule: bp, steps: 1}]"), NULL,
      { "a sweep that replaces what an entry is named by must give its number" } },
    { SWEEP("stages.0.rule: [bp]\n  stages.train.rule: [usf]"), NULL,
      { "m.yaml:9:3: error: this path replaces what 'stages.0.rule' puts there" } },
    { SWEEP("stages.train.rule.scale: [none]\n  stages.train.rule: [usf]"), NULL,
      { "m.yaml:9:3: error: this path replaces what 'stages.train.rule.scale' puts there" } },
    { SMALL "sweep: {seed: [1, 2]}\n", "seed=7",
      { "--set seed: error: the sweep over 'seed' replaces this; --set sweep.seed=[...] changes it\n      | "
        "seed=7\n      |      ^\n" } },

    /* --set */
    { SMALL, "stages.train.epochs=abc",
      { "--set stages.train.epochs: error: 'epochs': number above 0 and at most 1000000000 expected, found "
        "'abc'\n      | stages.train.epochs=abc\n      |                     ^~~\n" } },
    { SMALL, "stages.train.epoch=2",
      { "--set stages.train.epoch: error: unknown key 'epoch' in a stage; did you mean 'epochs'?\n      | "
        "stages.train.epoch=2\n      |              ^~~~~\n" } },
    { SMALL, "stages.pre.epochs=2",
      { "--set stages.pre.epochs: error: 'stages.pre.epochs': no such entry\n",
        "note: entries here: 0 or train\n" } },
    { SMALL, "seed", { "--set seed: error: path=value expected" } },
    { SMALL, "=3", { "--set : error: '': no path of keys" } },
    { SMALL, "seed=[1", { "--set seed: error: did not find expected" } },
    { SMALL, "seed=a\tb", { "--set seed: error: tab" } },
    { SMALL, "seed.x=1", { "--set seed.x: error: 'seed': integer of at least 0 expected, found a map" } },
    { SMALL "seed: 1\n", "seed.x=1", { "--set seed.x: error: 'seed.x': there is a single value before this key" } },
    { SMALL, "dataset.root=nowhere", { "--set dataset.root: error: 'root': '/" } },
    { SMALL, "sweep.dataset.root=[data]",
      { "--set sweep.dataset.root: error: 'root': a path that --set puts into the sweep must be absolute" } },
};

static size_t count_errors(const char *text)
{
    size_t errors = 0;

    while ((text = strstr(text, ": error: "))) {
        errors++;
        text++;
    }
    return errors;
}

/* What is expected is said, and no other error. */
static void each_is_said(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *f = &faults[i];
        const char *const sets[] = { f->set, NULL };
        struct experiment *e = NULL;
        char *text;
        size_t errors = 0;
        bioft_status st = workspace_read(f->manifest, sets, &e, &text);
        if (st != BIOFT_ERR_INVALID || e) {
            print_error("%s%s\nis accepted (%d): %s\n", f->manifest, f->set ? f->set : "", st, text);
            failed++;
        }
        for (size_t k = 0; k < 3 && f->said[k]; k++) {
            errors += strncmp(f->said[k], "note: ", 6) != 0;
            if (!strstr(text, f->said[k])) {
                print_error("%s\nsaid:\n%swithout: %s\n", f->manifest, text, f->said[k]);
                failed++;
            }
        }
        if (count_errors(text) != errors) {
            print_error("%s\nsaid:\n%s\n", f->manifest, text);
            failed++;
        }
        free(text);
    }
    assert_int_equal(failed, 0);
}

/* All mistakes of one file, in one go and in its order. */
static void all_at_once(void **state)
{
    static const char manifest[] =
        "bioft: 1\n"
        "name: wrong\n"
        "sed: 3\n"
        "engine: {threads: none}\n"
        "dataset: {plugin: pictures, root: nowhere, limit: -1}\n"
        "model:\n"
        "  backbone: lenet6\n"
        "  weights: nowhere.pth\n"
        "stages:\n"
        "  - name: one\n"
        "    rule: usff\n"
        "    optimizer: {lr: fast}\n"
        "    epochs: [1]\n"
        "  - name: one\n"
        "attacks:\n"
        "  - {plugin: pgd, epsilon: 8, steps: many}\n";
    static const char *const said[] = {
        "m.yaml:3:1: error: unknown key 'sed'", "m.yaml:4:19: error: 'threads'", "m.yaml:5:35: error: 'root'",
        "m.yaml:5:51: error: 'limit'",
        "m.yaml:7:13: error: no backbone named 'lenet6'; did you mean 'lenet5'?",
        "m.yaml:8:12: error: 'weights'", "m.yaml:11:11: error: no learning rule",
        "m.yaml:12:21: error: 'lr'", "m.yaml:13:13: error: 'epochs'", 
        "m.yaml:14:5: error: a stage needs 'rule'", "m.yaml:14:5: error: a stage needs 'epochs' or 'steps'",
        "m.yaml:14:11: error: two stages", "m.yaml:16:28: error: 'epsilon'",
        "m.yaml:16:38: error: 'steps'",
    };
    struct experiment *e = NULL;
    char *text;
    const char *at;

    (void)state;
    assert_int_equal(workspace_read(manifest, NULL, &e, &text), BIOFT_ERR_INVALID);
    at = text;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        at = strstr(at, said[i]);
        if (!at)
            fail_msg("%s\nwithout, or too early: %s", text, said[i]);
    }
    assert_int_equal(count_errors(text), sizeof said / sizeof *said);
    free(text);
}

/* A mistake that every trial of a sweep has is said once, one of a value where the value stands. */
static void once_for_all_trials(void **state)
{
    static const char manifest[] = SMALL "sed: 1\nsweep:\n  seed: [1, x, 3, y]\n  precision: [f32, bf16]\n";
    struct experiment *e = NULL;
    char *text;

    (void)state;
    assert_int_equal(workspace_read(manifest, NULL, &e, &text), BIOFT_ERR_INVALID);
    assert_int_equal(count_errors(text), 3);
    assert_non_null(strstr(text, "m.yaml:9:13: error: 'seed'"));
    assert_non_null(strstr(text, "m.yaml:9:19: error: 'seed'"));
    free(text);
}

static void no_file(void **state)
{
    struct experiment_params p = { .path = "nowhere.yaml", .threads = 1 };
    struct experiment *e = NULL;
    struct error err = { 0 };
    char *text = NULL;

    (void)state;
    assert_int_equal(experiment_read(&p, &e, &text, &err), BIOFT_ERR_INVALID);
    assert_non_null(strstr(text, "nowhere.yaml: error: "));
    assert_non_null(strstr(text, "No such file"));
    assert_string_equal(err.text, "nowhere.yaml: 1 error");
    free(text);
}

static void too_large(void **state)
{
    const size_t size = (1 << 20) + 1;
    char *bytes = malloc(size + 1), *text;
    struct experiment *e = NULL;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, '#', size);
    bytes[size] = '\0';
    assert_int_equal(workspace_read(bytes, NULL, &e, &text), BIOFT_ERR_INVALID);
    assert_non_null(strstr(text, "m.yaml: error: "));
    free(text);
    free(bytes);
}

static void too_many_trials(void **state)
{
    struct text manifest = { 0 };
    struct experiment *e = NULL;
    char *text;

    (void)state;
    text_add(&manifest, SMALL "sweep:\n");
    for (int path = 0; path < 2; path++) {
        text_add(&manifest, path ? "  stages.train.steps: [0" : "  seed: [0");
        for (int i = 1; i < 150; i++)
            text_printf(&manifest, ", %d", i);
        text_add(&manifest, "]\n");
    }
    assert_int_equal(workspace_read(manifest.data, NULL, &e, &text), BIOFT_ERR_INVALID);
    assert_non_null(strstr(text, "m.yaml:9:3: error: the sweep makes more than 20000 trials"));
    free(text);
    text_free(&manifest);
}

static void plugin_path(void **state)
{
    static const char *const paths[] = { "nowhere" };
    struct experiment_params p = { .path = "m.yaml", .threads = 1, .plugin_paths = paths, .plugin_path_count = 1 };
    struct experiment *e = NULL;
    struct error err = { 0 };
    char *text;

    (void)state;
    workspace_write("m.yaml", SMALL);
    assert_int_equal(experiment_read(&p, &e, &text, &err), BIOFT_ERR_INVALID);
    assert_string_equal(text, "error: --plugin-path nowhere: there is no such place\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_said), cmocka_unit_test(all_at_once),
        cmocka_unit_test(once_for_all_trials), cmocka_unit_test(no_file), cmocka_unit_test(too_large),
        cmocka_unit_test(too_many_trials), cmocka_unit_test(plugin_path),
    };

    return cmocka_run_group_tests(tests, workspace_open, workspace_close);
}
