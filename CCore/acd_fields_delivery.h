/* acd_fields_delivery.h: fields of delivery at a counter (D0 to D3, delegation). Part of acd_message_table.c,
 * which alone includes it and says what holds for all rows. */
#ifndef ACD_FIELDS_DELIVERY_H
#define ACD_FIELDS_DELIVERY_H

#define PARCEL(key, req) TEXT(key, req, 1, 35, "parcel")

static const acd_field d0_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "arrived"),
    PARCEL(ACD_D0_PARCEL, REQUIRED),
};

static const acd_field d1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    TIME(ACD_KEY_AT, REQUIRED, "time"),
    ID(ACD_KEY_NONCE, REQUIRED, "nonce"),
    HASH(ACD_D1_OFFICE, REQUIRED, "office"),
    PARCEL(ACD_D1_PARCEL, REQUIRED),
    HASH(ACD_D1_H_P5A, REQUIRED, "hP5a"),
    UINT(ACD_D1_INTENT, REQUIRED, ACD_INTENT_COLLECT, ACD_INTENT_REFUSE_WRONG, "intent"),
    TEXT(ACD_D1_INVENTORY, OPTIONAL, 1, 512, "inventory"),
};

static const acd_field d2_fields[] = {
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hD1"),
    UINT(ACD_D2_INTENT, REQUIRED, ACD_INTENT_COLLECT, ACD_INTENT_REFUSE_WRONG, "intent"),
};

/* An outcome without a customer at the counter has no D2, and names the parcel instead. */
static const acd_field d3_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "time"),
    HASH(ACD_KEY_H_REQUEST, OPTIONAL, "hD2"),
    UINT(ACD_D3_STAGE, REQUIRED, ACD_STAGE_VERIFIED, ACD_STAGE_FINAL, "stage"),
    UINT(ACD_D3_OUTCOME, REQUIRED, ACD_OUTCOME_HANDED_OVER, ACD_OUTCOME_RETURNED, "outcome"),
    UINT(ACD_D3_INDEX, REQUIRED, 0, UINT64_C(1) << 48, "index"),
    HASH(ACD_D3_PREVIOUS, OPTIONAL, "previous"),
    PARCEL(ACD_D3_PARCEL, OPTIONAL),
};

static const acd_field delegation_fields[] = {
    TIME(ACD_KEY_UNTIL, REQUIRED, "until"),
    HASH(ACD_DELEGATION_KEY, REQUIRED, "key"),
    PARCEL(ACD_DELEGATION_PARCEL, REQUIRED),
};

#endif
