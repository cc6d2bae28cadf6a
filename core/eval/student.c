/* Student's distribution by the incomplete beta function (Abramowitz and Stegun, 26.5.8 and 26.7.1). */
#include "eval/student.h"

#include <math.h>

/* The continued fraction of the incomplete beta function (Lentz's way of summing it). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);

    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 10000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
        const double terms[2] = { even, odd };
        double factor = 1.0;
        for (int k = 0; k < 2; k++) {
            d = 1.0 + terms[k] * d;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = 1.0 + terms[k] / c;
            c = fabs(c) < tiny ? tiny : c;
            factor = c * d;
            value *= factor;
        }
        if (fabs(factor - 1.0) < 1e-16)
            break;
    }
    return value;
}

/* The regularised incomplete beta function I_x(a, b). */
static double beta_share(double a, double b, double x)
{
    int sign;
    if (x <= 0.0 || x >= 1.0)
        return x <= 0.0 ? 0.0 : 1.0;
    const double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) +
                             b * log1p(-x));
    return x < (a + 1.0) / (a + b + 2.0) ? front * beta_fraction(a, b, x) / a
                                         : 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double student_below(double t, uint64_t df)
{
    const double tail = 0.5 * beta_share((double)df / 2.0, 0.5, (double)df / ((double)df + t * t));
    return t > 0.0 ? 1.0 - tail : tail;
}

double student_quantile(double p, uint64_t df)
{
    double low = 0.0, high = 1.0;

    if (p < 0.5)
        return -student_quantile(1.0 - p, df);
    while (student_below(high, df) < p && high < 1e15)
        high *= 2.0;
    for (int i = 0; i < 200 && low < high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (middle <= low || middle >= high)
            break;
        *(student_below(middle, df) < p ? &low : &high) = middle;
    }
    return high;
}
