/* An epsilon for people: 0.1, 8/255. */
#include "report/epsilon.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHORT = 7 }; /* letters of a decimal that a person wrote: 0.00001 */

const char *epsilon_text(char ret[TEXT_NUMBER], double epsilon, int digits)
{
    const double levels = epsilon * 255.0, whole = nearbyint(2.0 * levels) / 2.0;

    if (strlen(text_number(ret, epsilon)) <= SHORT)
        return ret;
    if (whole > 0.0 && fabs(levels - whole) < 1e-6 * levels)
        snprintf(ret, TEXT_NUMBER, "%g/255", whole);
    else
        snprintf(ret, TEXT_NUMBER, "%.*g", digits, epsilon);
    return ret;
}
