#pragma once

// libssl's function-like macros, and callbacks whose types Swift cannot spell.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

static inline int sp_tls_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, highest);
}
static inline void sp_tls_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}
static inline void sp_tls_set_read_ahead(SSL_CTX *context) {
    SSL_CTX_set_read_ahead(context, 1);
}
/// No compression, no renegotiation, no sessions kept, no tickets; our order of suites.
static inline void sp_tls_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void sp_tls_allow_tickets(SSL_CTX *context) {
    SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
}
static inline void sp_tls_set_max_certificate_list(SSL_CTX *context, long count) {
    SSL_CTX_set_max_cert_list(context, count);
}
/// Prepares sealing (or, where not `seals`, opening) of one ticket.
static inline int sp_tls_prepare_ticket(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const EVP_CIPHER *algorithm,
                                        const unsigned char *cipher_key, const unsigned char *iv,
                                        const unsigned char *mac_key, size_t mac_key_length, int seals) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)mac_key, mac_key_length),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex2(cipher, algorithm, cipher_key, iv, seals, NULL) == 1
        && EVP_MAC_CTX_set_params(mac, parameters) == 1;
}
static inline void sp_tls_set_status_callback(SSL_CTX *context, int (*callback)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(context, callback);
}
/// Staples a copy of the response, which the session then owns.
static inline int sp_tls_staple(SSL *session, const unsigned char *response, size_t length) {
    unsigned char *copy = OPENSSL_memdup(response, length);
    if (copy == NULL) return 0;
    if (SSL_set_tlsext_status_ocsp_resp(session, copy, (long)length) == 1) return 1;
    OPENSSL_free(copy);
    return 0;
}
static inline int sp_tls_set_groups(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}
static inline int sp_tls_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void sp_tls_set_server_name_callback(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}
static inline int sp_tls_set_host_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
static inline void sp_bio_set_retry_read(BIO *bio) {
    BIO_set_retry_read(bio);
}
static inline void sp_bio_clear_retry(BIO *bio) {
    BIO_clear_retry_flags(bio);
}
