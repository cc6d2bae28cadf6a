/* The section of one panel in report.html. */
#include "report/page.h"

#include "base/file.h"
#include "report/tables.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_IMAGE = 16 << 20 };

/* Links to those files of a chart that there are. */
static bool chart_files(const struct page *page, const struct chart *c, struct text *t)
{
    static const char *const suffixes[] = { "svg", "pdf", "png", "dat", "gp" };
    const char *there[sizeof suffixes / sizeof *suffixes + 1];
    size_t n = 0;
    bool failed = false;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct text path = { 0 };
        text_printf(&path, "%s/plots/%s.%s", page->folder, c->name, suffixes[i]);
        failed = failed || path.failed;
        if (!path.failed && file_exists(path.data))
            there[n++] = suffixes[i];
        text_free(&path);
    }
    there[n] = NULL;
    html_files("plots", c->name, there, t);
    return !failed;
}

static void charts(const struct page *page, const struct chart *c, size_t count, struct text *t)
{
    text_add(t, "<div class=\"charts\">\n");
    for (size_t i = 0; i < count; i++) {
        text_add(t, "<figure><figcaption><b>");
        html_escape(t, c[i].title);
        text_add(t, "</b>");
        if (c[i].note && *c[i].note) {
            text_add(t, " ");
            html_escape(t, c[i].note);
        }
        text_add(t, "</figcaption><div class=\"scroll\">");
        chart_svg(&c[i], false, t);
        text_add(t, "</div>");
        t->failed = !chart_files(page, &c[i], t) || t->failed;
        text_add(t, "</figure>\n");
    }
    text_add(t, "</div>\n");
}

/* A rule's comparisons with the baseline; those under its own gradient apart. */
struct tally {
    size_t all, above, below, untested, own;
};

static struct tally tally(const struct page_panel *p, const struct series *s)
{
    struct tally ret = { 0 };

    for (size_t i = 0; i < p->finding_count; i++) {
        const struct finding *f = &p->findings[i];
        if (f->series != s)
            continue;
        if (finding_follows_rule(f)) {
            ret.own++;
            continue;
        }
        ret.all++;
        ret.untested += f->over_seeds && f->found.n < COMPARE_SEEDS;
        ret.above += f->significant && f->found.difference > 0.0;
        ret.below += f->significant && f->found.difference < 0.0;
    }
    return ret;
}

void page_headline(const struct page_panel *p, struct text *t)
{
    text_add(t, "<p class=\"finding\">");
    html_escape(t, p->headline.text);
    text_add(t, "</p>\n<div class=\"lead\">\n");
    table_html(&p->headline.table, t);
    text_add(t, "</div>\n");
}

/* How the rules were compared, and how often it was enough. */
static void verdicts(const struct page_panel *p, struct text *t)
{
    bool over_seeds = false, over_samples = false, few = false;

    if (!p->panel->baseline) {
        text_add(t, "<p>No rule is compared with another here: the baseline is not among them. The manifest's "
                    "<code>baseline</code> or <code>bioft report --baseline RULE</code> names another.</p>\n");
        return;
    }
    if (p->finding_count == 0)
        return;
    for (size_t i = 0; i < p->finding_count; i++) {
        const struct finding *f = &p->findings[i];
        over_seeds = over_seeds || f->over_seeds;
        over_samples = over_samples || !f->over_seeds;
        few = few || (f->over_seeds && f->found.n < COMPARE_SEEDS);
    }
    text_add(t, "<p>Each rule is compared with <b>");
    html_escape(t, p->panel->baseline->name);
    text_add(t, "</b>, ");
    if (over_samples)
        text_add(t, "on the same images: McNemar's exact test where right answers are counted, a "
                    "permutation test elsewhere. That speaks of these networks; another seed gives others. ");
    if (over_seeds)
        text_add(t, "between trials of the same seed: the mean difference with Student's interval, "
                    "and each image's mean over the seeds: the larger p and the wider interval count. ");
    text_add(t, "p is after Holm's correction over all comparisons of a metric in this section, "
                "at a level of 5%.</p>\n");
    if (few)
        text_printf(t,
                    "<p>With fewer than %d seeds the intervals are printed, and nothing is called "
                    "significant.</p>\n",
                    (int)COMPARE_SEEDS);
    text_add(t, "<ul>\n");
    for (size_t s = 0; s < p->panel->count; s++) {
        const struct tally c = tally(p, &p->panel->series[s]);
        if (c.all + c.own == 0)
            continue;
        text_add(t, "<li>");
        html_escape(t, p->panel->series[s].name);
        if (c.untested == c.all)
            text_printf(t, ": %zu comparisons, none tested", c.all);
        else
            text_printf(t, ": of %zu comparisons %zu significantly above, %zu below", c.all, c.above, c.below);
        if (c.untested && c.untested < c.all)
            text_printf(t, ", %zu not tested", c.untested);
        if (c.own)
            text_printf(t,
                        "; %zu more under the rule's own gradient, where a higher value is not evidence of robustness",
                        c.own);
        text_add(t, ".</li>\n");
    }
    text_add(t, "</ul>\n");
}

static const struct {
    const char *word, *meaning;
} warnings[] = {
    { "masking", "under the rule's own gradient clearly more is left than under the exact one: that "
                 "gradient hides, the network "
                 "is not robust (marked *)" },
    { "attack-too-weak", "at this epsilon every image can become the same grey one, so no network "
                         "can keep more than the "
                         "largest class's share: the attack failed (marked !)" },
    { "gradients-undecided", "the gap between the two gradients is neither large enough to be called masking nor small "
                             "enough to exclude it: more images would decide" },
    { "exact-weaker-than-rule", "the exact gradient leaves more than the rule's own, which it should not" },
    { "rises-with-epsilon", "more is left than at a smaller epsilon of the same attack" },
    { "budget-unused", "more than half of the images use less than half of epsilon" },
    { "vanished-gradient", "images survive whose gradients were zero or not finite, enough of them to move the figure: "
                           "not robustness, an attack that did nothing; try rescale_logits: true" },
    { "small-n", "fewer than 100 samples: read the interval, not the number" },
};

static size_t warned(const struct series *s, const char *word)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->trials[i].results->count; k++) {
            const struct figure *f = &s->trials[i].results->figures[k];
            n += !strchr(f->metric, '/') && strstr(f->warnings, word) != NULL;
        }
    return n;
}

static void warning_list(const struct panel *p, size_t number, struct text *t)
{
    bool any = false;

    for (size_t w = 0; w < sizeof warnings / sizeof *warnings; w++) {
        bool begun = false;
        for (size_t s = 0; s < p->count; s++) {
            const size_t n = warned(&p->series[s], warnings[w].word);
            if (n == 0)
                continue;
            if (!any)
                page_heading(t, 3, "warnings", number, "Warnings");
            text_add(t, any ? "" : "<ul>\n");
            any = true;
            if (!begun)
                text_printf(t, "<li><b>%s</b>: %s. ", warnings[w].word, warnings[w].meaning);
            text_add(t, begun ? ", " : "");
            html_escape(t, p->series[s].name);
            text_printf(t, " (%zu)", n);
            begun = true;
        }
        text_add(t, begun ? "</li>\n" : "");
    }
    text_add(t, any ? "</ul>\n" : "");
}

/* "Shirt &rarr; Bag, 97%" below each image. */
static void answers(const struct strip *s, struct text *t)
{
    if (s->answer_count == 0)
        return;
    text_add(t, "<div class=\"answers\">");
    for (size_t i = 0; i < s->answer_count; i++) {
        const struct answer *a = &s->answers[i];
        text_printf(t, "<span%s>", a->right ? " class=\"kept\"" : "");
        html_escape(t, a->label);
        text_add(t, " &rarr; ");
        html_escape(t, a->answer);
        if (isfinite(a->confidence))
            text_printf(t, " %.0f%%", 100.0 * a->confidence);
        text_add(t, "</span>");
    }
    text_add(t, "</div>");
}

static bioft_status strip(const struct page *page, const struct strip *s, struct text *t, struct error *err)
{
    struct text path = { 0 };
    uint8_t *bytes = NULL;
    size_t size;

    text_printf(&path, "%s/plots/%s", page->folder, s->file);
    bioft_status st = path.failed ? error_memory(err, "a path") : file_read(path.data, MAX_IMAGE, &bytes, &size, err);
    if (st == BIOFT_OK) {
        text_add(t, "<figure class=\"strip\" data-rule=\"");
        html_escape(t, s->rule);
        text_printf(t,
                    "\"><img width=\"%u\" height=\"%u\" alt=\"clean, "
                    "attacked, difference\" "
                    "src=\"data:image/png;base64,",
                    s->width, s->height);
        text_add_base64(t, bytes, size);
        text_add(t, "\">");
        answers(s, t);
        text_add(t, "<figcaption>");
        html_escape(t, s->title);
        text_add(t, "</figcaption></figure>\n");
    }
    free(bytes);
    text_free(&path);
    return st;
}

static bioft_status strips(const struct page *page, const struct page_panel *p, size_t number, struct text *t,
                           struct error *err)
{
    bioft_status st = BIOFT_OK;

    if (p->strip_count == 0)
        return st;
    page_heading(t, 3, "images", number, "Adversarial images");
    text_add(
        t, "<p class=\"soft\">Clean above, attacked in the "
           "middle, below their difference "
           "around middle grey: black is &minus;epsilon, white +epsilon. Below: the label, the answer to the attacked "
           "image and its share of the softmax.</p>\n<div "
           "class=\"charts\">\n");
    for (size_t i = 0; st == BIOFT_OK && i < p->strip_count; i++)
        st = strip(page, &p->strips[i], t, err);
    text_add(t, "</div>\n");
    return st;
}

static void tables(const struct table *list, size_t count, struct text *t)
{
    for (size_t i = 0; i < count; i++)
        table_html(&list[i], t);
}

static void robustness(const struct page *page, const struct page_panel *p, size_t number, struct text *t)
{
    bool both = false, zero = false;

    for (size_t i = 0; i < p->panel->grid_count; i++)
        zero = zero || (p->panel->grids[i].count && p->panel->grids[i].epsilon[0] == 0.0);
    for (size_t i = 0; i < p->panel->grid_count; i++)
        both = both || (p->panel->grids[i].rule && p->panel->grids[i].exact);
    if (p->attack_count == 0)
        return;
    page_heading(t, 3, "attacks", number, "Under attack");
    if (both)
        text_add(t, "<p class=\"soft\">The gradient an attack follows is the exact one (solid) or "
                    "the rule's own (dashed). "
                    "Only what withstands the exact one can be robust; where the two part, the rule "
                    "hides its gradient.</p>\n");
    if (zero)
        text_add(t, "<p class=\"soft\">Epsilon 0 is the network without attack on the attacked images alone; the clean "
                    "figures are of the whole split.</p>\n");
    if (p->plots.robustness_count)
        charts(page, p->plots.robustness, p->plots.robustness_count, t);
    text_add(t, "<div class=\"tables\">\n");
    tables(p->attacks, p->attack_count, t);
    text_add(t, "</div>\n");
}

bioft_status page_panel_section(const struct page *page, size_t number, struct text *t, struct error *err)
{
    const struct page_panel *p = &page->panels[number];

    struct text title = { 0 };

    text_printf(&title, "Figures: %s", p->title);
    t->failed = t->failed || title.failed;
    text_add(t, "<section>");
    page_heading(t, 2, "panel", number + 1, title.data);
    text_free(&title);
    text_add(t, "<p class=\"soft\">Protocol ");
    html_escape(t, p->panel->protocol);
    text_add(t, ", split ");
    html_escape(t, p->panel->split);
    text_add(t, ", after stage ");
    html_escape(t, p->panel->stage);
    text_add(t, "; engine ");
    html_escape(t, p->panel->engine);
    text_add(t, ", ");
    html_escape(t, p->panel->precision);
    if (*p->recipe) {
        text_add(t, ". Training: ");
        html_escape(t, p->recipe);
    }
    text_add(t, ".</p>\n");
    if (p->verdict) {
        text_add(t, "<details><summary>The verdict at each epsilon</summary>\n");
        table_html(p->verdict, t);
        text_add(t, "</details>\n");
    }
    robustness(page, p, number + 1, t);
    if (p->transfer_count)
        page_heading(t, 3, "transfer", number + 1, "Transfer");
    tables(p->transfers, p->transfer_count, t);
    page_heading(t, 3, "baseline", number + 1, "Against the baseline");
    verdicts(p, t);
    tables(p->gaps, p->gap_count, t);
    if (p->comparisons) {
        text_add(t, "<details><summary>All comparisons</summary>\n");
        table_html(p->comparisons, t);
        text_add(t, "</details>\n");
    }
    warning_list(p->panel, number + 1, t);
    bioft_status st = strips(page, p, number + 1, t, err);
    if (st == BIOFT_OK)
        st = page_classes(p->panel, number + 1, t, err);
    if (st == BIOFT_OK && p->plots.training_count) {
        page_heading(t, 3, "training", number + 1, "Training");
        text_add(t, "<p class=\"soft\">The first seed of each rule. The angle "
                    "is between the error that a "
                    "rule sends back and backpropagation's: 90 degrees means unrelated.</p>\n");
        charts(page, p->plots.training, p->plots.training_count, t);
        if (p->plots.durations.rows > 1)
            table_html(&p->plots.durations, t);
    }
    text_add(t, "</section>\n");
    return st;
}
