#pragma once

// Kernel calls that Glibc's module map leaves out, or that are variadic.
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC.
int sp_accept(int fd, struct sockaddr *address, socklen_t *length);

/// epoll_ctl with a 64-bit key.
int sp_epoll_control(int poller, int operation, int fd, uint32_t events, uint64_t key);

/// The key of a reported event: the member is a packed union.
uint64_t sp_epoll_key(const struct epoll_event *event);

/// pthread_setname_np: names a thread for `top -H`.
int sp_thread_name(pthread_t thread, const char *name);

/// malloc_trim: gives memory that is free back to the kernel, after something large.
void sp_memory_trim(void);
