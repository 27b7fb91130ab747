/* acd_test_policy.c: trust policies. Source: C2SP tlog-policy, rule by rule; its example. */
#include "acd_sample_log.h"
#include "acd_test.h"

static char text[32768];
static acd_policy policy;
static char vkeys[40][512]; /* of witnesses 0 … */
static char log_vkey[512];

static acd_status read(const char *policy_text)
{
    return acd_policy_read(&policy, policy_text, strlen(policy_text));
}

/* Puts the witnesses w0 … in front, as the example does. */
static acd_status read_with(unsigned witnesses, const char *rest)
{
    text[0] = '\0';
    for (unsigned i = 0; i < witnesses; i++) {
        sample_put(text, "witness w%u %s\n", i, vkeys[i]);
    }
    sample_put(text, "%s", rest);
    return read(text);
}

static void the_example_of_the_specification_decides(void)
{
    CHECK_STATUS(ACD_OK, read_with(6, "group X-witnesses 2 w0 w1 w2\n"
                                      "group Y-witnesses any w3 w4 w5\n\n"
                                      "group X-and-Y all X-witnesses Y-witnesses\n"
                                      "quorum X-and-Y\n"));
    CHECK(policy.name_count == 9 && policy.log_count == 0 && !policy.is_none);
    for (uint64_t who = 0; who < 64; who++) {
        unsigned x = (unsigned)((who & 1) + (who >> 1 & 1) + (who >> 2 & 1));
        CHECK(acd_policy_holds(&policy, who) == (x >= 2 && (who >> 3) != 0));
    }
    /* Bits of groups are no witnesses. */
    CHECK(!acd_policy_holds(&policy, UINT64_C(0x1c0)) && !acd_policy_holds(&policy, ~UINT64_C(0x3f)));
}

static void a_quorum_can_be_one_witness_or_none(void)
{
    CHECK_STATUS(ACD_OK, read_with(2, "quorum w1\n"));
    CHECK(acd_policy_holds(&policy, 2) && !acd_policy_holds(&policy, 1) && !acd_policy_holds(&policy, 0));
    CHECK_STATUS(ACD_OK, read("quorum none\n"));
    CHECK(policy.is_none && acd_policy_holds(&policy, 0));
    CHECK(!acd_policy_holds(NULL, 1));
}

static void space_comments_and_urls_change_nothing(void)
{
    snprintf(text, sizeof text,
             "# a policy\n\n \t # \xff\xe2\x84\xaa\n\tlog  %s\thttps://log.example/ \n"
             " witness\tK\xe2\x84\xaa %s  https://w.example\n\t\nquorum K\xe2\x84\xaa \t\n",
             log_vkey, vkeys[0]);
    CHECK_STATUS(ACD_OK, read(text));
    acd_note_key key;
    CHECK_STATUS(ACD_OK, acd_policy_log(&key, &policy, 0));
    CHECK(key.type == ACD_NOTE_ED25519 && key.name_len == strlen(SAMPLE_ORIGIN));
    CHECK_STATUS(ACD_OK, acd_policy_witness(&key, &policy, 0));
    CHECK(key.type == ACD_NOTE_COSIGNATURE);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_policy_log(&key, &policy, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_policy_witness(&key, &policy, 1));
    CHECK_STATUS(ACD_OK, read_with(1, "group g all w0\nquorum g\n"));
    CHECK_STATUS(ACD_ERR_MISMATCH, acd_policy_witness(&key, &policy, 1));
}

static void what_is_no_policy_is_refused(void)
{
    static const char *const malformed[] = {"",
                                            "quorum w0",               /* no newline */
                                            "quorum\n",
                                            "quorum w0 w1\n",
                                            "quorum w0\nquorum w0\n",
                                            "quorums w0\n",
                                            "group g any w0\n",        /* no quorum */
                                            "group g\nquorum w0\n",
                                            "group g any\nquorum w0\n",
                                            "group g 0 w0\nquorum g\n",
                                            "group g 2 w0\nquorum g\n",
                                            "group g -1 w0\nquorum g\n",
                                            "group none any w0\nquorum w0\n",
                                            "witness none\nquorum w0\n",
                                            "witness w9\nquorum w0\n",
                                            "log\nquorum w0\n",
                                            "quorum w0\r\n",
                                            "# \x7f\nquorum w0\n",
                                            "# \x01\nquorum w0\n"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        acd_status status = read_with(2, malformed[i]);
        if (status != ACD_ERR_MALFORMED) {
            fprintf(stderr, "policy %zu\n", i);
        }
        CHECK_STATUS(ACD_ERR_MALFORMED, status);
    }
    CHECK_STATUS(ACD_ERR_NOT_SHORTEST, read_with(2, "group g 01 w0\nquorum g\n"));
    snprintf(text, sizeof text, "log %s https://a b\nquorum none\n", log_vkey);
    CHECK_STATUS(ACD_ERR_MALFORMED, read(text));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_policy_read(&policy, NULL, 1));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_policy_read(NULL, "quorum none\n", 12));
}

static void names_are_defined_before_and_once(void)
{
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(1, "quorum w1\n"));
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(1, "quorum g\ngroup g any w0\n"));
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(1, "group g any w0 g\nquorum g\n")); /* no circle */
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(1, "group g any none\nquorum g\n"));
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, read_with(1, "group w0 any w0\nquorum w0\n"));
    /* Nobody counts twice. */
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(2, "group g 2 w0 w0\nquorum g\n"));
    CHECK_STATUS(ACD_ERR_MISMATCH, read_with(2, "group g any w0\ngroup h any w0 w1\nquorum h\n"));
    CHECK_STATUS(ACD_OK, read_with(2, "group g any w0\ngroup h all g w1\nquorum h\n"));
}

static void a_public_key_counts_once_whatever_its_name(void)
{
    char again[512];
    sample_vkey(again, "other.example", ACD_NOTE_COSIGNATURE, SAMPLE_WITNESS_SEED);
    snprintf(text, sizeof text, "witness a %s\nwitness b %s\ngroup g all a b\nquorum g\n", vkeys[0], again);
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, read(text));
    sample_vkey(again, "other.example", ACD_NOTE_ED25519, SAMPLE_LOG_SEED);
    snprintf(text, sizeof text, "log %s\nlog %s\nquorum none\n", log_vkey, again);
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, read(text));
}

static void keys_have_the_type_of_their_part(void)
{
    snprintf(text, sizeof text, "log %s\nquorum none\n", vkeys[0]);
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE, read(text));
    snprintf(text, sizeof text, "witness w %s\nquorum w\n", log_vkey);
    CHECK_STATUS(ACD_ERR_UNKNOWN_TYPE, read(text));
    snprintf(text, sizeof text, "log x%s\nquorum none\n", log_vkey);
    CHECK_STATUS(ACD_ERR_MISMATCH, read(text)); /* the id is of another name */
}

static void limits_hold(void)
{
    text[0] = '\0';
    for (unsigned i = 0; i < ACD_POLICY_WITNESSES_MAX; i++) {
        sample_put(text, "witness w%u %s\n", i, vkeys[i]);
    }
    for (unsigned i = 0; i < ACD_POLICY_GROUPS_MAX; i++) {
        sample_put(text, "group g%u all %s%u\n", i, i == 0 ? "w" : "g", i == 0 ? 0 : i - 1);
    }
    size_t len = strlen(text);
    sample_put(text, "quorum g31\n");
    CHECK_STATUS(ACD_OK, read(text));
    CHECK(acd_policy_holds(&policy, 1) && !acd_policy_holds(&policy, ~UINT64_C(1)));
    text[len] = '\0';
    sample_put(text, "group h any w1\nquorum h\n");
    CHECK_STATUS(ACD_ERR_TOO_LARGE, read(text));
    text[len] = '\0';
    sample_put(text, "witness w32 %s\nquorum w0\n", vkeys[32]);
    CHECK_STATUS(ACD_ERR_TOO_LARGE, read(text));
    memset(text, '#', ACD_POLICY_SIZE_MAX + 1);
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_policy_read(&policy, text, ACD_POLICY_SIZE_MAX + 1));
}

int main(void)
{
    CHECK_STATUS(ACD_OK, acd_crypto_init());
    sample_vkey(log_vkey, SAMPLE_ORIGIN, ACD_NOTE_ED25519, SAMPLE_LOG_SEED);
    for (unsigned i = 0; i < sizeof vkeys / sizeof vkeys[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%u.example", i);
        sample_vkey(vkeys[i], name, ACD_NOTE_COSIGNATURE, (uint8_t)(SAMPLE_WITNESS_SEED + i));
    }
    RUN(the_example_of_the_specification_decides);
    RUN(a_quorum_can_be_one_witness_or_none);
    RUN(space_comments_and_urls_change_nothing);
    RUN(what_is_no_policy_is_refused);
    RUN(names_are_defined_before_and_once);
    RUN(a_public_key_counts_once_whatever_its_name);
    RUN(keys_have_the_type_of_their_part);
    RUN(limits_hold);
    return TEST_RESULT();
}
