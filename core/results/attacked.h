/* What attacks did, as columns: of an image in a predictions file, of a figure in results.csv. */
#ifndef RESULTS_ATTACKED_H
#define RESULTS_ATTACKED_H

#include "base/memory.h"
#include "base/text.h"
#include "eval/figure.h"

enum { RECORD_COLUMNS = 12, INDICATOR_COLUMNS = 15 };

void record_header(struct text *t);
void record_add(struct text *t, const struct attack_record *r);
/* s: RECORD_COLUMNS fields; strings stay where they are. false: one of them is no number. */
bool record_read(char *const *s, struct attack_record *ret);

void indicators_header(struct text *t);
void indicators_add(struct text *t, const struct figure *f);
/* Do the indicators begin at this field of a header? */
bool indicators_begin(char *const *header);
/* Of a file that has none. */
struct indicators indicators_none(void);
bool indicators_read(char *const *s, struct indicators *ret);

#endif
