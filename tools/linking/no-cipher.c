// libarchive refers to Nettle's ciphers in order to open encrypted zip files. That takes a passphrase, which this
// package never gives, so no call arrives here, and Nettle stays out of the programs.

#include <stdlib.h>

#define NEVER_CALLED(name) __attribute__((visibility("hidden"))) void name(void) { abort(); }

NEVER_CALLED(nettle_aes128_encrypt)
NEVER_CALLED(nettle_aes128_set_encrypt_key)
NEVER_CALLED(nettle_aes192_encrypt)
NEVER_CALLED(nettle_aes192_set_encrypt_key)
NEVER_CALLED(nettle_aes256_encrypt)
NEVER_CALLED(nettle_aes256_set_encrypt_key)
NEVER_CALLED(nettle_hmac_sha1_digest)
NEVER_CALLED(nettle_hmac_sha1_set_key)
NEVER_CALLED(nettle_hmac_sha1_update)
NEVER_CALLED(nettle_pbkdf2_hmac_sha1)
