/* acd_fields_modes.h: fields of early commitment, the joint bank-archive and repeated transactions
 * (FIGS. 5 to 8). Part of acd_message_table.c, which alone includes it and says what holds for all rows. */
#ifndef ACD_FIELDS_MODES_H
#define ACD_FIELDS_MODES_H

/* MARK: Early commitment (FIG. 5) */

static const acd_field e1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_HX, REQUIRED, "hx"),
    HASH(ACD_KEY_SALT, REQUIRED, "salt"),
    MAP(ACD_E1_CONTRACT, REQUIRED, ACD_CONTRACT, "contract"),
    HASH(ACD_E1_MASK, REQUIRED, "r"),
};

static const acd_field e4_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_ROOT, REQUIRED, "root"),
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"),
};

static const acd_field e5_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_E5_H_E4, REQUIRED, "hE4"),
};

static const acd_field e6_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_X, REQUIRED, "x"),
    HASH(ACD_E6_H_E4, REQUIRED, "hE4"),
    UINT(ACD_E6_KIND, REQUIRED, ACD_DELIVERY_ACKNOWLEDGED, ACD_DELIVERY_FORCED, "kind"),
};

static const acd_field held_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_ROOT, REQUIRED, "root"),
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"),
    TIME(ACD_KEY_UNTIL, REQUIRED, "held_until"),
    HASH(ACD_HELD_H_GOODS, REQUIRED, "hE4"),
};

static const acd_field e7a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_COMMIT_SUBMISSION, REQUIRED, ACD_E6, 1024, "E6"),
    MESSAGE(ACD_COMMIT_ACKNOWLEDGEMENT, OPTIONAL, ACD_E5, 1024, "E5"),
    MESSAGE(ACD_COMMIT_HELD, OPTIONAL, ACD_HELD, 1024, "Held"),
};

/* MARK: Joint bank-archive (FIGS. 6 and 7) */

/* JA4 and JB3: one says which lock, the other comes before there is any. */
static const acd_field ja4_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "value"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
};

static const acd_field ja5a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_COMMIT_SUBMISSION, REQUIRED, ACD_JA4, 1024, "JA4"),
};

static const acd_field jb2ack_fields[] = {
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hJB2"),
};

static const acd_field jb3_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "value"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
};

static const acd_field jb4a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hJB2"),
    MESSAGE(ACD_COMMIT_SUBMISSION, REQUIRED, ACD_JB3, 1024, "JB3"),
};

static const acd_field jb4b_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    UINT(ACD_KEY_REASON, REQUIRED, 1, 255, "failed"),
    HASH(ACD_KEY_H_REQUEST, REQUIRED, "hJB2"),
};

/* MARK: Repeated transactions (FIG. 8) */

#define INDEX(min) UINT(ACD_R_INDEX, REQUIRED, min, UINT64_C(1) << 32, "i")

static const acd_field r1_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_HX, REQUIRED, "hx"),
    HASH(ACD_KEY_ROOT, REQUIRED, "root"),
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"),
    HASH(ACD_KEY_SALT, REQUIRED, "salt"),
    MAP(ACD_R1_CONTRACT, REQUIRED, ACD_CONTRACT, "contract"),
    HASH(ACD_R1_MASK, REQUIRED, "r"),
};

static const acd_field r2_fields[] = {
    REQUEST_FIELDS("budget"),
    MONEY(ACD_TERMS_BASE, REQUIRED, "base"),
};

static const acd_field r3_fields[] = {
    LOCK_FIELDS("budget"),
    MONEY(ACD_TERMS_BASE, REQUIRED, "base"),
};

static const acd_field r4_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
    UINT(ACD_R_INDEX, REQUIRED, 0, 0, "i"),
};

static const acd_field r5_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "running_total_max"),
    INDEX(1),
    ID(ACD_R5_REQUEST, REQUIRED, "offer"),
    HASH(ACD_R5_H_PREVIOUS, REQUIRED, "hPrevious"),
};

static const acd_field r6_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "running_total"),
    HASH(ACD_KEY_HX, REQUIRED, "hx"),
    HASH(ACD_KEY_ROOT, REQUIRED, "root"),
    UINT(ACD_KEY_LENGTH, REQUIRED, 0, UINT64_C(1) << 49, "length"),
    HASH(ACD_KEY_SALT, REQUIRED, "salt"),
    INDEX(1),
    MAP(ACD_R6_CONTRACT, REQUIRED, ACD_CONTRACT, "contract"),
    HASH(ACD_R6_H_PREVIOUS, REQUIRED, "hPrevious"),
};

static const acd_field r7_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_MERCHANT, REQUIRED, "M"),
    MONEY(ACD_KEY_VALUE, REQUIRED, "running_total"),
    HASH(ACD_KEY_HX, REQUIRED, "hx"),
    INDEX(1),
    HASH(ACD_R7_H_R6, REQUIRED, "hR6"),
};

static const acd_field r8_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    HASH(ACD_KEY_X, REQUIRED, "k"),
    INDEX(1),
};

static const acd_field r9_fields[] = {
    ID(ACD_KEY_N, REQUIRED, "n"),
    TIME(ACD_KEY_EXPIRATION, REQUIRED, "expiration"),
    HASH(ACD_KEY_H_P1, REQUIRED, "hP1"),
    HASH(ACD_KEY_LOCK, REQUIRED, "L"),
    HASH(ACD_KEY_X, REQUIRED, "x"),
    INDEX(0),
    HASH(ACD_R9_H_ITEM, REQUIRED, "hItem"),
    UINT(ACD_R9_KIND, REQUIRED, ACD_DELIVERY_ACKNOWLEDGED, ACD_DELIVERY_FORCED, "kind"),
    HASH(ACD_R9_X_PREVIOUS, OPTIONAL, "x_previous"),
};

static const acd_field r10a_fields[] = {
    TIME(ACD_KEY_LIFETIME, REQUIRED, "lifetime"),
    TIME(ACD_KEY_AT, REQUIRED, "at"),
    MESSAGE(ACD_COMMIT_SUBMISSION, REQUIRED, ACD_R9, 1024, "R9"),
    MESSAGE(ACD_COMMIT_ACKNOWLEDGEMENT, OPTIONAL, ACD_R7, 1024, "R7"),
    MESSAGE(ACD_COMMIT_HELD, OPTIONAL, ACD_HELD, 1024, "Held"),
    MESSAGE(ACD_COMMIT_ITEM, OPTIONAL, ACD_R6, 4096, "R6"),
    MESSAGE(ACD_COMMIT_REQUEST, OPTIONAL, ACD_R5, 1024, "R5"),
};

#endif
