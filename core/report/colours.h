/* Colours and markers of series: they belong to names, so that a rule looks the same in every report. */
#ifndef REPORT_COLOURS_H
#define REPORT_COLOURS_H

#include "report/study.h"

enum { COLOURS = 10, MARKERS = 5 };

/* The colour and marker of names[0] to names[count - 1], all different, of one report. Names that would share a colour get
 * the next free one in alphabetical order; beyond COLOURS names they repeat with another marker. false: out of memory. */
bool colours_choose(const char *const *names, size_t count, unsigned *ret_colours, unsigned *ret_markers);
/* Those of all series of a study, by their names. false: out of memory. */
bool colours_give(struct study *s, struct arena *arena);
/* "#0072b2", on white. */
const char *colours_literal(unsigned colour);

#endif
