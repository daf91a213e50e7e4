/* Gives a client certificate to load generators that cannot present one (wrk, h2load).
 *
 *   cc -shared -fPIC -O2 -o client_certificate.so client_certificate.c -ldl -lssl
 *   LD_PRELOAD=./client_certificate.so BENCH_CERTIFICATE=svid.pem BENCH_KEY=svid.key wrk …
 *
 * Every SSL_CTX that the program makes gets them. A file that cannot be loaded ends the program: a benchmark whose
 * handshakes fail would measure nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static void require(int done, const char *what) {
    if (done == 1) return;
    fprintf(stderr, "client_certificate: cannot load %s\n", what ? what : "(not set)");
    exit(2);
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
    SSL_CTX *(*original)(const SSL_METHOD *) = (SSL_CTX * (*)(const SSL_METHOD *)) dlsym(RTLD_NEXT, "SSL_CTX_new");
    SSL_CTX *context = original ? original(method) : NULL;
    if (!context) return NULL;

    const char *certificate = getenv("BENCH_CERTIFICATE"), *key = getenv("BENCH_KEY");
    require(certificate && SSL_CTX_use_certificate_chain_file(context, certificate), certificate);
    require(key && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), key);
    return context;
}
