/* acd_test_cbor_corpus.c: the CBOR working group's vectors: those inside our dialect decode and re-encode to
 * the same bytes, all others are refused. */
#include "acd_test.h"
#include "acd_third_party.h"

/* Writes again, item by item, what was read. */
static int re_encodes(sample in)
{
    uint8_t *out = sample_alloc(in.len + 16);
    acd_cbor_writer writer;
    acd_cbor_reader reader;
    size_t len = 0;
    acd_cbor_writer_init(&writer, out, in.len + 16);
    acd_cbor_reader_init(&reader, in.bytes, in.len);
    while (reader.at < reader.end) {
        acd_cbor_item item;
        if (acd_cbor_next(&reader, &item) != ACD_OK) {
            return 0;
        }
        switch (item.kind) {
        case ACD_CBOR_UINT: acd_cbor_put_uint(&writer, item.number); break;
        case ACD_CBOR_NEGATIVE:
            if (item.number > INT64_MAX) {
                return 1; /* below what acd_cbor_put_int takes */
            }
            acd_cbor_put_int(&writer, -1 - (int64_t)item.number);
            break;
        case ACD_CBOR_BYTES: acd_cbor_put_bytes(&writer, item.bytes, (size_t)item.number); break;
        case ACD_CBOR_TEXT: acd_cbor_put_text(&writer, item.bytes, (size_t)item.number); break;
        case ACD_CBOR_ARRAY: acd_cbor_put_array(&writer, item.number); break;
        case ACD_CBOR_MAP: acd_cbor_put_map(&writer, item.number); break;
        case ACD_CBOR_TAG: acd_cbor_put_tag(&writer, item.number); break;
        case ACD_CBOR_SIMPLE:
            if (item.number == 22u) {
                acd_cbor_put_null(&writer);
            } else {
                acd_cbor_put_bool(&writer, item.number == 21u);
            }
            break;
        }
    }
    return acd_cbor_writer_finish(&writer, &len) == ACD_OK && len == in.len &&
           memcmp(out, in.bytes, len) == 0;
}

/* Whether appendix A's example is inside the dialect; by hand, from RFC 8949. */
static int is_inside(const char *hex)
{
    static const char *const inside[] = {"00",
                                         "01",
                                         "0a",
                                         "17",
                                         "1818",
                                         "1819",
                                         "1864",
                                         "1903e8",
                                         "1a000f4240",
                                         "1b000000e8d4a51000",
                                         "1bffffffffffffffff",
                                         "3bffffffffffffffff",
                                         "20",
                                         "29",
                                         "3863",
                                         "3903e7",
                                         "f4",
                                         "f5",
                                         "f6",
                                         "40",
                                         "4401020304",
                                         "60",
                                         "6161",
                                         "6449455446",
                                         "62225c",
                                         "62c3bc",
                                         "63e6b0b4",
                                         "64f0908591",
                                         "80",
                                         "83010203",
                                         "8301820203820405",
                                         "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
                                         "a0",
                                         "a201020304"};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        if (strcmp(inside[i], hex) == 0) {
            return 1;
        }
    }
    return 0;
}

int main(void)
{
    json_t *good = third_party_json("cbor/appendix_a.json");
    json_t *bad = third_party_json("cbor/fail.json");
    if (good == NULL || bad == NULL) {
        json_decref(good);
        json_decref(bad);
        return third_party_absent();
    }
    size_t i = 0;
    int accepted = 0;
    json_t *test = NULL;
    json_array_foreach(good, i, test)
    {
        sample_reset();
        sample bytes = json_bytes(test, "hex");
        acd_status status = acd_cbor_check(bytes.bytes, bytes.len);
        if ((status == ACD_OK) != is_inside(json_text(test, "hex"))) {
            fprintf(stderr, "%s: %s\n", json_text(test, "hex"), acd_status_name(status));
        }
        CHECK((status == ACD_OK) == is_inside(json_text(test, "hex")));
        if (status == ACD_OK) {
            accepted++;
            CHECK(re_encodes(bytes));
        }
    }
    json_array_foreach(bad, i, test)
    {
        sample_reset();
        sample bytes = json_bytes(test, "hex");
        CHECK(acd_cbor_check(bytes.bytes, bytes.len) != ACD_OK);
    }
    printf("appendix A: %d of %u are inside the dialect; ill-formed: %u\n", accepted,
           (unsigned)json_array_size(good), (unsigned)json_array_size(bad));
    CHECK(accepted == 34 && json_array_size(good) >= 82 && json_array_size(bad) >= 568);
    json_decref(good);
    json_decref(bad);
    return TEST_RESULT();
}
