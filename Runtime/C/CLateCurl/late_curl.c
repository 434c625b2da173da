#include "CLateCurl.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_setopt) set;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) get;
    __typeof__(&curl_easy_reset) reset;
    __typeof__(&curl_easy_cleanup) cleanup;
    __typeof__(&curl_easy_strerror) strerror;
    __typeof__(&curl_slist_append) append;
    __typeof__(&curl_slist_free_all) free_all;
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        problem = "libcurl.so.4 cannot be loaded";
        return;
    }
#define FIND(field, name)                             \
    if (!(curl.field = (__typeof__(curl.field))dlsym(library, name))) { \
        problem = "libcurl.so.4 has no " name;        \
        return;                                       \
    }
    FIND(global_init, "curl_global_init")
    FIND(init, "curl_easy_init")
    FIND(set, "curl_easy_setopt")
    FIND(perform, "curl_easy_perform")
    FIND(get, "curl_easy_getinfo")
    FIND(reset, "curl_easy_reset")
    FIND(cleanup, "curl_easy_cleanup")
    FIND(strerror, "curl_easy_strerror")
    FIND(append, "curl_slist_append")
    FIND(free_all, "curl_slist_free_all")
#undef FIND
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) problem = "libcurl cannot be initialised";
}

const char *late_curl_load(void) {
    pthread_once(&once, load);
    return problem;
}

void *late_curl_open(void) { return curl.init(); }

void late_curl_close(void *easy) { curl.cleanup(easy); }

struct exchange {
    void *easy;
    const struct late_curl_post *post;
};

static size_t take(char *bytes, size_t size, size_t count, void *context) {
    const struct exchange *exchange = context;
    long status = 0;
    curl.get(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return exchange->post->take(bytes, size * count, status, exchange->post->context);
}

static int progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const struct late_curl_post *post = ((const struct exchange *)context)->post;
    (void)a, (void)b, (void)c, (void)d;
    return post->stop(post->context);
}

long late_curl_send(void *easy, const struct late_curl_post *post, char *error) {
    struct exchange exchange = {easy, post};
    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < post->header_count; i++) headers = curl.append(headers, post->headers[i]);
    /* Settings go, the connection stays. */
    curl.reset(easy);
    error[0] = 0;
    curl.set(easy, CURLOPT_ERRORBUFFER, error);
    curl.set(easy, CURLOPT_NOSIGNAL, 1L);
    curl.set(easy, CURLOPT_URL, post->url);
    curl.set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl.set(easy, CURLOPT_POST, 1L);
    curl.set(easy, CURLOPT_POSTFIELDS, post->body);
    curl.set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body_length);
    curl.set(easy, CURLOPT_HTTPHEADER, headers);
    if (post->authorities) curl.set(easy, CURLOPT_CAINFO, post->authorities);
    curl.set(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl.set(easy, CURLOPT_TIMEOUT_MS, post->timeout_ms);
    curl.set(easy, CURLOPT_WRITEFUNCTION, take);
    curl.set(easy, CURLOPT_WRITEDATA, &exchange);
    curl.set(easy, CURLOPT_NOPROGRESS, 0L);
    curl.set(easy, CURLOPT_XFERINFOFUNCTION, progress);
    curl.set(easy, CURLOPT_XFERINFODATA, &exchange);
    CURLcode code = curl.perform(easy);
    long status = 0;
    if (code == CURLE_OK) {
        curl.get(easy, CURLINFO_RESPONSE_CODE, &status);
    } else if (!error[0]) {
        snprintf(error, CURL_ERROR_SIZE, "%s", curl.strerror(code));
    }
    curl.set(easy, CURLOPT_ERRORBUFFER, NULL);
    curl.free_all(headers);
    return status;
}
