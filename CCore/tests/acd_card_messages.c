/* acd_card_messages.c: the messages of acd_card_rig.h: what a card signs, and a sale with its receipt and D1.
 * Invariants: what rig_sale_good() says is genuine; each member breaks one rule on its own. */
#include <string.h>
#include "acd_card_rig.h"

static uint8_t *filled(size_t len, uint8_t first)
{
    uint8_t *bytes = sample_alloc(len);
    memset(bytes, 0x77, len);
    bytes[0] = first;
    return bytes;
}

static void set(acd_value *values, acd_message_type type, int key, acd_value value)
{
    values[sample_index(type, key)] = value;
}

static void set_bytes(acd_value *values, acd_message_type type, int key, const void *bytes, size_t len)
{
    set(values, type, key, sample_bytes(bytes, len));
}

/* MARK: What a card signs */

sample rig_structure(acd_message_type type, sample payload, const uint8_t public_key[32])
{
    const char *name = acd_message_info_of(type)->name;
    acd_cbor_writer header;
    acd_cbor_writer whole;
    sample out = {sample_alloc(payload.len + 128), 0};
    uint8_t protected_header[96];
    size_t header_len = 0;
    acd_cbor_writer_init(&header, protected_header, sizeof protected_header);
    acd_cbor_put_map(&header, 3);
    acd_cbor_put_int(&header, 1);
    acd_cbor_put_int(&header, -8);
    acd_cbor_put_int(&header, 4);
    acd_cbor_put_bytes(&header, public_key, 32);
    acd_cbor_put_int(&header, 16);
    acd_cbor_put_text(&header, name, strlen(name));
    acd_cbor_writer_init(&whole, out.bytes, payload.len + 128);
    acd_cbor_put_array(&whole, 4);
    acd_cbor_put_text(&whole, "Signature1", 10);
    if (acd_cbor_writer_finish(&header, &header_len) == ACD_OK) {
        acd_cbor_put_bytes(&whole, protected_header, header_len);
    }
    acd_cbor_put_bytes(&whole, NULL, 0);
    acd_cbor_put_bytes(&whole, payload.bytes, payload.len);
    if (acd_cbor_writer_finish(&whole, &out.len) != ACD_OK) {
        out.len = 0;
    }
    return out;
}

sample rig_payment(acd_message_type type, uint8_t n, uint8_t merchant, uint64_t amount,
                   const uint8_t (*token_keys)[32], size_t count)
{
    acd_value values[ACD_FIELDS_MAX];
    sample inputs[ACD_TOKENS_MAX];
    for (size_t i = 0; i < count; i++) {
        acd_value token[ACD_FIELDS_MAX];
        acd_value input[ACD_FIELDS_MAX];
        sample_values(token, ACD_TOKEN, SAMPLE_SMALL);
        set_bytes(token, ACD_TOKEN, ACD_KEY_TOKEN_KEY, token_keys[i], 32);
        set_bytes(token, ACD_TOKEN, ACD_TOKEN_SERIAL, filled(32, (uint8_t)i), 32);
        sample map = sample_encode(ACD_TOKEN, token);
        sample_values(input, ACD_TOKEN_INPUT, SAMPLE_SMALL);
        set_bytes(input, ACD_TOKEN_INPUT, ACD_TOKEN_INPUT_TOKEN, map.bytes, map.len);
        const uint64_t rest = amount - (count - 1);
        set(input, ACD_TOKEN_INPUT, ACD_TOKEN_INPUT_AMOUNT, sample_uint(i == 0 ? rest : 1));
        inputs[i] = sample_encode(ACD_TOKEN_INPUT, input);
    }
    sample_values(values, type, SAMPLE_SMALL);
    set(values, type, ACD_KEY_VALUE, sample_money("EUR", amount));
    set(values, type, ACD_P2_TOKENS, sample_map_list(inputs, count));
    if (type != ACD_X1) {
        set_bytes(values, type, ACD_KEY_N, filled(16, n), 16);
        set_bytes(values, type, ACD_KEY_MERCHANT, filled(32, merchant), 32);
        set(values, type, ACD_KEY_EXPIRATION, sample_uint(SAMPLE_NOW));
    }
    return sample_encode(type, values);
}

sample rig_acknowledgement(acd_message_type type, uint8_t n, uint8_t hash)
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, type, SAMPLE_SMALL);
    set_bytes(values, type, ACD_KEY_N, filled(16, n), 16);
    set_bytes(values, type, ACD_KEY_MERCHANT, filled(32, 2), 32);
    set_bytes(values, type, type == ACD_SP1 ? ACD_KEY_H_P1 : ACD_E5_H_E4, filled(32, hash), 32);
    return sample_encode(type, values);
}

/* MARK: A sale */

rig_sale rig_sale_good(void)
{
    static uint8_t office[32];
    rig_sale sale;
    memset(&sale, 0, sizeof sale);
    memset(office, 0x0f, sizeof office);
    sale.n = sale.p4_n = 0x10;
    sale.merchant = sale.p4_merchant = 2;
    sale.parcel = sale.d1_parcel = "AC7K2M9QX4PT1B63";
    sale.kiosk = 6;
    sale.p5a_type = ACD_P5A;
    sale.intent = ACD_INTENT_COLLECT;
    sale.office = sale.d1_office = office;
    return sale;
}

static sample contract_of(const rig_sale *sale, const uint8_t pseudonym[32])
{
    acd_value values[ACD_FIELDS_MAX];
    sample_values(values, ACD_CONTRACT, SAMPLE_SMALL);
    set_bytes(values, ACD_CONTRACT, ACD_KEY_PSEUDONYM, pseudonym, 32);
    set(values, ACD_CONTRACT, ACD_CONTRACT_NAME, sample_text("boots"));
    if (sale->parcel != NULL) {
        set(values, ACD_CONTRACT, ACD_CONTRACT_PARCEL, sample_text(sale->parcel));
    }
    if (sale->office != NULL) {
        const sample offices[] = {{filled(32, 0xee), 32}, sample_copy(sale->office, 32)};
        set(values, ACD_CONTRACT, ACD_CONTRACT_OFFICES, sample_bytes_list(offices, 2));
    }
    if (sale->collector != NULL) {
        const sample collectors[] = {{filled(32, 0xcc), 32}, sample_copy(sale->collector, 32)};
        set(values, ACD_CONTRACT, ACD_CONTRACT_COLLECT_KEYS, sample_bytes_list(collectors, 2));
    }
    return sample_encode(ACD_CONTRACT, values);
}

static sample hash_of(sample message, uint8_t flip)
{
    sample out = {sample_alloc(ACD_HASH_SIZE), ACD_HASH_SIZE};
    acd_sha256(out.bytes, message.bytes, message.len);
    out.bytes[0] ^= flip;
    return out;
}

static sample d1_of(const rig_sale *sale, sample p1, sample p5a)
{
    acd_value values[ACD_FIELDS_MAX];
    uint8_t secret_key[ACD_SECRET_KEY_SIZE];
    uint8_t *merchant = sample_alloc(32);
    sample_key(merchant, secret_key, sale->merchant);
    merchant[0] ^= sale->d1_merchant;
    sample_values(values, ACD_D1, SAMPLE_SMALL);
    set_bytes(values, ACD_D1, ACD_KEY_N, filled(16, sale->n ^ sale->d1_n), 16);
    set_bytes(values, ACD_D1, ACD_KEY_MERCHANT, merchant, 32);
    set_bytes(values, ACD_D1, ACD_KEY_H_P1, hash_of(p1, sale->d1_h_p1).bytes, 32);
    set_bytes(values, ACD_D1, ACD_KEY_NONCE, filled(16, sale->d1_nonce), 16);
    set_bytes(values, ACD_D1, ACD_D1_OFFICE, sale->d1_office, 32);
    set(values, ACD_D1, ACD_D1_PARCEL, sample_text(sale->d1_parcel));
    set_bytes(values, ACD_D1, ACD_D1_H_P5A, hash_of(p5a, sale->d1_h_p5a).bytes, 32);
    set(values, ACD_D1, ACD_D1_INTENT, sample_uint(sale->intent));
    return sample_sign(ACD_D1, sample_encode(ACD_D1, values), sale->kiosk);
}

void rig_sale_build(const rig_sale *sale, const uint8_t pseudonym[32], sample *receipt, sample *d1)
{
    acd_value values[ACD_FIELDS_MAX];
    sample contract = contract_of(sale, pseudonym);
    sample_values(values, ACD_P1, SAMPLE_SMALL);
    set_bytes(values, ACD_P1, ACD_KEY_N, filled(16, sale->n), 16);
    set_bytes(values, ACD_P1, ACD_P1_CONTRACT, contract.bytes, contract.len);
    sample p1 = sample_sign(ACD_P1, sample_encode(ACD_P1, values), sale->merchant);
    sample_values(values, ACD_P4, SAMPLE_SMALL);
    set_bytes(values, ACD_P4, ACD_KEY_N, filled(16, sale->p4_n), 16);
    set_bytes(values, ACD_P4, ACD_KEY_H_P1, hash_of(p1, sale->h_p1).bytes, 32);
    sample p4 = sample_sign(ACD_P4, sample_encode(ACD_P4, values), sale->p4_merchant);
    sample_values(values, ACD_P5A, SAMPLE_SMALL);
    set_bytes(values, ACD_P5A, ACD_P5A_P4, p4.bytes, p4.len);
    sample p5a = sample_sign(sale->p5a_type, sample_encode(ACD_P5A, values), 3);
    sample_values(values, ACD_RECEIPT, SAMPLE_SMALL);
    set_bytes(values, ACD_RECEIPT, ACD_RECEIPT_P1, p1.bytes, p1.len);
    set_bytes(values, ACD_RECEIPT, ACD_RECEIPT_P5A, p5a.bytes, p5a.len);
    if (sale->description != NULL) {
        set(values, ACD_RECEIPT, ACD_RECEIPT_DESCRIPTION, sample_text(sale->description));
    }
    *receipt = sample_encode(ACD_RECEIPT, values);
    *d1 = d1_of(sale, p1, p5a);
}

uint16_t rig_store(rig *in, uint8_t flags, uint32_t index, sample receipt)
{
    static uint8_t data[ACD_CARD_WORKSPACE_SIZE]; /* not from the arena: power tests store very often */
    if (receipt.len > sizeof data - 5) {
        return 0;
    }
    data[0] = flags;
    for (int i = 0; i < 4; i++) {
        data[1 + i] = (uint8_t)(index >> (24 - 8 * i));
    }
    memcpy(data + 5, receipt.bytes, receipt.len);
    return rig_command(in, 0xe2, 0, 0, data, 5 + receipt.len, 256);
}
