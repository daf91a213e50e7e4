#pragma once

// The C library's resolver: its functions are macros, and its state is a struct of bit-fields.

/// Asks the configured name servers for records of a name and of that type, class IN, trying the search list as getaddrinfo
/// does. Returns the length of the answer, at most `room`, or -1 where there is none. Blocks: at most two seconds a server and
/// name that is tried. Any thread may call, each with a state of its own.
int sp_resolver_query(const char *name, int type, unsigned char *answer, int room);
