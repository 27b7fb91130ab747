/* acd_test_base45.c: Base45. Source: RFC 9285 s. 4.3 and 4.4. */
#include "acd_sample.h"
#include "acd_test.h"

static void the_examples_of_the_rfc_hold(void)
{
    static const struct {
        const char *bytes, *text;
    } examples[] = {{"", ""},
                    {"AB", "BB8"},
                    {"Hello!!", "%69 VD92EX0"},
                    {"base-45", "UJCLQE7W581"},
                    {"ietf!", "QED8WEX0"}};
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        char text[32];
        uint8_t bytes[32];
        size_t len = 99;
        size_t bytes_len = strlen(examples[i].bytes);
        size_t text_len = strlen(examples[i].text);
        CHECK_STATUS(ACD_OK, acd_base45_encode(text, text_len, &len, examples[i].bytes, bytes_len));
        CHECK(len == text_len && len == ACD_BASE45_ENCODED_SIZE(bytes_len));
        CHECK_BYTES(text, examples[i].text, len);
        CHECK_STATUS(ACD_OK, acd_base45_decode(bytes, bytes_len, &len, examples[i].text, text_len));
        CHECK(len == bytes_len);
        CHECK_BYTES(bytes, examples[i].bytes, len);
    }
}

static void every_pair_of_bytes_comes_back(void)
{
    for (unsigned i = 0; i <= 0xffff; i++) {
        uint8_t in[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        uint8_t out[2] = {0, 0};
        char text[3];
        size_t len = 0;
        int holds = acd_base45_encode(text, 3, &len, in, 2) == ACD_OK &&
                    acd_base45_decode(out, 2, &len, text, 3) == ACD_OK && memcmp(in, out, 2) == 0;
        if (!holds || i == 0xffff) {
            CHECK(holds);
        }
    }
}

static void impossible_texts_are_refused(void)
{
    uint8_t out[8];
    size_t len = 0;
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_base45_decode(out, 8, &len, "A", 1));
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_base45_decode(out, 8, &len, "BB8A", 4));
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_base45_decode(out, 8, &len, "GGW", 3)); /* 65,536 */
    CHECK_STATUS(ACD_OK, acd_base45_decode(out, 8, &len, "FGW", 3));              /* 65,535 */
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_base45_decode(out, 8, &len, ":::", 3));
    CHECK_STATUS(ACD_ERR_FIELD_RANGE, acd_base45_decode(out, 8, &len, "V5", 2)); /* 256 */
    CHECK_STATUS(ACD_OK, acd_base45_decode(out, 8, &len, "U5", 2));              /* 255 */
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_base45_decode(out, 8, &len, "bb8", 3));
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_base45_decode(out, 8, &len, "BB8a0", 5));
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_base45_decode(out, 8, &len, "A\0", 2));
    CHECK_STATUS(ACD_ERR_MALFORMED, acd_base45_decode(out, 8, &len,
                                                      "\xff"
                                                      "AA",
                                                      3));
}

static void too_little_room_is_noticed(void)
{
    char text[3];
    uint8_t out[2];
    size_t len = 0;
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_base45_encode(text, 2, &len, "AB", 2));
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_base45_decode(out, 1, &len, "BB8", 3));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_base45_encode(text, 3, &len, NULL, 2));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_base45_encode(NULL, 3, &len, "AB", 2));
    CHECK_STATUS(ACD_ERR_MISUSE, acd_base45_decode(out, 2, &len, NULL, 3));
    CHECK_STATUS(ACD_OK, acd_base45_decode(NULL, 0, &len, NULL, 0));
    CHECK(len == 0);
}

int main(void)
{
    RUN(the_examples_of_the_rfc_hold);
    RUN(every_pair_of_bytes_comes_back);
    RUN(impossible_texts_are_refused);
    RUN(too_little_room_is_noticed);
    return TEST_RESULT();
}
