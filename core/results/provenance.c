/* provenance.json: what a result depends on that the manifest does not say. */
#include "results/provenance.h"

#include "base/file.h"
#include "base/sha256.h"
#include "formats/json.h"
#include "version.h"
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MAX_PART = 16 << 20 };

static void member(struct text *t, const char *key, const char *value)
{
    json_key(t, key);
    json_string(t, value);
}

const char *provenance_commit(void) { return BUILD_COMMIT; }

static void build(struct text *t)
{
    static const char commit[] = BUILD_COMMIT, mark[] = "-dirty";
    const bool dirty = sizeof commit > sizeof mark && strcmp(&commit[sizeof commit - sizeof mark], mark) == 0;
    json_key(t, "bioft");
    json_begin_object(t);
    member(t, "version", BUILD_VERSION);
    member(t, "commit", commit);
    json_key(t, "dirty");
    json_bool(t, dirty);
    member(t, "compiler", BUILD_COMPILER);
    member(t, "build_type", BUILD_TYPE);
    json_end_object(t);
}

/* The value of the first line of /proc/cpuinfo that begins with `key`; empty where there is none. */
static void cpu_line(const char *key, char *ret, size_t size)
{
    uint8_t *bytes;
    size_t length;
    *ret = '\0';
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f)
        return;
    bytes = malloc(1 << 16);
    length = bytes ? fread(bytes, 1, (1 << 16) - 1, f) : 0;
    fclose(f);
    if (bytes) {
        bytes[length] = '\0';
        const char *at = strstr((char *)bytes, key), *colon = at ? strchr(at, ':') : NULL;
        if (colon)
            snprintf(ret, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    free(bytes);
}

static void machine(struct text *t, uint32_t threads)
{
    static const char *const wanted[] = { "avx2", "fma", "avx512f", "avx512bw", "avx512_bf16", "amx_bf16" };
    struct utsname u;
    char model[128], flags[8192];

    cpu_line("model name", model, sizeof model);
    cpu_line("flags", flags, sizeof flags);
    json_key(t, "machine");
    json_begin_object(t);
    member(t, "cpu", model);
    json_key(t, "flags");
    json_begin_array(t);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *at = strstr(flags, wanted[i]);
        const size_t length = strlen(wanted[i]);
        if (at && (at[length] == ' ' || at[length] == '\0'))
            json_string(t, wanted[i]);
    }
    json_end_array(t);
    json_key(t, "cores");
    json_integer(t, sysconf(_SC_NPROCESSORS_ONLN));
    json_key(t, "threads");
    json_integer(t, threads);
    json_key(t, "memory_bytes");
    json_integer(t, (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE));
    member(t, "kernel", uname(&u) == 0 ? u.release : "");
    member(t, "libc", gnu_get_libc_version());
    json_end_object(t);
}

static void plugins(struct text *t, const struct provenance *p)
{
    json_key(t, "plugins");
    json_begin_array(t);
    for (size_t i = 0; i < p->plugin_count; i++) {
        const struct provenance_plugin *q = &p->plugins[i];
        const char *slash = strrchr(q->path, '/');
        char sum[SHA256_HEX] = "";
        sha256_file(q->path, sum, NULL);
        json_begin_object(t);
        member(t, "kind", q->kind);
        member(t, "name", q->name);
        member(t, "version", q->version);
        json_key(t, "abi");
        json_integer(t, q->abi);
        member(t, "file", slash ? slash + 1 : q->path);
        member(t, "sha256", sum);
        json_end_object(t);
    }
    json_end_array(t);
}

static void datasets(struct text *t, const struct provenance *p)
{
    json_key(t, "datasets");
    json_begin_array(t);
    for (size_t i = 0; i < p->dataset_count; i++) {
        const struct provenance_dataset *d = &p->datasets[i];
        json_begin_object(t);
        member(t, "plugin", d->plugin);
        member(t, "root", d->root);
        member(t, "split", d->split);
        json_key(t, "count");
        json_integer(t, (int64_t)d->count);
        json_key(t, "left_out");
        json_integer(t, (int64_t)d->left_out);
        member(t, "fingerprint", d->fingerprint);
        member(t, "sha256", d->content);
        json_end_object(t);
    }
    json_end_array(t);
}

static void weights(struct text *t, const struct provenance *p)
{
    json_key(t, "weights");
    json_begin_array(t);
    for (size_t i = 0; i < p->weights_count; i++) {
        json_begin_object(t);
        member(t, "stage", p->weights[i].stage);
        member(t, "file", p->weights[i].file);
        member(t, "sha256", p->weights[i].sha256);
        json_end_object(t);
    }
    json_end_array(t);
}

static void texts(struct text *t, const char *key, const char *const *items, size_t count)
{
    json_key(t, key);
    json_begin_array(t);
    for (size_t i = 0; i < count; i++)
        json_string(t, items[i]);
    json_end_array(t);
}

void provenance_begin(struct text *t, const struct provenance *p)
{
    json_begin_object(t);
    build(t);
    texts(t, "command", p->argv, p->argc);
    member(t, "manifest_sha256", p->manifest_sha256);
    member(t, "started", p->started);
    member(t, "host", p->host);
    json_key(t, "pid");
    json_integer(t, p->pid);
    machine(t, p->threads);
    json_key(t, "engine");
    json_begin_object(t);
    member(t, "name", p->engine);
    member(t, "identity", p->engine_identity);
    member(t, "why", p->engine_why);
    member(t, "precision", p->precision);
    json_end_object(t);
    json_key(t, "libraries");
    json_begin_object(t);
    for (size_t i = 0; i < p->library_count; i++)
        member(t, p->libraries[i].name, p->libraries[i].version);
    json_end_object(t);
    plugins(t, p);
    datasets(t, p);
    weights(t, p);
    json_key(t, "seed");
    json_integer(t, (int64_t)p->seed);
    texts(t, "notes", p->notes, p->note_count);
    json_key(t, "trials");
    json_begin_array(t);
}

void provenance_trial(struct text *t, const char *id, uint64_t seed, const char *engine)
{
    json_begin_object(t);
    member(t, "trial", id);
    json_key(t, "seed");
    json_integer(t, (int64_t)seed);
    member(t, "engine", engine);
    json_key(t, "did");
    json_begin_array(t);
}

void provenance_trial_end(struct text *t)
{
    json_end_array(t);
    json_end_object(t);
}

void provenance_end(struct text *t, const char *finished)
{
    json_end_array(t);
    member(t, "finished", finished);
    json_end_object(t);
    text_add(t, "\n");
}

bioft_status provenance_join(const char *path, const char *const *parts, size_t count, struct error *err)
{
    struct text t = { 0 };
    bioft_status st = BIOFT_OK;

    for (size_t i = 0; st == BIOFT_OK && i < count; i++) {
        char *bytes = NULL;
        size_t size = 0;
        st = file_read(parts[i], MAX_PART, (uint8_t **)&bytes, &size, err);
        while (st == BIOFT_OK && size > 0 && bytes[size - 1] == '\n')
            bytes[--size] = '\0';
        if (st == BIOFT_OK && (size < 2 || bytes[0] != '{' || bytes[size - 1] != '}'))
            st = error_set(err, BIOFT_ERR_FORMAT, "%s: not an object; remove it", parts[i]);
        if (st == BIOFT_OK && i == 0) {
            text_add_n(&t, bytes, size - 1); /* whoever began, and then everybody */
            json_key(&t, "processes");
            json_begin_array(&t);
        }
        if (st == BIOFT_OK)
            text_printf(&t, "%s\n%s", i ? "," : "", bytes);
        free(bytes);
    }
    json_end_array(&t);
    json_end_object(&t);
    text_add(&t, "\n");
    if (st == BIOFT_OK)
        st = t.failed ? error_memory(err, path) : file_write(path, t.data, t.length, err);
    text_free(&t);
    return st;
}
