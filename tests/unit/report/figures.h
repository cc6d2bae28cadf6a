/* A figure of accuracy without its values, for the report's tests: clean, or under the attack `push`. */
#ifndef TEST_REPORT_FIGURES_H
#define TEST_REPORT_FIGURES_H

#include "eval/figure.h"

/* gradient NULL: clean. */
static inline struct figure blank_figure(const char *rule, const char *gradient, double epsilon)
{
    return (struct figure){ .dataset = "d",
                            .protocol = "classification/1",
                            .rule = rule,
                            .stage = "fine",
                            .split = "test",
                            .metric = METRIC_ACCURACY,
                            .attack = gradient ? "push" : "",
                            .options = "",
                            .gradient = gradient ? gradient : "",
                            .norm = gradient ? "linf" : "",
                            .attacked = gradient != NULL,
                            .epsilon = epsilon,
                            .warnings = "" };
}

#endif
