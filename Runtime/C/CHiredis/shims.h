// hiredis 0.14 as a decoder: its reader only. The rest of the library would bring sockets and calls that block.
#ifndef SWIFTLET_CHIREDIS_H
#define SWIFTLET_CHIREDIS_H

#include <stddef.h>
#include <hiredis/read.h>

#endif
