/* What attacks raise: functions of one image's outputs z, with their derivatives. */
#ifndef ATTACKS_LOSS_H
#define ATTACKS_LOSS_H

#include <bioft/attack.h>

/* y the label, t a class to reach, z(k) the k-th largest output:
 *   ce       log sum_i exp z_i - z_y;                               with the batch's target z_t - log sum_i exp z_i
 *   dlr      (max_{i != y} z_i - z_y) / (z(1) - z(3));              as dlr_t
 *   dlr_t    (z_t - z_y) / (z(1) - (z(3) + z(4)) / 2), of a t that the attack chooses
 *   margin   max_{i != y} z_i - z_y;                                z_t - max_{i != t} z_i
 * dlr and dlr_t: Croce and Hein, ICML 2020, equations 6 and 7; margin: Carlini and Wagner, S&P 2017, f6. Their
 * denominators have 1e-12 added. */
enum { LOSS_CE, LOSS_DLR, LOSS_DLR_TARGETED, LOSS_MARGIN };
extern const char *const loss_names[]; /* "ce", "dlr", "dlr_targeted", "margin", NULL */

/* The least number of classes that a loss is defined for. */
uint32_t loss_classes(int32_t loss, int targeted);
/* targeted: t is the batch's target, y is of no concern but to the ratios. d [classes]: the derivative by z; NULL: not
 * wanted. */
double loss_value(int32_t loss, uint32_t classes, const float *z, int32_t y, int32_t t, int targeted, float *d);

#endif
