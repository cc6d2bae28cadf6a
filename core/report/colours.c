/* The palette, and who gets which colour of it. */
#include "report/colours.h"

#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Told apart by people with the common kinds of colour blindness, with the markers. report.css has them for dark paper. */
static const char *const palette[COLOURS] = { "#0072b2", "#d55e00", "#009e73", "#b5558f", "#3b4252",
                                              "#5b4fc9", "#8a5a44", "#a07800", "#c2253a", "#2a8a9d" };

const char *colours_literal(unsigned colour) { return palette[colour % COLOURS]; }

/* FNV-1a; it begins where ten names that occur often get ten colours. */
static uint32_t hash(const char *s)
{
    uint32_t h = 2167407460u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h ^ h >> 15;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

bool colours_choose(const char *const *names, size_t count, unsigned *ret_colours, unsigned *ret_markers)
{
    const char *const **order = mem_array(count, sizeof *order);
    size_t taken[COLOURS] = { 0 };

    if (!order)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = &names[i];
    qsort(order, count, sizeof *order, by_name);
    for (size_t i = 0; i < count; i++) {
        const size_t round = i / COLOURS, at = (size_t)(order[i] - names);
        unsigned colour = hash(names[at]) % COLOURS;
        while (taken[colour] > round)
            colour = (colour + 1) % COLOURS;
        taken[colour]++;
        ret_colours[at] = colour;
        ret_markers[at] = (unsigned)((colour + round) % MARKERS);
    }
    free(order);
    return true;
}

bool colours_give(struct study *s, struct arena *arena)
{
    size_t count;
    const char **names = study_names(s, &count, arena);
    unsigned *colours = arena_array(arena, count, sizeof *colours),
             *markers = arena_array(arena, count, sizeof *markers);

    if (!names || !colours || !markers || !colours_choose(names, count, colours, markers))
        return false;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->panels[i].count; k++)
            for (size_t n = 0; n < count; n++)
                if (strcmp(names[n], s->panels[i].series[k].name) == 0) {
                    s->panels[i].series[k].colour = colours[n];
                    s->panels[i].series[k].marker = markers[n];
                }
    return true;
}
