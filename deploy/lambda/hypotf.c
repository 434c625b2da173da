/* hypotf as glibc has it since 2.35, for machines whose glibc is older: the square root in double is exact enough. */
#include <math.h>

float hypotf(float x, float y) {
    if (isinf(x) || isinf(y)) return INFINITY;
    return (float)sqrt((double)x * x + (double)y * y);
}
