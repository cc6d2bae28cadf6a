/* How large V is: "bioft.scale/1", for rules that write V themselves. */
#ifndef RULES_SCALE_H
#define RULES_SCALE_H

#include <bioft/rule.h>

extern const bioft_scales scale_extension;

#endif
