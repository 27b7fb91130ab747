/* acd_merkle.c: Merkle trees over SHA-256: a streaming root, inclusion and consistency proofs.
 * Source: RFC 6962 s. 2.1; verification: RFC 9162 s. 2.1.3.2 and 2.1.4.2.
 *
 * Invariants: `stack` holds one root per set bit of `size`, the largest tree first; a failing engine leaves
 * the tree as it was.
 */
#include "acd/merkle.h"
#include <string.h>
#include "acd_internal.h"

#define LEAF_PREFIX 0x00
#define LEAVES_AT_ONCE 16u /* as many as the widest processors hash side by side */
#define SIZE_LIMIT (UINT64_C(1) << ACD_MERKLE_HEIGHT_MAX)

_Static_assert(sizeof(acd_merkle) <= 2080, "64 hashes and a little");

void acd_merkle_init(acd_merkle *tree, acd_hash_engine engine)
{
    memset(tree, 0, sizeof *tree);
    tree->engine = engine;
}

static acd_status digest(acd_hash_engine engine, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts,
                         size_t part_count)
{
    if (engine.digest == NULL || engine.digest(engine.state, out, parts, part_count) != 0) {
        return ACD_ERR_MISUSE;
    }
    return ACD_OK;
}

acd_status acd_merkle_leaf_hash(uint8_t out[ACD_HASH_SIZE], acd_hash_engine engine, const void *data,
                                size_t len)
{
    static const uint8_t leaf_prefix = LEAF_PREFIX;
    if (acd_is_lacking(data, len)) {
        return ACD_ERR_MISUSE;
    }
    const acd_hash_part parts[] = {{&leaf_prefix, 1}, {data, len}};
    return digest(engine, out, parts, 2);
}

static acd_status digest_many(acd_hash_engine engine, uint8_t *out, const acd_hash_part *messages,
                              size_t count)
{
    if (engine.digest_many != NULL) {
        return engine.digest_many(engine.state, out, messages, count) == 0 ? ACD_OK : ACD_ERR_MISUSE;
    }
    for (size_t i = 0; i < count; i++) {
        ACD_TRY(digest(engine, out + i * ACD_HASH_SIZE, &messages[i], 1));
    }
    return ACD_OK;
}

acd_status acd_merkle_leaf_hashes(uint8_t *out, acd_hash_engine engine, const acd_merkle_leaf *leaves,
                                  size_t count)
{
    acd_hash_part messages[LEAVES_AT_ONCE];
    size_t pending = 0;
    if (count > 0 && (out == NULL || leaves == NULL)) {
        return ACD_ERR_MISUSE;
    }
    for (size_t i = 0; i < count; i++) {
        if (leaves[i].data == NULL) {
            return ACD_ERR_MISUSE;
        }
        uint8_t *message = leaves[i].data - 1;
        message[0] = LEAF_PREFIX;
        messages[pending++] = (acd_hash_part){message, leaves[i].len + 1u};
        if (pending == LEAVES_AT_ONCE || i + 1u == count) {
            ACD_TRY(digest_many(engine, out + (i + 1u - pending) * ACD_HASH_SIZE, messages, pending));
            pending = 0;
        }
    }
    return ACD_OK;
}

acd_status acd_merkle_node_hash(uint8_t out[ACD_HASH_SIZE], acd_hash_engine engine,
                                const uint8_t left[ACD_HASH_SIZE], const uint8_t right[ACD_HASH_SIZE])
{
    static const uint8_t node_prefix = 0x01;
    const acd_hash_part parts[] = {{&node_prefix, 1}, {left, ACD_HASH_SIZE}, {right, ACD_HASH_SIZE}};
    return digest(engine, out, parts, 3);
}

static size_t count_trees(uint64_t size)
{
    size_t count = 0;
    for (; size != 0; size &= size - 1u) {
        count++;
    }
    return count;
}

acd_status acd_merkle_append_hash(acd_merkle *tree, const uint8_t leaf_hash[ACD_HASH_SIZE])
{
    if (tree->size >= SIZE_LIMIT - 1u) {
        return ACD_ERR_TOO_LARGE;
    }
    uint8_t node[ACD_HASH_SIZE];
    size_t top = count_trees(tree->size);
    memcpy(node, leaf_hash, sizeof node);
    for (uint64_t rest = tree->size; (rest & 1u) != 0; rest >>= 1) {
        top--; /* as many trees as set bits: never below zero */
        ACD_TRY(acd_merkle_node_hash(node, tree->engine, tree->stack[top], node));
    }
    memcpy(tree->stack[top], node, sizeof node);
    tree->size++;
    return ACD_OK;
}

acd_status acd_merkle_append(acd_merkle *tree, const void *data, size_t len)
{
    uint8_t leaf[ACD_HASH_SIZE];
    ACD_TRY(acd_merkle_leaf_hash(leaf, tree->engine, data, len));
    return acd_merkle_append_hash(tree, leaf);
}

acd_status acd_merkle_root(const acd_merkle *tree, uint8_t out[ACD_HASH_SIZE])
{
    size_t top = count_trees(tree->size);
    uint8_t node[ACD_HASH_SIZE];
    if (top == 0) {
        return digest(tree->engine, out, NULL, 0); /* the empty tree */
    }
    memcpy(node, tree->stack[--top], sizeof node);
    while (top > 0) {
        ACD_TRY(acd_merkle_node_hash(node, tree->engine, tree->stack[--top], node));
    }
    memcpy(out, node, sizeof node);
    return ACD_OK;
}

/* MARK: Proofs */

acd_status acd_path_begin(acd_path *path, const uint8_t leaf_hash[ACD_HASH_SIZE], uint64_t index,
                          uint64_t size)
{
    if (index >= size) {
        return ACD_ERR_AUTHENTICATION;
    }
    path->node_index = index;
    path->last_index = size - 1u;
    memcpy(path->hash, leaf_hash, sizeof path->hash);
    return ACD_OK;
}

acd_status acd_path_step(acd_path *path, const uint8_t sibling[ACD_HASH_SIZE])
{
    if (path->last_index == 0) {
        return ACD_ERR_AUTHENTICATION; /* a longer proof than the tree is high */
    }
    if ((path->node_index & 1u) != 0 || path->node_index == path->last_index) {
        ACD_TRY(acd_merkle_node_hash(path->hash, acd_hash_sodium, sibling, path->hash));
        while ((path->node_index & 1u) == 0 && path->node_index != 0) { /* levels without a sibling */
            path->node_index >>= 1;
            path->last_index >>= 1;
        }
    } else {
        ACD_TRY(acd_merkle_node_hash(path->hash, acd_hash_sodium, path->hash, sibling));
    }
    path->node_index >>= 1;
    path->last_index >>= 1;
    return ACD_OK;
}

acd_status acd_path_end(const acd_path *path)
{
    return path->last_index == 0 ? ACD_OK : ACD_ERR_AUTHENTICATION;
}

acd_status acd_merkle_verify_inclusion(const uint8_t leaf_hash[ACD_HASH_SIZE], uint64_t index, uint64_t size,
                                       const uint8_t *proof, size_t proof_count,
                                       const uint8_t root[ACD_HASH_SIZE])
{
    if (leaf_hash == NULL || root == NULL || acd_is_lacking(proof, proof_count)) {
        return ACD_ERR_MISUSE;
    }
    acd_path path;
    ACD_TRY(acd_path_begin(&path, leaf_hash, index, size));
    for (size_t i = 0; i < proof_count; i++) {
        ACD_TRY(acd_path_step(&path, proof + i * ACD_HASH_SIZE));
    }
    ACD_TRY(acd_path_end(&path));
    return acd_equal(path.hash, root, ACD_HASH_SIZE) ? ACD_OK : ACD_ERR_AUTHENTICATION;
}

/* The walk up from the last node of the smaller tree, carrying both trees' hashes. */
static acd_status walk_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[ACD_HASH_SIZE],
                                   const uint8_t root2[ACD_HASH_SIZE], const uint8_t *proof,
                                   size_t proof_count)
{
    uint64_t node_index = size1 - 1u;
    uint64_t last_index = size2 - 1u;
    uint8_t hash1[ACD_HASH_SIZE];
    uint8_t hash2[ACD_HASH_SIZE];
    size_t next = 0;
    while ((node_index & 1u) != 0) {
        node_index >>= 1;
        last_index >>= 1;
    }
    /* A smaller tree that is perfect is its own first node, and the proof leaves it out. */
    const uint8_t *seed = (size1 & (size1 - 1u)) == 0 ? root1 : proof + ACD_HASH_SIZE * next++;
    memcpy(hash1, seed, sizeof hash1);
    memcpy(hash2, seed, sizeof hash2);
    for (; next < proof_count; next++) {
        const uint8_t *sibling = proof + next * ACD_HASH_SIZE;
        if (last_index == 0) {
            return ACD_ERR_AUTHENTICATION;
        }
        if ((node_index & 1u) != 0 || node_index == last_index) {
            ACD_TRY(acd_merkle_node_hash(hash1, acd_hash_sodium, sibling, hash1));
            ACD_TRY(acd_merkle_node_hash(hash2, acd_hash_sodium, sibling, hash2));
            while ((node_index & 1u) == 0 && node_index != 0) {
                node_index >>= 1;
                last_index >>= 1;
            }
        } else {
            ACD_TRY(acd_merkle_node_hash(hash2, acd_hash_sodium, hash2, sibling));
        }
        node_index >>= 1;
        last_index >>= 1;
    }
    int holds =
        last_index == 0 && acd_equal(hash1, root1, ACD_HASH_SIZE) && acd_equal(hash2, root2, ACD_HASH_SIZE);
    return holds ? ACD_OK : ACD_ERR_AUTHENTICATION;
}

acd_status acd_merkle_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t root1[ACD_HASH_SIZE],
                                         const uint8_t root2[ACD_HASH_SIZE], const uint8_t *proof,
                                         size_t proof_count)
{
    if (root1 == NULL || root2 == NULL || acd_is_lacking(proof, proof_count)) {
        return ACD_ERR_MISUSE;
    }
    /* Every tree extends the empty one: a proof of it shows nothing, so none is accepted. */
    if (size1 == 0 || size1 > size2) {
        return ACD_ERR_AUTHENTICATION;
    }
    if (size1 == size2) {
        int same = proof_count == 0 && acd_equal(root1, root2, ACD_HASH_SIZE);
        return same ? ACD_OK : ACD_ERR_AUTHENTICATION;
    }
    if (proof_count == 0) {
        return ACD_ERR_AUTHENTICATION;
    }
    return walk_consistency(size1, size2, root1, root2, proof, proof_count);
}
