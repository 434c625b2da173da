// Load at a constant rate that accounts for every request.
//
//     soak_load PORT RATE SECONDS CONNECTIONS PATH PATH
//
// Requests fall due by the clock and take turns over the two paths, whether or not earlier ones were answered; one that finds no
// free connection waits, and its time counts from when it was due. Each body is the request's number, and the reply must be
// the same. Every answer but 200 is printed when it comes, as `other NANOSECONDS PATH STATUS BODY` with the monotonic
// clock's time; at the end the sums, as one JSON object.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 16384, LIMIT = 1024, BUCKETS = 64 * 16, PATIENCE = 30 };

struct connection {
    int socket;
    int busy;
    uint64_t request;
    size_t filled;
    char buffer[BUFFER];
};

static struct connection connections[LIMIT];
static int port, count;
static const char *paths[2];
static uint64_t began, sent, answered, matched[2], other[2], mismatched, broken, longest;
static uint64_t buckets[BUCKETS];
static double interval;
static int poll_descriptor;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void open_connection(int place) {
    struct connection *connection = &connections[place];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->socket < 0 || connect(connection->socket, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)place};
    if (epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, connection->socket, &event)) fail("epoll_ctl");
    connection->busy = 0;
    connection->filled = 0;
}

static void send_request(struct connection *connection, uint64_t request) {
    char text[512];
    int length = snprintf(
        text, sizeof text, "POST %s HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n%020llu",
        paths[request & 1], (unsigned long long)request);
    connection->busy = 1;
    connection->request = request;
    connection->filled = 0;
    // A lost connection shows when it is read; a request of this size always fits the socket's buffer.
    if (send(connection->socket, text, (size_t)length, MSG_NOSIGNAL) != length && errno != EPIPE && errno != ECONNRESET)
        fail("send");
}

// Microseconds, in sixteen steps for each doubling.
static void note_time(uint64_t nanoseconds) {
    uint64_t value = nanoseconds / 1000 + 1;
    int top = 63 - __builtin_clzll(value);
    uint64_t step = top >= 4 ? (value >> (top - 4)) & 15 : (value << (4 - top)) & 15;
    buckets[top * 16 + (int)step]++;
    if (nanoseconds > longest) longest = nanoseconds;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int place = 0; place < BUCKETS; place++) total += buckets[place];
    for (int place = 0; place < BUCKETS; place++) {
        seen += buckets[place];
        if (total && (double)seen >= share * (double)total) {
            return (double)(16 + place % 16 + 1) / 16 * (double)(1ull << (place / 16));
        }
    }
    return 0;
}

// Whether the buffer holds a whole reply; then it is counted.
static int take_reply(struct connection *connection) {
    connection->buffer[connection->filled] = 0;
    char *end = strstr(connection->buffer, "\r\n\r\n");
    if (!end) return 0;
    char *field = strcasestr(connection->buffer, "\r\ncontent-length:");
    if (!field || field > end) {
        fprintf(stderr, "a reply without a length: %s\n", connection->buffer);
        exit(1);
    }
    size_t length = strtoul(field + 17, NULL, 10);
    char *body = end + 4;
    if (connection->filled < (size_t)(body - connection->buffer) + length) return 0;
    uint64_t request = connection->request, time = now();
    int status = atoi(connection->buffer + 9), path = (int)(request & 1);
    answered++;
    note_time(time - began - (uint64_t)((double)request * interval));
    if (status == 200) {
        char expected[32];
        snprintf(expected, sizeof expected, "%020llu", (unsigned long long)request);
        if (length == 20 && !memcmp(body, expected, 20)) matched[path]++;
        else mismatched++;
    } else {
        other[path]++;
        body[length < 160 ? length : 160] = 0;
        printf("other %llu %s %d %s\n", (unsigned long long)time, paths[path], status, body);
    }
    connection->busy = 0;
    connection->filled = 0;
    return 1;
}

static void read_connection(int place) {
    struct connection *connection = &connections[place];
    ssize_t got = recv(connection->socket, connection->buffer + connection->filled, BUFFER - 1 - connection->filled, 0);
    if (got > 0) {
        connection->filled += (size_t)got;
        take_reply(connection);
        return;
    }
    if (connection->busy) {
        broken++;
        printf("broken %llu %s\n", (unsigned long long)now(), paths[connection->request & 1]);
    }
    close(connection->socket);
    open_connection(place);
}

int main(int arguments, char **words) {
    if (arguments != 7) {
        fprintf(stderr, "usage: soak_load PORT RATE SECONDS CONNECTIONS PATH PATH\n");
        return 64;
    }
    port = atoi(words[1]);
    double rate = atof(words[2]);
    uint64_t total = (uint64_t)(rate * atof(words[3]));
    count = atoi(words[4]);
    paths[0] = words[5];
    paths[1] = words[6];
    if (count < 1 || count > LIMIT || rate <= 0) return 64;
    interval = 1e9 / rate;
    setvbuf(stdout, NULL, _IOLBF, 0);
    poll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    for (int place = 0; place < count; place++) open_connection(place);
    began = now();
    uint64_t last = began + (uint64_t)(interval * (double)total) + PATIENCE * 1000000000ull;
    struct epoll_event events[256];
    int cursor = 0;
    while (answered + broken < total && now() < last) {
        uint64_t due = (uint64_t)((double)(now() - began) / interval) + 1;
        if (due > total) due = total;
        for (int tries = 0; sent < due && tries < count; tries++) {
            struct connection *connection = &connections[cursor];
            cursor = (cursor + 1) % count;
            if (!connection->busy) {
                send_request(connection, sent++);
                tries = -1;
            }
        }
        int ready = epoll_wait(poll_descriptor, events, 256, 1);
        for (int place = 0; place < ready; place++) read_connection((int)events[place].data.u32);
    }
    printf(
        "{\"requests\": %llu, \"sent\": %llu, \"answered\": %llu, \"matched\": [%llu, %llu], \"other\": [%llu, %llu], "
        "\"mismatched\": %llu, \"broken\": %llu, \"p50_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, \"longest_us\": %.0f}\n",
        (unsigned long long)total, (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)matched[0],
        (unsigned long long)matched[1], (unsigned long long)other[0], (unsigned long long)other[1], (unsigned long long)mismatched,
        (unsigned long long)broken, percentile(0.5), percentile(0.99), percentile(0.999), (double)longest / 1000);
    return 0;
}
