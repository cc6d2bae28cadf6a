/* report.html: what was run, what came out, and where it comes from. */
#include "report/page.h"

#include "base/file.h"
#include "report/published.h"
#include "report/tables.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16 << 20 };

/* `name:` of the first folder's resolved manifest, a plain line; else the folder's. */
static void experiment_name(const struct study *s, struct text *t)
{
    static const char key[] = "\nname: ";
    char *path = path_join(s->folders[0], "manifest.yaml"), *found = NULL;
    uint8_t *bytes = NULL;
    size_t size;

    if (path && file_exists(path) && file_read(path, MAX_FILE, &bytes, &size, NULL) == BIOFT_OK)
        found = strstr((char *)bytes, key);
    if (found) {
        found += sizeof key - 1;
        found[strcspn(found, "\n")] = '\0';
        html_escape(t, found);
    } else {
        const char *slash = strrchr(s->folders[0], '/');
        html_escape(t, slash && slash[1] ? slash + 1 : s->folders[0]);
    }
    free(bytes);
    free(path);
}

/* The fewest and the most seeds of a rule. */
struct span {
    size_t least, most;
};

static struct span seeds_of(const struct study *s)
{
    struct span span = { (size_t)-1, 0 };
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->panels[i].count; k++) {
            const size_t n = s->panels[i].series[k].count;
            span.least = n < span.least ? n : span.least;
            span.most = n > span.most ? n : span.most;
        }
    return span;
}

static size_t trials_of(const struct study *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->panels[i].count; k++)
            n += s->panels[i].series[k].count;
    return n;
}

/* How much was run, and how to read its tables. */
static void what_was_run(const struct page *p, struct text *t)
{
    const struct study *s = p->study;
    const struct span seeds = seeds_of(s);
    const size_t trials = trials_of(s);

    text_printf(t, "<p>%zu trial%s", trials, trials == 1 ? "" : "s");
    if (seeds.least < seeds.most)
        text_printf(t, ", %zu to %zu seeds a rule", seeds.least, seeds.most);
    else if (seeds.most)
        text_printf(t, ", %zu seed%s a rule", seeds.most, seeds.most == 1 ? "" : "s");
    text_add(t,
             seeds.most > 1
                 ? ". Numbers are means over seeds, intervals Student's over them at 95%.</p>\n"
                 : ". Intervals are at 95%: Wilson's of a share, a bootstrap's of a mean.</p>\n");
    text_add(t, "<p class=\"soft\">In a column the best is <b>bold</b>, the second "
                "<u>underlined</u>; two equal best are both "
                "underlined, three or more equal ones not at all.</p>\n");
    if (p->panel_count < 2)
        return;
    text_add(t, "<nav>");
    for (size_t i = 0; i < p->panel_count; i++) {
        text_printf(t, "<a href=\"#panel-%zu\">", i + 1);
        html_escape(t, p->panels[i].title);
        text_add(t, "</a> ");
    }
    text_add(t, "<a href=\"#provenance\">Provenance</a></nav>\n");
}

/* Where the published figures are from, and which of them no table shows. */
static void published_part(const struct published *pub, struct text *t)
{
    const char *slash = strrchr(pub->path, '/');
    const size_t unmatched = published_unmatched(pub);

    text_add(t, "<p class=\"soft\"><span class=\"published\">Published</span> figures are as ");
    html_escape(t, slash ? slash + 1 : pub->path);
    text_add(t, " gives them, not measured here: marked among themselves by the same rule, with "
                "Wilson's interval of a share where the number of samples is given. They stand "
                "beside what has their names; how those networks were trained is not known "
                "here.</p>\n");
    if (unmatched == 0)
        return;
    text_printf(t,
                "<p>%zu of its %zu figures stand%s beside nothing, because these runs have no such "
                "figure:</p>\n<ul>\n",
                unmatched, pub->count, unmatched == 1 ? "s" : "");
    for (size_t i = 0; i < pub->count; i++) {
        struct text line = { 0 };
        if (pub->figures[i].shown)
            continue;
        published_describe(&pub->figures[i], &line);
        t->failed = t->failed || line.failed;
        text_add(t, "<li>");
        html_escape(t, line.data);
        text_add(t, "</li>\n");
        text_free(&line);
    }
    text_add(t, "</ul>\n");
}

bioft_status page_build(const struct page *p, struct text *t, struct error *err)
{
    bioft_status st = BIOFT_OK;

    text_add(t,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    experiment_name(p->study, t);
    text_printf(t, " &mdash; bioft</title>\n<style>\n%s%s</style></head>\n<body><main>\n<h1>",
                page_style(), chart_style());
    experiment_name(p->study, t);
    text_add(t, "</h1>\n");
    what_was_run(p, t);
    for (size_t i = 0; i < p->clean_count; i++)
        table_html(&p->clean[i], t);
    if (p->study->published)
        published_part(p->study->published, t);
    for (size_t i = 0; st == BIOFT_OK && i < p->panel_count; i++)
        st = page_panel_section(p, i, t, err);
    text_add(t, "<section><h2 id=\"provenance\">Provenance</h2>\n");
    for (size_t i = 0; st == BIOFT_OK && i < p->study->folder_count; i++)
        st = page_provenance(p->study->folders[i], t, err);
    text_add(t, "</section>\n</main></body></html>\n");
    if (st == BIOFT_OK && t->failed)
        st = error_memory(err, "report.html");
    return st;
}
