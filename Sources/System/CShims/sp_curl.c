#include "sp_curl.h"

#include <curl/curl.h>

int sp_curl_set_number(void *transfer, unsigned option, long value) {
    return curl_easy_setopt(transfer, (CURLoption)option, value);
}

int sp_curl_set_text(void *transfer, unsigned option, const char *value) {
    return curl_easy_setopt(transfer, (CURLoption)option, value);
}

int sp_curl_set_pointer(void *transfer, unsigned option, void *value) {
    return curl_easy_setopt(transfer, (CURLoption)option, value);
}

int sp_curl_set_content(void *transfer, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(transfer, CURLOPT_COPYPOSTFIELDS, bytes);
}

int sp_curl_set_receivers(void *transfer, sp_curl_receiver head, sp_curl_receiver body, void *context) {
    CURLcode code = curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, head);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_HEADERDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, body);
    if (code == CURLE_OK) code = curl_easy_setopt(transfer, CURLOPT_WRITEDATA, context);
    return code;
}

long sp_curl_status(void *transfer) {
    long status = 0;
    return curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

int sp_curl_multi_set_number(void *multi, unsigned option, long value) {
    return curl_multi_setopt(multi, (CURLMoption)option, value);
}

void *sp_curl_multi_next_ended(void *multi, unsigned *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}
