/* Balls around an image, cut with [0,1]. */
#include "ball.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ball_norms[] = { "linf", "l2", "l1", NULL };
const char *const ball_norms_smooth[] = { "linf", "l2", NULL };

static float into_range(float v) { return v < 0.0f ? 0.0f : v > 1.0f ? 1.0f : v; }

double ball_distance(uint32_t norm, size_t pixels, const float *a, const float *b)
{
    double largest = 0.0, sum = 0.0, squares = 0.0;

    for (size_t k = 0; k < pixels; k++) {
        const double d = fabs((double)a[k] - (double)b[k]);
        largest = d > largest ? d : largest;
        sum += d;
        squares += d * d;
    }
    return norm == BIOFT_LINF ? largest : norm == BIOFT_L2 ? sqrt(squares) : sum;
}

double ball_length(uint32_t norm, size_t pixels, const float *a)
{
    double largest = 0.0, sum = 0.0, squares = 0.0;

    for (size_t k = 0; k < pixels; k++) {
        const double d = fabs((double)a[k]);
        largest = d > largest ? d : largest;
        sum += d;
        squares += d * d;
    }
    return norm == BIOFT_LINF ? largest : norm == BIOFT_L2 ? sqrt(squares) : sum;
}

static void project_linf(size_t pixels, const float *clean, float epsilon, float *x)
{
    for (size_t k = 0; k < pixels; k++) {
        const float low = clean[k] - epsilon, high = clean[k] + epsilon;
        float v = x[k] < low ? low : x[k];
        v = v > high ? high : v;
        x[k] = into_range(v);
    }
}

/* What rounding to float32 left outside is drawn in: every value towards the clean one. */
static void draw_in(uint32_t norm, size_t pixels, const float *clean, double epsilon, float *x)
{
    for (int t = 0; t < 8; t++) {
        const double distance = ball_distance(norm, pixels, x, clean);
        if (distance <= epsilon)
            return;
        const double scale = epsilon / distance * (1.0 - 1e-7 * (1 << t));
        for (size_t k = 0; k < pixels; k++)
            x[k] = into_range((float)((double)clean[k] + scale * ((double)x[k] - (double)clean[k])));
    }
}

static void project_l2(size_t pixels, const float *clean, double epsilon, float *x)
{
    const double distance = ball_distance(BIOFT_L2, pixels, x, clean);
    const double scale = distance > epsilon ? epsilon / distance : 1.0;

    for (size_t k = 0; k < pixels; k++)
        x[k] = into_range(scale < 1.0 ? (float)((double)clean[k] + scale * ((double)x[k] - (double)clean[k])) : x[k]);
    draw_in(BIOFT_L2, pixels, clean, epsilon, x);
}

/* How long a step x - clean stays where every value is made smaller by `less` and is then cut by [0,1]. */
static double length_less(size_t pixels, const float *clean, const float *x, double less)
{
    double sum = 0.0;

    for (size_t k = 0; k < pixels; k++) {
        const double d = (double)x[k] - (double)clean[k], room = d > 0.0 ? 1.0 - (double)clean[k] : (double)clean[k];
        double v = fabs(d) - less;
        v = v < 0.0 ? 0.0 : v;
        sum += v < room ? v : room;
    }
    return sum;
}

static void project_l1(size_t pixels, const float *clean, double epsilon, float *x)
{
    double low = 0.0, high = ball_distance(BIOFT_LINF, pixels, x, clean);

    if (length_less(pixels, clean, x, 0.0) <= epsilon)
        high = 0.0;
    for (int t = 0; t < 52 && low < high; t++) {
        const double middle = 0.5 * (low + high);
        if (length_less(pixels, clean, x, middle) > epsilon)
            low = middle;
        else
            high = middle;
    }
    for (size_t k = 0; k < pixels; k++) {
        const double d = (double)x[k] - (double)clean[k], less = fabs(d) - high;
        x[k] = less <= 0.0 ? clean[k] : into_range((float)((double)clean[k] + (d > 0.0 ? less : -less)));
    }
    draw_in(BIOFT_L1, pixels, clean, epsilon, x);
}

void ball_project(uint32_t norm, size_t pixels, const float *clean, double epsilon, float *x)
{
    if (norm == BIOFT_LINF)
        project_linf(pixels, clean, (float)epsilon, x);
    else if (norm == BIOFT_L2)
        project_l2(pixels, clean, epsilon, x);
    else
        project_l1(pixels, clean, epsilon, x);
}

bioft_status ball_random(const bioft_host *host, const struct ball *b, const char *stream, uint64_t sample,
                         uint64_t first, float *ret)
{
    const uint32_t kind = b->norm == BIOFT_LINF ? BIOFT_UNIFORM : BIOFT_NORMAL;
    bioft_status st = host->random(host, kind, stream, sample, first, ret, b->pixels);

    if (st != BIOFT_OK)
        return st;
    for (size_t k = 0; b->norm == BIOFT_LINF && k < b->pixels; k++)
        ret[k] = 2.0f * ret[k] - 1.0f;
    const double scale = b->norm == BIOFT_L1 ? 1.0 : b->epsilon / (ball_length(b->norm, b->pixels, ret) + 1e-12);
    for (size_t k = 0; k < b->pixels; k++)
        ret[k] = (float)((double)b->clean[k] + scale * (double)ret[k]);
    ball_project(b->norm, b->pixels, b->clean, b->epsilon, ret);
    return BIOFT_OK;
}

static double room_of(float x, float step) { return step < 0.0f ? (double)x : 1.0 - (double)x; }

/* For Linf and L2 the step is that of a number s >= 0: min(s, room) or min(s |w|, room) in each value, and what it gains,
 * the sum of |w| times that, is concave in s: Newton's method from 0 never oversteps and ends at a corner. */
static void plane_smooth(uint32_t norm, size_t pixels, const float *x, const float *w, double c, float *ret_d)
{
    const float sign = c > 0.0 ? -1.0f : 1.0f;
    const double wanted = fabs(c);
    double s = 0.0;

    for (int t = 0; t < 200; t++) {
        double gained = 0.0, slope = 0.0;
        for (size_t k = 0; k < pixels; k++) {
            const double a = fabs((double)w[k]), room = room_of(x[k], sign * w[k]),
                         step = norm == BIOFT_LINF ? s : s * a;
            if (a == 0.0)
                continue;
            gained += a * (step < room ? step : room);
            slope += step < room ? (norm == BIOFT_LINF ? a : a * a) : 0.0;
        }
        if (gained >= wanted || slope <= 0.0)
            break;
        const double next = s + (wanted - gained) / slope;
        if (!(next > s))
            break;
        s = next;
    }
    for (size_t k = 0; k < pixels; k++) {
        const double a = fabs((double)w[k]), room = room_of(x[k], sign * w[k]), step = norm == BIOFT_LINF ? s : s * a;
        const double d = a == 0.0 ? 0.0 : step < room ? step : room;
        ret_d[k] = (float)(sign * w[k] < 0.0f ? -d : d);
    }
}

/* Down from `root` the entry with the smaller |w|, of equal ones the later, lies above. */
static void sift(const float *w, uint32_t *heap, size_t root, size_t count)
{
    const uint32_t moved = heap[root];

    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && fabsf(w[heap[child + 1]]) > fabsf(w[heap[child]]))
            child++;
        if (!(fabsf(w[heap[child]]) > fabsf(w[moved])))
            break;
        heap[root] = heap[child];
        heap[child] = moved;
    }
}

/* L1: the values with the largest |w| go as far as they can, one after the other, until enough is gained. */
static void plane_l1(size_t pixels, const float *x, const float *w, double c, uint32_t *heap, float *ret_d)
{
    const float sign = c > 0.0 ? -1.0f : 1.0f;
    double wanted = fabs(c);
    size_t count = pixels;

    for (size_t k = 0; k < pixels; k++) {
        ret_d[k] = 0.0f;
        heap[k] = (uint32_t)k;
    }
    for (size_t k = pixels / 2; k-- > 0;)
        sift(w, heap, k, pixels);
    while (wanted > 0.0 && count > 0) {
        const uint32_t k = heap[0];
        const double a = fabs((double)w[k]), room = room_of(x[k], sign * w[k]);
        if (a == 0.0)
            break;
        const double d = wanted / a < room ? wanted / a : room;
        ret_d[k] = (float)(sign * w[k] < 0.0f ? -d : d);
        wanted -= a * d;
        heap[0] = heap[--count];
        if (count > 0)
            sift(w, heap, 0, count);
    }
}

void ball_to_plane(uint32_t norm, size_t pixels, const float *x, const float *w, double c, uint32_t *work, float *ret_d)
{
    if (norm == BIOFT_L1)
        plane_l1(pixels, x, w, c, work, ret_d);
    else
        plane_smooth(norm, pixels, x, w, c, ret_d);
}
