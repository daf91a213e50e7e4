#include "sp_crypto.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

int sp_evp_pkey_public_key(void) { return EVP_PKEY_PUBLIC_KEY; }

unsigned long sp_xn_flag_rfc2253(void) { return XN_FLAG_RFC2253; }
