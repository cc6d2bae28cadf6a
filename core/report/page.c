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
    text_add(t, seeds.most > 1 ? ". Numbers are means over seeds, intervals Student's over them at 95%.</p>\n"
                               : ". Intervals are at 95%: Wilson's of a share, a bootstrap's of a mean.</p>\n");
    text_add(t, "<p class=\"soft\">In a column the best is <b>bold</b>, the second "
                "<u>underlined</u>; two equal best are both "
                "underlined, three or more equal ones not at all.</p>\n");
}

void page_heading(struct text *t, int level, const char *id, size_t number, const char *title)
{
    text_printf(t, "<h%d id=\"%s", level, id);
    if (number)
        text_printf(t, "-%zu", number);
    text_add(t, "\">");
    html_escape(t, title);
    text_printf(t, "</h%d>\n", level);
}

/* The list of contents, from the headings of what was written. */
static void contents(const char *body, struct text *t)
{
    text_add(t, "<nav class=\"contents\" aria-label=\"contents\"><ul>\n");
    for (const char *s = body; s && (s = strstr(s, "<h")) != NULL; s += 2) {
        const bool sub = strncmp(s, "<h3 id=\"", 8) == 0;
        if (!sub && strncmp(s, "<h2 id=\"", 8) != 0)
            continue;
        const char *id = s + 8, *end = strchr(id, '"'), *close = end ? strstr(end, "</h") : NULL;
        if (!close)
            break;
        text_printf(t, "<li%s><a href=\"#%.*s\">%.*s</a></li>\n", sub ? " class=\"sub\"" : "", (int)(end - id), id,
                    (int)(close - end - 2), end + 2);
    }
    text_add(t, "</ul></nav>\n");
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

static bioft_status build_body(const struct page *p, struct text *t, struct error *err)
{
    bioft_status st = BIOFT_OK;

    text_add(t, "<h1>");
    experiment_name(p->study, t);
    text_add(t, "</h1>\n");
    for (size_t i = 0; i < p->panel_count; i++) {
        page_heading(t, 2, "finding", i + 1, p->panels[i].title);
        page_headline(&p->panels[i], t);
    }
    if (p->differences.rows) {
        page_heading(t, 2, "differences", 0, "What differs between the runs");
        table_html(&p->differences, t);
    }
    page_heading(t, 2, "clean", 0, "Without attack");
    what_was_run(p, t);
    for (size_t i = 0; i < p->clean_count; i++)
        table_html(&p->clean[i], t);
    if (p->study->published)
        published_part(p->study->published, t);
    for (size_t i = 0; st == BIOFT_OK && i < p->panel_count; i++)
        st = page_panel_section(p, i, t, err);
    text_add(t, "<section>");
    page_heading(t, 2, "provenance", 0, "Provenance");
    for (size_t i = 0; st == BIOFT_OK && i < p->study->folder_count; i++)
        st = page_provenance(p->study->folders[i], t, err);
    text_add(t, "</section>\n");
    return st;
}

bioft_status page_build(const struct page *p, struct text *t, struct error *err)
{
    struct text body = { 0 };
    bioft_status st = build_body(p, &body, err);

    text_add(t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    experiment_name(p->study, t);
    text_printf(t, " &mdash; bioft</title>\n<style>\n%s</style></head>\n<body>\n", page_file("report.css"));
    contents(body.data, t);
    text_add(t, "<main>\n");
    text_add(t, body.data ? body.data : "");
    text_printf(t, "</main>\n<script>\n%s</script>\n</body></html>\n", page_file("report.js"));
    if (st == BIOFT_OK && (t->failed || body.failed))
        st = error_memory(err, "report.html");
    text_free(&body);
    return st;
}
