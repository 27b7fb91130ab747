/* acd_test_proof.c: leaves, checkpoints and proofs of a log. Source: C2SP tlog-checkpoint, tlog-proof,
 * tlog-cosignature; docs/adr/0009. */
#include <stdlib.h>
#include "acd_internal.h"
#include "acd_sample_log.h"
#include "acd_test.h"

static const uint64_t times[3] = {1000, 1010, 1005};
static uint8_t leaf_hash[ACD_HASH_SIZE];
static char policy_text[32768];
static char text[32768];
static uint8_t packed[ACD_PROOF_SIZE_MAX];
static size_t packed_len;
static acd_policy policy;
static acd_proof_facts facts;

static sample_proof good_proof(void)
{
    return (sample_proof){.index = 123456,
                          .size = UINT64_C(1) << 20,
                          .times = times,
                          .cosignatures = 3,
                          .log_seed = SAMPLE_LOG_SEED,
                          .origin = SAMPLE_ORIGIN};
}

/* Three witnesses, of which `quorum` are needed. */
static void use_policy(unsigned quorum)
{
    sample_policy_text(policy_text, 3, quorum);
    CHECK_STATUS(ACD_OK, acd_policy_read(&policy, policy_text, strlen(policy_text)));
}

static void make(const sample_proof *proof)
{
    sample_proof_text(text, proof, leaf_hash);
    CHECK_STATUS(ACD_OK, acd_proof_pack(packed, sizeof packed, &packed_len, text, strlen(text)));
}

/* Both forms, which have to agree. */
static acd_status verify(void)
{
    acd_proof_facts other;
    memset(&facts, 0, sizeof facts);
    acd_status status = acd_proof_verify(&facts, text, strlen(text), leaf_hash, &policy);
    acd_status again = acd_proof_verify(&other, packed, packed_len, leaf_hash, &policy);
    CHECK_STATUS(status, again);
    if (status == ACD_OK) {
        CHECK(facts.index == other.index && facts.size == other.size &&
              memcmp(facts.root, other.root, sizeof facts.root) == 0 &&
              facts.cosigned.reached == other.cosigned.reached &&
              facts.cosigned.fresh == other.cosigned.fresh && facts.cosigned.log == other.cosigned.log);
    }
    return status;
}

/* MARK: Leaves and checkpoints */

static void a_leaf_is_read_as_it_was_written(void)
{
    acd_leaf leaf = {.kind = ACD_LEAF_COMMIT, .at = UINT64_C(0x0102030405060708)};
    acd_leaf read;
    uint8_t bytes[ACD_LEAF_SIZE + 1] = {0};
    memset(leaf.subject, 0xaa, sizeof leaf.subject);
    memset(leaf.lock, 0xbb, sizeof leaf.lock);
    memset(leaf.body, 0xcc, sizeof leaf.body);
    acd_leaf_write(bytes, &leaf);
    CHECK(bytes[0] == 1 && bytes[1] == 1 && bytes[2] == 1 && bytes[9] == 8 && bytes[10] == 0xaa &&
          bytes[42] == 0xbb && bytes[74] == 0xcc && bytes[105] == 0xcc);
    CHECK_STATUS(ACD_OK, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE));
    CHECK(read.kind == leaf.kind && read.at == leaf.at && memcmp(read.body, leaf.body, 32) == 0 &&
          memcmp(read.lock, leaf.lock, 32) == 0 && memcmp(read.subject, leaf.subject, 32) == 0);
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE - 1));
    CHECK_STATUS(ACD_ERR_TRAILING, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE + 1));
    bytes[1] = 0;
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE));
    bytes[1] = 9;
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE));
    bytes[0] = 2;
    CHECK_STATUS(ACD_ERR_VERSION, acd_leaf_read(&read, bytes, ACD_LEAF_SIZE));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_leaf_hash(NULL, &leaf));
}

static acd_status checkpoint(const char *checkpoint_text)
{
    acd_checkpoint read;
    return acd_checkpoint_read(&read, checkpoint_text, strlen(checkpoint_text));
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define EMPTY_ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static void checkpoints_are_three_lines_in_one_spelling(void)
{
    static const char example[] = "example.com/behind-the-sofa\n20852163\n" ROOT;
    char written[ACD_CHECKPOINT_TEXT_MAX];
    acd_checkpoint read;
    size_t len = 0;
    CHECK_STATUS(ACD_OK, acd_checkpoint_read(&read, example, strlen(example)));
    CHECK(read.size == 20852163 && read.origin_len == 27 && read.root[0] == 0x0a && read.root[31] == 0x62);
    CHECK_STATUS(ACD_OK, acd_checkpoint_write(written, sizeof written, &len, &read));
    CHECK(len == strlen(example) && memcmp(written, example, len) == 0);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_checkpoint_write(written, len - 1, &len, &read));
    read.origin = "a\nb";
    read.origin_len = 3;
    CHECK_STATUS(ACD_ERR_MISUSE, acd_checkpoint_write(written, sizeof written, &len, &read));
    CHECK_STATUS(ACD_OK, checkpoint("o\n1\n" ROOT "extension\nanother\n"));
    CHECK_STATUS(ACD_OK, checkpoint("o\n0\n" EMPTY_ROOT));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n0\n" ROOT)); /* the empty tree has one root */
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint(""));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("\n1\n" ROOT));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n"));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n1\n"));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n1\n" ROOT "\n"));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n1\n" ROOT "x"));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n-1\n" ROOT));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n 1\n" ROOT));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n18446744073709551616\n" ROOT));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n18446744073709551617\n" ROOT)); /* 1, if it wrapped */
    CHECK_STATUS(ACD_ERR_TOO_LARGE, checkpoint("o\n9223372036854775808\n" ROOT));
    CHECK_STATUS(ACD_OK, checkpoint("o\n9223372036854775807\n" ROOT));
    CHECK_STATUS(ACD_ERR_NOT_SHORTEST, checkpoint("o\n01\n" ROOT));
    CHECK_STATUS(ACD_ERR_NOT_SHORTEST, checkpoint("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n"));
    CHECK_STATUS(ACD_ERR_MALFORMED, checkpoint("o\n1\nAAAA\n"));
}

/* MARK: Proofs */

static void a_proof_with_a_quorum_holds_in_both_forms(void)
{
    sample_proof proof = good_proof();
    use_policy(2);
    make(&proof);
    CHECK_STATUS(ACD_OK, verify());
    CHECK(facts.index == proof.index && facts.size == proof.size && facts.cosigned.log == 0);
    printf("2^20 leaves, 3 cosignatures: %zu bytes as text, %zu packed\n", strlen(text), packed_len);
    CHECK(strlen(text) <= 1600 && packed_len <= 960);
}

static void every_place_in_trees_of_every_size_up_to_40_is_proved(void)
{
    use_policy(3);
    for (uint64_t size = 1; size <= 40; size++) {
        for (uint64_t index = 0; index < size; index++) {
            sample_proof proof = good_proof();
            proof.size = size;
            proof.index = index;
            make(&proof);
            CHECK_STATUS(ACD_OK, verify());
        }
    }
}

static void text_and_packed_turn_into_each_other(void)
{
    static char again[32768];
    sample_proof proof = good_proof();
    size_t len = 0;
    use_policy(3);
    make(&proof);
    CHECK_STATUS(ACD_OK,
                 acd_proof_unpack(again, sizeof again, &len, packed, packed_len, leaf_hash, &policy));
    CHECK(len == strlen(text) && memcmp(again, text, len) == 0);
    CHECK_STATUS(ACD_ERR_NO_SPACE,
                 acd_proof_unpack(again, len - 1, &len, packed, packed_len, leaf_hash, &policy));
    for (size_t cap = 0; cap < packed_len; cap++) {
        CHECK_STATUS(ACD_ERR_NO_SPACE, acd_proof_pack(again, cap, &len, text, strlen(text)));
    }
    packed[packed_len - 1] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION,
                 acd_proof_unpack(again, sizeof again, &len, packed, packed_len, leaf_hash, &policy));
}

static void too_few_cosignatures_are_no_quorum(void)
{
    sample_proof proof = good_proof();
    for (unsigned quorum = 1; quorum <= 3; quorum++) {
        use_policy(quorum);
        for (proof.cosignatures = 0; proof.cosignatures <= 3; proof.cosignatures++) {
            make(&proof);
            CHECK_STATUS(proof.cosignatures >= quorum ? ACD_OK : ACD_ERR_AUTHENTICATION, verify());
        }
    }
    use_policy(1);
    proof.cosignatures = 0;
    make(&proof);
    policy.is_none = 1;
    CHECK_STATUS(ACD_OK, verify());
    CHECK(facts.cosigned.reached == 0 && facts.cosigned.fresh == 0);
}

static void another_log_or_leaf_is_refused(void)
{
    sample_proof proof = good_proof();
    use_policy(2);
    proof.log_seed = 41; /* the same name, another key */
    make(&proof);
    CHECK_STATUS(ACD_ERR_UNTRUSTED, verify());
    proof = good_proof();
    proof.origin = "other.example/log";
    make(&proof);
    CHECK_STATUS(ACD_ERR_UNTRUSTED, verify());
    proof = good_proof();
    make(&proof);
    leaf_hash[5] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify());
    leaf_hash[5] ^= 1;
    CHECK_STATUS(ACD_OK, verify());
}

/* A log's key signs for its own origin only. */
static void a_log_speaks_for_its_own_origin(void)
{
    sample_proof proof = good_proof();
    use_policy(2);
    proof.origin = "other.example/log";
    proof.log_name = SAMPLE_ORIGIN;
    make(&proof);
    CHECK_STATUS(ACD_ERR_UNTRUSTED, acd_proof_verify(&facts, text, strlen(text), leaf_hash, &policy));
    /* Packed, the origin is the log's: the signature is of another text. */
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_proof_verify(&facts, packed, packed_len, leaf_hash, &policy));
}

/* Whatever single bit of a packed proof changes, it holds no more. */
static void no_bit_of_a_packed_proof_is_idle(void)
{
    sample_proof proof = good_proof();
    use_policy(3);
    make(&proof);
    for (size_t bit = 0; bit < packed_len * 8; bit++) {
        acd_proof_facts unused;
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(acd_proof_verify(&unused, packed, packed_len, leaf_hash, &policy) != ACD_OK);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < packed_len; len++) {
        acd_proof_facts unused;
        CHECK(acd_proof_verify(&unused, packed, len, leaf_hash, &policy) != ACD_OK);
    }
    CHECK_STATUS(ACD_ERR_TRAILING, acd_proof_verify(&facts, packed, packed_len + 1, leaf_hash, &policy));
    CHECK_STATUS(ACD_OK, verify());
}

static void no_bit_of_a_text_proof_is_idle(void)
{
    sample_proof proof = good_proof();
    proof.size = 5;
    proof.index = 2;
    use_policy(3);
    make(&proof);
    size_t len = strlen(text);
    for (size_t bit = 0; bit < len * 8; bit++) {
        acd_proof_facts unused;
        text[bit / 8] ^= (char)(1u << bit % 8);
        CHECK(acd_proof_verify(&unused, text, len, leaf_hash, &policy) != ACD_OK);
        text[bit / 8] ^= (char)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        acd_proof_facts unused;
        CHECK(acd_proof_verify(&unused, text, cut, leaf_hash, &policy) != ACD_OK);
    }
    CHECK_STATUS(ACD_OK, verify());
}

static void a_bad_signature_by_a_known_witness_spoils_the_proof(void)
{
    sample_proof proof = good_proof();
    use_policy(1);
    make(&proof);
    /* The last 64 bytes are witness 2's signature; the quorum would hold without it. */
    packed[packed_len - 1] ^= 1;
    text[strlen(text) - 6] ^= 1;
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, verify());
}

static void extra_data_is_passed_over(void)
{
    sample_proof proof = good_proof();
    use_policy(2);
    proof.extra = "AAAA";
    make(&proof);
    CHECK_STATUS(ACD_OK, verify());
    proof.extra = "AAA";
    sample_proof_text(text, &proof, leaf_hash);
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_proof_verify(&facts, text, strlen(text), leaf_hash, &policy));
}

static void a_path_has_the_length_that_its_place_wants(void)
{
    static const char hash[] = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n";
    sample_proof proof = good_proof();
    use_policy(2);
    make(&proof);
    char *path_end = strstr(text, "\n\n") + 1;
    memmove(path_end + strlen(hash), path_end, strlen(path_end) + 1);
    memcpy(path_end, hash, strlen(hash));
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_proof_verify(&facts, text, strlen(text), leaf_hash, &policy));
    memmove(path_end - 45, path_end + 45, strlen(path_end + 45) + 1); /* one less than it was */
    CHECK_STATUS(ACD_ERR_AUTHENTICATION, acd_proof_verify(&facts, text, strlen(text), leaf_hash, &policy));
}

static void sizes_and_pointers_are_bounded(void)
{
    static uint8_t large[ACD_PROOF_SIZE_MAX + 1];
    uint8_t many[ACD_PROOF_SIZE_MAX] = {0};
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_proof_verify(&facts, large, sizeof large, leaf_hash, &policy));
    many[16] = ACD_PROOF_HASHES_MAX + 1;
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_proof_verify(&facts, many, sizeof many, leaf_hash, &policy));
    many[16] = 0;
    many[15] = 1;
    many[17] = ACD_NOTE_SIGNATURES_MAX + 1;
    for (size_t i = 0; i <= ACD_NOTE_SIGNATURES_MAX; i++) {
        many[18 + 6 * i] = 5; /* well formed, but one too many */
    }
    CHECK_STATUS(ACD_ERR_FIELD_RANGE,
                 acd_proof_verify(&facts, many, 18u + 6u * many[17], leaf_hash, &policy));
    many[17] = 1;
    many[18] = 4;
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_proof_verify(&facts, many, 23, leaf_hash, &policy));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_proof_verify(NULL, many, 1, leaf_hash, &policy));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_proof_verify(&facts, NULL, 1, leaf_hash, &policy));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_proof_verify(&facts, many, 1, NULL, &policy));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_proof_verify(&facts, many, 1, leaf_hash, NULL));
}

/* MARK: Times */

static void times_are_those_by_which_a_quorum_saw_it(void)
{
    sample_proof proof = good_proof();
    static const uint64_t reached[] = {1000, 1005, 1010}; /* sorted: 1000, 1005, 1010 */
    static const uint64_t fresh[] = {1010, 1005, 1000};
    for (unsigned quorum = 1; quorum <= 3; quorum++) {
        use_policy(quorum);
        make(&proof);
        CHECK_STATUS(ACD_OK, verify());
        CHECK(facts.cosigned.reached == reached[quorum - 1] && facts.cosigned.fresh == fresh[quorum - 1]);
    }
}

static acd_status final(uint64_t at, uint64_t lifetime, uint64_t now, uint64_t age)
{
    return acd_proof_check_final(&facts, at, lifetime, 5, now, age);
}

static void an_outcome_is_final_between_its_time_and_its_lifetime(void)
{
    sample_proof proof = good_proof();
    use_policy(2);
    make(&proof);
    CHECK_STATUS(ACD_OK, verify()); /* reached and fresh are 1005 */
    CHECK_STATUS(ACD_OK, final(1000, 1006, 1006, 0));
    CHECK_STATUS(ACD_OK, final(1010, 1100, 1006, 0));             /* five seconds of skew */
    CHECK_STATUS(ACD_ERR_MISMATCH, final(1011, 1100, 1006, 0));   /* cosigned before it was made */
    CHECK_STATUS(ACD_ERR_MISMATCH, final(1000, 1005, 1006, 0));   /* too late for a commit */
    CHECK_STATUS(ACD_OK, final(1000, 1006, UINT64_MAX, 0));       /* no age limit */
    CHECK_STATUS(ACD_OK, final(1000, 1006, 1105, 100));
    CHECK_STATUS(ACD_ERR_EXPIRED, final(1000, 1006, 1106, 100));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_proof_check_final(NULL, 0, 0, 0, 0, 0));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    acd_leaf leaf = {.kind = ACD_LEAF_COMMIT, .at = 1000};
    CHECK_STATUS(ACD_OK, acd_leaf_hash(leaf_hash, &leaf));
    RUN(a_leaf_is_read_as_it_was_written);
    RUN(checkpoints_are_three_lines_in_one_spelling);
    RUN(a_proof_with_a_quorum_holds_in_both_forms);
    RUN(every_place_in_trees_of_every_size_up_to_40_is_proved);
    RUN(text_and_packed_turn_into_each_other);
    RUN(too_few_cosignatures_are_no_quorum);
    RUN(another_log_or_leaf_is_refused);
    RUN(a_log_speaks_for_its_own_origin);
    RUN(no_bit_of_a_packed_proof_is_idle);
    RUN(no_bit_of_a_text_proof_is_idle);
    RUN(a_bad_signature_by_a_known_witness_spoils_the_proof);
    RUN(extra_data_is_passed_over);
    RUN(a_path_has_the_length_that_its_place_wants);
    RUN(sizes_and_pointers_are_bounded);
    RUN(times_are_those_by_which_a_quorum_saw_it);
    RUN(an_outcome_is_final_between_its_time_and_its_lifetime);
    return TEST_RESULT();
}
