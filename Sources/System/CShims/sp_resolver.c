#include "sp_resolver.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

int sp_resolver_query(const char *name, int type, unsigned char *answer, int room) {
    struct __res_state state = {0};
    if (res_ninit(&state) != 0) return -1;
    state.retrans = 2;
    state.retry = 1;
    int length = res_nsearch(&state, name, ns_c_in, type, answer, room);
    res_nclose(&state);
    return length > room ? room : length;
}
