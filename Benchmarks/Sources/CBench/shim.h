/* shim.h: the bare libraries that the benchmarks compare with, and the hash of the goods benchmark. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
