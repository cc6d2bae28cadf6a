/* An epsilon for people. */
#ifndef REPORT_EPSILON_H
#define REPORT_EPSILON_H

#include "base/text.h"

/* As a manifest has it: the decimal where that is short, a fraction of 255 ("8/255") where it is one; else so many
 * digits (text_digits). Returns ret. */
const char *epsilon_text(char ret[TEXT_NUMBER], double epsilon, int digits);

#endif
