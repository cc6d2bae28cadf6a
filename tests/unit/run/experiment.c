/* A small experiment in a folder of the test's own. */
#include "experiment.h"

#include "base/file.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int folder_open(void **state)
{
    char path[] = "/tmp/bioft-run-XXXXXX";
    if (!mkdtemp(path) || chdir(path) != 0)
        return 1;
    *state = strdup(path);
    return *state ? 0 : 1;
}

static int erase(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s, (void)type, (void)ftw;
    return remove(path);
}

int folder_close(void **state)
{
    const int failed = chdir("/") != 0 || nftw(*state, erase, 8, FTW_DEPTH | FTW_PHYS) != 0;
    free(*state);
    return failed;
}

static void write_heard(void *ctx, enum log_level level, const char *text)
{
    struct heard *h = ctx;
    if (level != LOG_PROGRESS)
        text_printf(&h->text, "%s\n", text);
}

void hear(struct heard *h)
{
    *h = (struct heard){ .log = { .write = write_heard, .ctx = h } };
    text_add(&h->text, "");
}

void put_file(const char *path, const char *text)
{
    struct error err = { 0 };
    OK(file_write(path, text, strlen(text), &err), err);
}

char *get_file(const char *path)
{
    struct error err = { 0 };
    uint8_t *bytes = NULL;
    size_t size = 0;
    OK(file_read(path, 1 << 20, &bytes, &size, &err), err);
    char *text = malloc(size + 1);
    assert_non_null(text);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    free(bytes);
    return text;
}

struct experiment *read_experiment(const char *more, const struct log *log)
{
    static const char manifest[] =
        "bioft: 1\nname: tiny\nseed: 3\nengine: tiny_engine\noutput: out\n"
        "dataset: {plugin: tiny_dataset, count: 64}\nmodel: {backbone: tiny_backbone}\n"
        "stages:\n  - name: learn\n    rule: tiny_rule\n    loss: tiny_loss\n    epochs: 2\n    batch_size: 16\n"
        "    optimizer: {name: sgd, lr: 0.05}\n"
        "attacks:\n  - {plugin: tiny_attack, epsilon: [0, 0.1], samples: 8}\n";
    struct error err = { 0 };
    struct experiment *e = NULL;
    struct text all = { 0 };
    char *reasons = NULL;

    text_printf(&all, "%s%s", manifest, more);
    put_file("manifest.yaml", all.data);
    text_free(&all);
    if (experiment_read(&(struct experiment_params){ .path = "manifest.yaml", .threads = 1, .log = log }, &e, &reasons,
                        &err) != BIOFT_OK)
        fail_msg("%s%s", reasons ? reasons : "", err.text);
    free(reasons);
    return e;
}
