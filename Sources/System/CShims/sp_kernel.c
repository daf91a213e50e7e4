#define _GNU_SOURCE
#include "sp_kernel.h"

#include <malloc.h>

int sp_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int sp_epoll_control(int poller, int operation, int fd, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data = {.u64 = key}};
    return epoll_ctl(poller, operation, fd, &event);
}

uint64_t sp_epoll_key(const struct epoll_event *event) {
    return event->data.u64;
}

int sp_thread_name(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

void sp_memory_trim(void) { malloc_trim(0); }
