#pragma once

// libcurl's options and facts: its functions for them are variadic. Handles are CURL and CURLM, options CURLoption,
// answers CURLcode and CURLMcode, all by the numbers that Swift has for them, so that only who imports CCurl sees curl.
#include <stddef.h>

/// curl_easy_setopt of an option that takes a number.
int sp_curl_set_number(void *transfer, unsigned option, long value);

/// curl_easy_setopt of an option that takes text, which the library copies; NULL is none.
int sp_curl_set_text(void *transfer, unsigned option, const char *value);

/// curl_easy_setopt of an option that takes a pointer, which the library keeps.
int sp_curl_set_pointer(void *transfer, unsigned option, void *value);

/// The content of a POST, which the library copies.
int sp_curl_set_content(void *transfer, const void *bytes, size_t count);

/// A function that is given received bytes, and gives back how many it took: fewer end the transfer.
typedef size_t (*sp_curl_receiver)(char *bytes, size_t size, size_t count, void *context);

/// Who hears the lines of an answer's head, and who its body, both with that context.
int sp_curl_set_receivers(void *transfer, sp_curl_receiver head, sp_curl_receiver body, void *context);

/// The status of the last answer, 0 where there is none.
long sp_curl_status(void *transfer);

/// curl_multi_setopt of an option that takes a number.
int sp_curl_multi_set_number(void *multi, unsigned option, long value);

/// The next transfer that has ended, with its CURLcode; NULL where there is none.
void *sp_curl_multi_next_ended(void *multi, unsigned *result);
