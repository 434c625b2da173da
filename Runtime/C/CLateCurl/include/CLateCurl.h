#ifndef SWIFTLET_CLATECURL_H
#define SWIFTLET_CLATECURL_H

#include <stddef.h>

/*
 * HTTPS by libcurl, which is loaded when it is first wanted: a program that links it pays for some thirty libraries at
 * every start.
 */

/* Loads it, once for the process; NULL, or why it cannot be had. Any thread. */
const char *late_curl_load(void);

/* A kept connection; NULL where there is no memory. One thread at a time. */
void *late_curl_open(void);
void late_curl_close(void *easy);

/* Takes a piece of an answer; another number than `count` gives the exchange up. */
typedef size_t (*late_curl_take)(const char *bytes, size_t count, long status, void *context);
/* Asked now and then; anything but 0 gives the exchange up. */
typedef int (*late_curl_stop)(void *context);

struct late_curl_post {
    const char *url;
    /* `name: value` each. */
    const char *const *headers;
    size_t header_count;
    const void *body;
    size_t body_length;
    /* A file of certificates in PEM, or NULL for those of the system. */
    const char *authorities;
    long timeout_ms;
    late_curl_take take;
    late_curl_stop stop;
    void *context;
};

/* Posts, and hands the answer's body over as it comes. Returns the status, 0 with a text in `error` (256 bytes) where
 * there is none. */
long late_curl_send(void *easy, const struct late_curl_post *post, char *error);

#endif
