#pragma once

// Macros of libcrypto that are made of other macros: Swift does not see them.

/// Which parts of a key EVP_PKEY_fromdata reads: the public key and its parameters.
int sp_evp_pkey_public_key(void);

/// How X509_NAME_print_ex writes a name: as RFC 2253 does.
unsigned long sp_xn_flag_rfc2253(void);
