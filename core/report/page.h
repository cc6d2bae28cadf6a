/* report.html: one page that needs nothing else. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/findings.h"
#include "report/headline.h"
#include "report/images.h"
#include "report/plots.h"
#include "report/table.h"
#include "report/verdict.h"

/* All that stands in the part of one panel. */
struct page_panel {
    const struct panel *panel;
    const char *title, *recipe; /* recipe: of the training, "" where it is not known */
    struct headline headline;
    const struct table *attacks, *gaps; /* tables: one a grid, one a metric */
    size_t attack_count, gap_count;
    const struct table *transfers; /* a matrix for each attack with images of other networks */
    size_t transfer_count;
    const struct table *comparisons; /* NULL: none */
    const struct finding *findings;
    size_t finding_count;
    const struct verdict *verdicts;
    size_t verdict_count;
    const struct table *verdict; /* NULL: none */
    struct plots plots;
    struct strip *strips; /* their files in `folder`/plots */
    size_t strip_count;
};
struct page {
    const struct study *study;
    const char *folder;
    const struct table *clean; /* one a metric */
    size_t clean_count;
    struct table differences; /* of several runs; rows 0: none */
    const struct page_panel *panels;
    size_t panel_count;
};
bioft_status page_build(const struct page *p, struct text *ret, struct error *err);

/* Its parts: the section of a panel; of each class, from the predictions; where results come from.
 */
bioft_status page_panel_section(const struct page *p, size_t number, struct text *ret, struct error *err);
bioft_status page_classes(const struct panel *p, size_t number, struct text *ret, struct error *err);
bioft_status page_provenance(const char *folder, struct text *ret, struct error *err);
/* report.css or report.js. */
const char *page_file(const char *name);
/* The sentences and the table on top of a task. */
void page_headline(const struct page_panel *p, struct text *ret);
/* A heading that the list of contents has; level 2 or 3, id a word, then the panel's number from 1, 0: none. */
void page_heading(struct text *t, int level, const char *id, size_t number, const char *title);

#endif
