/* `bioft plugin test FILE`: the conformance run of every plugin in a file, and what it found. */
#include "cli/plugin_test.h"

#include "cli/console.h"
#include "cli/plugin_child.h"
#include "cli/print.h"
#include "plugin/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    size_t passed, skipped, failed;
};

static void print_findings(const char *file, const char *who, const char *test, const struct test_result *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct conform_finding *f = &r->findings[i];
        print("%s: %s: %s: %s: %s\n", file, who, test, f->called, f->came_back);
        if (f->line)
            print("  bioft/%s:%u: %s\n", f->header, f->line, f->says);
    }
}

static void add_result(struct text *t, const struct conform_test *test, const struct test_result *r)
{
    json_begin_object(t);
    json_key(t, "test");
    json_string(t, test->name);
    json_key(t, "what");
    json_string(t, test->what);
    json_key(t, "result");
    json_string(t, r->count ? "failed" : r->skipped ? "skipped" : "passed");
    json_key(t, "reason");
    json_string(t, r->skipped);
    json_key(t, "findings");
    json_begin_array(t);
    for (size_t i = 0; i < r->count; i++) {
        const struct conform_finding *f = &r->findings[i];
        json_begin_object(t);
        json_key(t, "called");
        json_string(t, f->called);
        json_key(t, "came_back");
        json_string(t, f->came_back);
        json_key(t, "contract");
        json_string(t, f->says);
        json_key(t, "header");
        json_string(t, f->header);
        json_key(t, "line");
        json_integer(t, f->line);
        json_end_object(t);
    }
    json_end_array(t);
    json_end_object(t);
}

static void count(struct tally *n, const struct test_result *r)
{
    if (r->count)
        n->failed++;
    else if (r->skipped)
        n->skipped++;
    else
        n->passed++;
}

static void print_result(const struct test_command *t, const char *who, const struct conform_test *test,
                         const struct test_result *r)
{
    if (r->count)
        print_findings(t->file, who, test->name, r);
    else
        print("%s: %s: %s: %s%s%s\n", t->file, who, test->name, r->skipped ? "skipped" : "passed",
              r->skipped ? ": " : "", r->skipped ? r->skipped : "");
    fflush(stdout);
}

/* All tests of one plugin. Returns false where a test could not be run at all. */
static bool test_one(const struct test_command *t, struct conform_request *q, uint32_t kind, const char *name,
                     struct arena *arena, struct text *json, struct tally *n, struct error *err)
{
    const char *who = arena_printf(arena, "%s '%s'", kind_word(kind), name);
    json_begin_object(json);
    json_key(json, "kind");
    json_string(json, kind_word(kind));
    json_key(json, "name");
    json_string(json, name);
    json_key(json, "tests");
    json_begin_array(json);
    for (size_t i = 0; i < conform_count(kind); i++) {
        const struct conform_test *test = conform_test(kind, i);
        struct test_result r = { 0 };
        if (t->test && strcmp(t->test, test->name) != 0)
            continue;
        q->test = test->name;
        if ((t->here ? test_here : test_in_child)(q, arena, &r, err) != BIOFT_OK)
            return false;
        count(n, &r);
        if (!t->json)
            print_result(t, who, test, &r);
        add_result(json, test, &r);
        free(r.findings);
    }
    json_end_array(json);
    json_end_object(json);
    return true;
}

/* A file that cannot be opened at all: each reason is a finding of the descriptor. */
static void refused(const struct test_command *t, const char *fault, struct text *json, struct tally *n)
{
    if (!t->json)
        print("%s\n  bioft/plugin.h:%u: a plugin's description of itself\n", fault,
              conform_line("plugin.h", "bioft_plugin"));
    json_begin_object(json);
    json_key(json, "fault");
    json_string(json, fault);
    json_end_object(json);
    n->failed++;
}

static bool knows_test(const char *name)
{
    for (uint32_t kind = 1; kind <= PLUGIN_KINDS; kind++)
        for (size_t i = 0; i < conform_count(kind); i++)
            if (strcmp(conform_test(kind, i)->name, name) == 0)
                return true;
    return false;
}

int plugin_test(const struct test_command *t, struct console *console)
{
    struct arena *arena = arena_create();
    char *path = realpath(t->file, NULL), *root = t->root ? realpath(t->root, NULL) : NULL;
    struct description d = { 0 };
    struct text json = { 0 };
    struct tally n = { 0 };
    struct error err = { 0 };
    int status = 2;

    if (!arena)
        error_memory(&err, "a test");
    else if (!path)
        error_set(&err, BIOFT_ERR_IO, "%s: no such file", t->file);
    else if (t->root && !root)
        error_set(&err, BIOFT_ERR_IO, "--root %s: no such folder", t->root);
    else if (t->test && !knows_test(t->test))
        error_set(&err, BIOFT_ERR_INVALID, "--test %s: unknown test", t->test);
    else if (describe_file(path, 0, arena, &d, &err) == BIOFT_OK)
        status = 0;
    struct conform_request q = {
        .path = path,
        .seed = arena ? arena_printf(arena, "%u", t->seed) : NULL,
        .root = root,
        .places = t->places,
        .place_count = t->place_count,
        .sets = t->sets,
        .set_count = t->set_count,
        .patience = t->patience,
    };
    json_begin_array(&json);
    if (status == 0 && d.fault)
        refused(t, d.fault, &json, &n);
    for (size_t i = 0; status == 0 && d.plugins && i < d.plugins->count; i++) {
        const struct json *p = json_get(d.plugins->items[i], "plugin");
        q.index = i;
        if (!test_one(t, &q, kind_by_word(json_get(p, "kind")->text), json_get(p, "name")->text, arena, &json, &n,
                      &err))
            status = 1;
    }
    json_end_array(&json);
    if (status != 0)
        console_error(console, err.text);
    else if (t->json)
        print("%s\n", json.data ? json.data : "[]");
    else
        print("%zu passed, %zu failed, %zu skipped\n", n.passed, n.failed, n.skipped);
    text_free(&json);
    free(path);
    free(root);
    arena_destroy(arena);
    return status ? status : n.failed ? 1 : 0;
}
