/* acd_test_merkle.c: Merkle trees against the definition in RFC 6962 s. 2.1, roots and proofs of every small
 * size. */
#include "acd_test.h"

#define LEAVES 70u
static uint8_t leaf[LEAVES][ACD_HASH_SIZE];

static uint64_t largest_power_below(uint64_t n)
{
    uint64_t power = 1;
    while (power * 2 < n) {
        power *= 2;
    }
    return power;
}

/* MTH of RFC 6962 for leaves [from, from + count), by its definition. Tests may recurse. */
static void mth(uint8_t out[ACD_HASH_SIZE], uint64_t from, uint64_t count)
{
    if (count == 0) {
        acd_sha256(out, NULL, 0);
    } else if (count == 1) {
        memcpy(out, leaf[from], ACD_HASH_SIZE);
    } else {
        uint8_t both[1 + 2 * ACD_HASH_SIZE] = {1};
        uint64_t split = largest_power_below(count);
        mth(both + 1, from, split);
        mth(both + 33, from + split, count - split);
        acd_sha256(out, both, sizeof both);
    }
}

/* PATH(m, D[n]) of RFC 6962 s. 2.1.1; returns the number of hashes. */
static size_t path(uint8_t *out, uint64_t m, uint64_t from, uint64_t count)
{
    if (count <= 1) {
        return 0;
    }
    uint64_t split = largest_power_below(count);
    size_t used = 0;
    if (m < split) {
        used = path(out, m, from, split);
        mth(out + used * 32, from + split, count - split);
    } else {
        used = path(out, m - split, from + split, count - split);
        mth(out + used * 32, from, split);
    }
    return used + 1;
}

/* SUBPROOF(m, D[n], b) of RFC 6962 s. 2.1.2. */
static size_t subproof(uint8_t *out, uint64_t m, uint64_t from, uint64_t count, int whole)
{
    if (m == count) {
        if (!whole) {
            mth(out, from, count);
        }
        return whole ? 0 : 1;
    }
    uint64_t split = largest_power_below(count);
    size_t used = 0;
    if (m <= split) {
        used = subproof(out, m, from, split, whole);
        mth(out + used * 32, from + split, count - split);
    } else {
        used = subproof(out, m - split, from + split, count - split, 0);
        mth(out + used * 32, from, split);
    }
    return used + 1;
}

static void roots_are_those_of_the_definition(void)
{
    acd_merkle tree;
    acd_merkle_init(&tree, acd_hash_sodium);
    for (uint64_t size = 0; size <= LEAVES; size++) {
        uint8_t root[ACD_HASH_SIZE];
        uint8_t expected[ACD_HASH_SIZE];
        CHECK_STATUS(ACD_OK, acd_merkle_root(&tree, root));
        mth(expected, 0, size);
        CHECK(tree.size == size);
        CHECK_BYTES(root, expected, sizeof root);
        if (size < LEAVES) {
            uint8_t data = (uint8_t)size;
            CHECK_STATUS(ACD_OK, acd_merkle_append(&tree, &data, 1));
        }
    }
}

static void every_inclusion_proof_holds_and_no_other(void)
{
    for (uint64_t size = 1; size <= LEAVES; size += size < 20 ? 1 : 7) {
        uint8_t root[ACD_HASH_SIZE];
        mth(root, 0, size);
        for (uint64_t index = 0; index < size; index++) {
            uint8_t proof[64 * 32 + 32];
            size_t count = path(proof, index, 0, size);
            CHECK_STATUS(ACD_OK, acd_merkle_verify_inclusion(leaf[index], index, size, proof, count, root));
            CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                         acd_merkle_verify_inclusion(leaf[index], index, size, proof, count + 1, root));
            CHECK_STATUS(
                ACD_ERR_AUTHENTICATION,
                acd_merkle_verify_inclusion(leaf[(index + 1) % LEAVES], index, size, proof, count, root));
            if (count > 0) {
                CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                             acd_merkle_verify_inclusion(leaf[index], index, size, proof, count - 1, root));
                proof[(count - 1) * 32] ^= 1;
                CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                             acd_merkle_verify_inclusion(leaf[index], index, size, proof, count, root));
            }
        }
        CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_merkle_verify_inclusion(leaf[0], size, size, root, 0, root));
    }
}

/* A root that is really of a taller tree does not hold for the smaller size that was claimed. */
static void a_proof_is_no_longer_than_its_tree_is_high(void)
{
    uint8_t taller[ACD_HASH_SIZE];
    CHECK_STATUS(ACD_OK, acd_merkle_node_hash(taller, acd_hash_sodium, leaf[1], leaf[0]));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_merkle_verify_inclusion(leaf[0], 0, 1, leaf[1], 1, taller));
    CHECK_STATUS(ACD_OK, acd_merkle_verify_inclusion(leaf[0], 1, 2, leaf[1], 1, taller));
}

static void every_consistency_proof_holds_and_no_other(void)
{
    for (uint64_t size2 = 1; size2 <= LEAVES; size2 += size2 < 20 ? 1 : 7) {
        uint8_t root2[ACD_HASH_SIZE];
        mth(root2, 0, size2);
        for (uint64_t size1 = 1; size1 <= size2; size1++) {
            uint8_t root1[ACD_HASH_SIZE];
            uint8_t proof[64 * 32 + 32];
            size_t count = subproof(proof, size1, 0, size2, 1);
            mth(root1, 0, size1);
            CHECK_STATUS(ACD_OK, acd_merkle_verify_consistency(size1, size2, root1, root2, proof, count));
            CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                         acd_merkle_verify_consistency(size1, size2, root1, root2, proof, count + 1));
            root1[3] ^= 1;
            CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                         acd_merkle_verify_consistency(size1, size2, root1, root2, proof, count));
            root1[3] ^= 1;
            if (count > 0) {
                CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                             acd_merkle_verify_consistency(size1, size2, root1, root2, proof, count - 1));
                proof[0] ^= 1;
                CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                             acd_merkle_verify_consistency(size1, size2, root1, root2, proof, count));
            }
        }
        CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_merkle_verify_consistency(0, size2, root2, root2, NULL, 0));
        CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                     acd_merkle_verify_consistency(size2 + 1, size2, root2, root2, NULL, 0));
    }
}

static int fails_after(void *state, uint8_t out[ACD_HASH_SIZE], const acd_hash_part *parts, size_t part_count)
{
    int *left = state;
    if ((*left)-- <= 0) {
        return -1;
    }
    return acd_hash_sodium.digest(NULL, out, parts, part_count);
}

static void a_failing_engine_leaves_the_tree_as_it_was(void)
{
    int left = 100;
    const acd_hash_engine engine = {&left, fails_after, NULL};
    acd_merkle tree;
    acd_merkle before;
    uint8_t root[ACD_HASH_SIZE];
    acd_merkle_init(&tree, engine);
    for (int i = 0; i < 7; i++) {
        CHECK_STATUS(ACD_OK, acd_merkle_append(&tree, "x", 1));
    }
    memcpy(&before, &tree, sizeof before);
    for (left = 0; left < 4;) { /* a leaf and three nodes */
        int tried = left;
        CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_append(&tree, "x", 1));
        CHECK_BYTES(&tree, &before, sizeof tree);
        left = tried + 1;
    }
    CHECK_STATUS(ACD_OK, acd_merkle_append(&tree, "x", 1));
    left = 0;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_root(&before, root));
}

static void misuse_is_told_apart(void)
{
    acd_merkle tree;
    uint8_t root[ACD_HASH_SIZE] = {0};
    acd_merkle_init(&tree, acd_hash_sodium);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_append(&tree, NULL, 1));
    tree.size = (UINT64_C(1) << 63) - 1;
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_merkle_append(&tree, "x", 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_verify_inclusion(NULL, 0, 1, NULL, 0, root));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_verify_inclusion(root, 0, 1, NULL, 1, root));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_merkle_verify_consistency(1, 1, root, NULL, NULL, 0));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_merkle_verify_consistency(1, 2, root, root, NULL, 0));
    CHECK_STATUS(ACD_OK, acd_merkle_verify_inclusion(root, 0, 1, NULL, 0, root));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t data = (uint8_t)i;
        CHECK_STATUS(ACD_OK, acd_merkle_leaf_hash(leaf[i], acd_hash_sodium, &data, 1));
    }
    RUN(roots_are_those_of_the_definition);
    RUN(every_inclusion_proof_holds_and_no_other);
    RUN(a_proof_is_no_longer_than_its_tree_is_high);
    RUN(every_consistency_proof_holds_and_no_other);
    RUN(a_failing_engine_leaves_the_tree_as_it_was);
    RUN(misuse_is_told_apart);
    return TEST_RESULT();
}
