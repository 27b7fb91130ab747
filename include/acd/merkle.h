/* acd/merkle.h: RFC 6962 s. 2.1 Merkle trees over SHA-256: a streaming root, inclusion and consistency
 * proofs. leaf = H(0x00 || data), node = H(0x01 || left || right), empty tree = H(""). Used for goods
 * (leaves are ciphertext chunks) and for the archive's log. */
#ifndef ACD_MERKLE_H
#define ACD_MERKLE_H

#include <stddef.h>
#include <stdint.h>
#include "acd/crypto.h"
#include "acd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACD_MERKLE_HEIGHT_MAX 63u

/* acd_merkle is a compact range [0, size): the roots of its perfect subtrees, largest first. Not secret. */
typedef struct acd_merkle {
    acd_hash_engine engine;
    uint64_t size;
    uint8_t stack[ACD_MERKLE_HEIGHT_MAX + 1][ACD_HASH_SIZE];
} acd_merkle;

void acd_merkle_init(acd_merkle *tree, acd_hash_engine engine);
ACD_MUST_CHECK acd_status acd_merkle_leaf_hash(uint8_t out[ACD_HASH_SIZE], acd_hash_engine engine,
                                               const void *data, size_t len);

/* acd_merkle_leaf is a leaf's data with a byte of room ahead of it, data[-1], which takes the leaf's prefix:
 * so the data stands behind it in one piece, as `digest_many` wants it, without being copied. */
typedef struct acd_merkle_leaf {
    uint8_t *data;
    size_t len;
} acd_merkle_leaf;

/* The hashes of `count` leaves, one behind the other: at once if the engine can. */
ACD_MUST_CHECK acd_status acd_merkle_leaf_hashes(uint8_t *out, acd_hash_engine engine,
                                                 const acd_merkle_leaf *leaves, size_t count);
ACD_MUST_CHECK acd_status acd_merkle_node_hash(uint8_t out[ACD_HASH_SIZE], acd_hash_engine engine,
                                               const uint8_t left[ACD_HASH_SIZE],
                                               const uint8_t right[ACD_HASH_SIZE]);
/* Appends one leaf: its data, or its hash when that is already known. */
ACD_MUST_CHECK acd_status acd_merkle_append(acd_merkle *tree, const void *data, size_t len);
ACD_MUST_CHECK acd_status acd_merkle_append_hash(acd_merkle *tree, const uint8_t leaf_hash[ACD_HASH_SIZE]);
ACD_MUST_CHECK acd_status acd_merkle_root(const acd_merkle *tree, uint8_t out[ACD_HASH_SIZE]);

/* RFC 9162 s. 2.1.3.2 and 2.1.4.2. `proof` is proof_count hashes in a row, lowest level first. */
ACD_MUST_CHECK acd_status acd_merkle_verify_inclusion(const uint8_t leaf_hash[ACD_HASH_SIZE], uint64_t index,
                                                      uint64_t size, const uint8_t *proof, size_t proof_count,
                                                      const uint8_t root[ACD_HASH_SIZE]);
ACD_MUST_CHECK acd_status acd_merkle_verify_consistency(uint64_t size1, uint64_t size2,
                                                        const uint8_t root1[ACD_HASH_SIZE],
                                                        const uint8_t root2[ACD_HASH_SIZE],
                                                        const uint8_t *proof, size_t proof_count);

#ifdef __cplusplus
}
#endif
#endif
