/* acd_test_cbor.c: the CBOR dialect, decoder and encoder. Source: RFC 8949 s. 4.2.1, acd/cbor.h. */
#include "acd_sample.h"
#include "acd_test.h"

static acd_status check_hex(const char *hex)
{
    sample bytes = sample_hex(hex);
    acd_status status = acd_cbor_check(bytes.bytes, bytes.len);
    sample_reset();
    return status;
}

static void items_of_the_dialect_are_accepted(void)
{
    static const char *const accepted[] = {"00",
                                           "17",
                                           "1818",
                                           "18ff",
                                           "190100",
                                           "19ffff",
                                           "1a00010000",
                                           "1b0000000100000000",
                                           "1bffffffffffffffff",
                                           "20",
                                           "37",
                                           "3818",
                                           "3bffffffffffffffff",
                                           "40",
                                           "4101",
                                           "60",
                                           "6161",
                                           "62c3a9",
                                           "63e6b0b4",
                                           "64f0909191",
                                           "80",
                                           "820102",
                                           "a0",
                                           "a2000120 02",
                                           "a2170137 02",
                                           "d200",
                                           "d280",
                                           "f4",
                                           "f5",
                                           "f6",
                                           "8181a10081a12000"};
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        CHECK_STATUS(ACD_OK, check_hex(accepted[i]));
    }
}

static void a_longer_form_than_needed_is_refused(void)
{
    static const char *const refused[] = {"1817", "1900ff", "1a0000ffff",  "1b00000000ffffffff",
                                          "3800", "5800",   "780161",      "9800",
                                          "b800", "d812",   "590003010203"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_NOT_SHORTEST, check_hex(refused[i]));
    }
}

static void an_input_that_ends_too_early_is_refused(void)
{
    static const char *const refused[] = {"",
                                          "18",
                                          "1901",
                                          "1a010203",
                                          "1b01020304050607",
                                          "41",
                                          "6261",
                                          "8201",
                                          "a1",
                                          "a100",
                                          "d2",
                                          "5b00000001",
                                          "9b7fffffffffffffff",
                                          "bb7fffffffffffffff",
                                          "5bffffffffffffffff",
                                          "bbffffffffffffffff"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_TRUNCATED, check_hex(refused[i]));
    }
}

/* Cut to 32 bits, where size_t has no more, each of these lengths would be that of what follows. */
static void a_length_counts_with_all_its_64_bits(void)
{
    static const char *const refused[] = {"5b0000000100000001 00", "7b0000000100000001 61",
                                          "9b0000000100000001 00", "bb0000000100000001 00 00",
                                          "5b0000000100000000",    "81 5b8000000000000001 00"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_TRUNCATED, check_hex(refused[i]));
    }
}

static void indefinite_lengths_and_breaks_are_refused(void)
{
    static const char *const refused[] = {"5f4101ff", "7f6161ff", "9f01ff", "bf0001ff", "ff", "81ff"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_INDEFINITE, check_hex(refused[i]));
    }
}

static void kinds_that_never_occur_are_refused(void)
{
    static const char *const refused[] = {
        "f7", "f0", "e0",   "f3",   "f93c00", "fa3f800000", "fb3ff0000000000000", "f820", "1c", "3d",
        "5e", "9c", "c000", "d100", "d300",   "d8ff00"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_MALFORMED, check_hex(refused[i]));
    }
}

static void map_keys_are_integers_in_order_and_unique(void)
{
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, check_hex("a200010001"));
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, check_hex("a220012001"));
    CHECK_STATUS(ACD_ERR_KEY_ORDER, check_hex("a201000000"));
    CHECK_STATUS(ACD_ERR_KEY_ORDER, check_hex("a220000000"));
    CHECK_STATUS(ACD_ERR_KEY_ORDER, check_hex("a221002000"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1616100"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1410000"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1f400"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1181800"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1381800"));
    CHECK_STATUS(ACD_ERR_FIELD_KIND, check_hex("a1a00000"));
    CHECK_STATUS(ACD_ERR_DUPLICATE_KEY, check_hex("81a100a2000000 00"));
}

static void text_is_strict_utf8(void)
{
    static const char *const refused[] = {"6180",     "61ff",     "62c080",      "62c1bf",     "63e08080",
                                          "63eda080", "63edbfbf", "64f08080 80", "64f4908080", "64f8808080",
                                          "61c3",     "62c328",   "63e28228"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(ACD_ERR_UTF8, check_hex(refused[i]));
    }
    CHECK_STATUS(ACD_OK, check_hex("63ed9fbf"));
    CHECK_STATUS(ACD_OK, check_hex("63ee8080"));
    CHECK_STATUS(ACD_OK, check_hex("64f48fbfbf"));
}

static void nesting_is_bounded(void)
{
    uint8_t bytes[ACD_CBOR_DEPTH_MAX + 2];
    memset(bytes, 0x81, sizeof bytes);
    bytes[ACD_CBOR_DEPTH_MAX] = 0x00;
    CHECK_STATUS(ACD_OK, acd_cbor_check(bytes, ACD_CBOR_DEPTH_MAX + 1));
    bytes[ACD_CBOR_DEPTH_MAX] = 0x80;
    CHECK_STATUS(ACD_ERR_DEPTH, acd_cbor_check(bytes, ACD_CBOR_DEPTH_MAX + 1));
    memset(bytes, 0xd2, sizeof bytes);
    CHECK_STATUS(ACD_ERR_DEPTH, acd_cbor_check(bytes, sizeof bytes));
}

static void bytes_after_the_item_are_refused(void)
{
    CHECK_STATUS(ACD_ERR_TRAILING, check_hex("0000"));
    CHECK_STATUS(ACD_ERR_TRAILING, check_hex("a000"));
}

static void an_error_stays_with_the_reader(void)
{
    static const uint8_t bytes[] = {0xff, 0x00};
    acd_cbor_reader reader;
    acd_cbor_item item;
    const uint8_t *found = NULL;
    size_t len = 0;
    acd_cbor_reader_init(&reader, bytes, sizeof bytes);
    CHECK_STATUS(ACD_ERR_INDEFINITE, acd_cbor_next(&reader, &item));
    CHECK_STATUS(ACD_ERR_INDEFINITE, acd_cbor_next(&reader, &item));
    CHECK_STATUS(ACD_ERR_INDEFINITE, acd_cbor_skip(&reader, &found, &len));
    CHECK_STATUS(ACD_ERR_INDEFINITE, acd_cbor_finish(&reader));
    acd_cbor_reader_init(&reader, NULL, 1);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_cbor_next(&reader, &item));
    acd_cbor_reader_init(&reader, NULL, 0);
    CHECK_STATUS(ACD_ERR_TRUNCATED, acd_cbor_next(&reader, &item));
}

static void the_reader_gives_values_and_borrows_strings(void)
{
    static const uint8_t bytes[] = {0x83, 0x19, 0x01, 0x00, 0x21, 0x42, 0xaa, 0xbb};
    acd_cbor_reader reader;
    acd_cbor_item item;
    acd_cbor_reader_init(&reader, bytes, sizeof bytes);
    CHECK_STATUS(ACD_OK, acd_cbor_next(&reader, &item));
    CHECK(item.kind == ACD_CBOR_ARRAY && item.number == 3);
    CHECK_STATUS(ACD_OK, acd_cbor_next(&reader, &item));
    CHECK(item.kind == ACD_CBOR_UINT && item.number == 256);
    CHECK_STATUS(ACD_OK, acd_cbor_next(&reader, &item));
    CHECK(item.kind == ACD_CBOR_NEGATIVE && item.number == 1);
    CHECK_STATUS(ACD_ERR_TRAILING, acd_cbor_finish(&reader));
    CHECK_STATUS(ACD_OK, acd_cbor_next(&reader, &item));
    CHECK(item.kind == ACD_CBOR_BYTES && item.number == 2 && item.bytes == bytes + 6);
    CHECK_STATUS(ACD_OK, acd_cbor_finish(&reader));
}

static void skip_gives_the_whole_item(void)
{
    static const uint8_t bytes[] = {0xa1, 0x00, 0x82, 0x01, 0x02, 0xf5};
    acd_cbor_reader reader;
    const uint8_t *found = NULL;
    size_t len = 0;
    acd_cbor_reader_init(&reader, bytes, sizeof bytes);
    CHECK_STATUS(ACD_OK, acd_cbor_skip(&reader, &found, &len));
    CHECK(found == bytes && len == 5);
    CHECK_STATUS(ACD_OK, acd_cbor_skip(&reader, &found, &len));
    CHECK(found == bytes + 5 && len == 1);
    CHECK_STATUS(ACD_OK, acd_cbor_finish(&reader));
}

static void the_writer_uses_the_shortest_forms(void)
{
    static const uint64_t numbers[] = {
        0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    static const size_t sizes[] = {1, 1, 2, 2, 3, 3, 5, 5, 9, 9};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        acd_cbor_writer writer;
        size_t len = 0;
        acd_cbor_writer_init(&writer, out, sizeof out);
        acd_cbor_put_uint(&writer, numbers[i]);
        CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &len));
        CHECK(len == sizes[i]);
        CHECK_STATUS(ACD_OK, acd_cbor_check(out, len));
    }
}

static void every_kind_is_written_as_it_is_read(void)
{
    static const uint8_t expected[] = {0x8b, 0x18, 0x64, 0x38, 0x63, 0x42, 1,    2,    0x62, 0xc3,
                                       0xa9, 0xf4, 0xf5, 0xf6, 0xa1, 0x00, 0x01, 0xd2, 0x00, 0x3b,
                                       0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x20};
    uint8_t out[64];
    size_t len = 0;
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out, sizeof out);
    acd_cbor_put_array(&writer, 11);
    acd_cbor_put_int(&writer, 100);
    acd_cbor_put_int(&writer, -100);
    acd_cbor_put_bytes(&writer, "\x01\x02", 2);
    acd_cbor_put_text(&writer, "\xc3\xa9", 2);
    acd_cbor_put_bool(&writer, 0);
    acd_cbor_put_bool(&writer, 7);
    acd_cbor_put_null(&writer);
    acd_cbor_put_map(&writer, 1);
    acd_cbor_put_uint(&writer, 0);
    acd_cbor_put_uint(&writer, 1);
    acd_cbor_put_tag(&writer, 18);
    acd_cbor_put_uint(&writer, 0);
    acd_cbor_put_int(&writer, INT64_MIN);
    acd_cbor_put_raw(&writer, "\x20", 1);
    CHECK_STATUS(ACD_OK, acd_cbor_writer_finish(&writer, &len));
    CHECK(len == sizeof expected);
    CHECK_BYTES(out, expected, sizeof expected);
    CHECK_STATUS(ACD_OK, acd_cbor_check(out, len));
}

static void a_full_writer_stays_full(void)
{
    uint8_t out[3] = {9, 9, 9};
    size_t len = 99;
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out, 2);
    acd_cbor_put_uint(&writer, 1000);
    CHECK(writer.len == 3);
    acd_cbor_put_uint(&writer, 1);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_cbor_writer_finish(&writer, &len));
    CHECK(len == 99 && out[0] == 9 && out[2] == 9);
    acd_cbor_writer_init(&writer, NULL, 0);
    acd_cbor_put_bytes(&writer, "abc", 3);
    CHECK_STATUS(ACD_ERR_NO_SPACE, acd_cbor_writer_finish(&writer, &len));
    acd_cbor_writer_init(&writer, NULL, 4);
    acd_cbor_put_uint(&writer, 1);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_cbor_writer_finish(&writer, &len));
    acd_cbor_writer_init(&writer, out, sizeof out);
    acd_cbor_put_uint(&writer, 0);
    acd_cbor_put_bytes(&writer, NULL, 1);
    acd_cbor_put_bytes(&writer, NULL, 1);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_cbor_writer_finish(&writer, &len));
    acd_cbor_writer_init(&writer, out, sizeof out);
    acd_cbor_put_uint(&writer, 0);
    acd_cbor_put_raw(&writer, out, SIZE_MAX);
    CHECK_STATUS(ACD_ERR_TOO_LARGE, acd_cbor_writer_finish(&writer, &len));
}

static void text_that_is_not_utf8_is_not_written(void)
{
    uint8_t out[8];
    size_t len = 0;
    acd_cbor_writer writer;
    acd_cbor_writer_init(&writer, out, sizeof out);
    acd_cbor_put_text(&writer, "\xff", 1);
    acd_cbor_put_uint(&writer, 1);
    CHECK_STATUS(ACD_ERR_UTF8, acd_cbor_writer_finish(&writer, &len));
    acd_cbor_writer_init(&writer, out, sizeof out);
    acd_cbor_put_text(&writer, NULL, 1);
    CHECK_STATUS(ACD_ERR_MISUSE, acd_cbor_writer_finish(&writer, &len));
}

int main(void)
{
    RUN(items_of_the_dialect_are_accepted);
    RUN(a_longer_form_than_needed_is_refused);
    RUN(an_input_that_ends_too_early_is_refused);
    RUN(a_length_counts_with_all_its_64_bits);
    RUN(indefinite_lengths_and_breaks_are_refused);
    RUN(kinds_that_never_occur_are_refused);
    RUN(map_keys_are_integers_in_order_and_unique);
    RUN(text_is_strict_utf8);
    RUN(nesting_is_bounded);
    RUN(bytes_after_the_item_are_refused);
    RUN(an_error_stays_with_the_reader);
    RUN(the_reader_gives_values_and_borrows_strings);
    RUN(skip_gives_the_whole_item);
    RUN(the_writer_uses_the_shortest_forms);
    RUN(every_kind_is_written_as_it_is_read);
    RUN(a_full_writer_stays_full);
    RUN(text_that_is_not_utf8_is_not_written);
    return TEST_RESULT();
}
