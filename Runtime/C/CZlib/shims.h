#ifndef SWIFTLET_CZLIB_H
#define SWIFTLET_CZLIB_H

#include <zlib.h>

/// Begins a gzip stream, as deflateInit2 does, which is a macro. Z_OK for success.
static inline int swiftlet_gzip_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
