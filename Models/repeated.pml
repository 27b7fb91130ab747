// Repeated transactions under one lock (catalogue section 9, FIG. 8), with two purchases after the first;
// with -DSHORT the short form, where R7_i rides with R5_i+1 and R8_i with R6_i+1 and M archives the last
// goods by force. A commit of j pays for all up to j, so C signs on only with the keys so far. M gives keys
// before it archives: it must archive while there is time. Here the clock does not reach the expiration while
// an honest M that gave a key has no answer of an honest archive. -DBUG_ARCHIVES_LATE takes that away.
// In the short form C asks for i + 1 before it has k_i. So whoever forces i + 1 has to bring R8_i, and the
// archive checks it and serves it with the ciphertext. -DKNOWN_FORCED_WITHOUT_KEY is the rule without that.
#include "common.pml"

#define R1 0
#define R2 1
#define R2o 2   // the same token in another sale
#define R3M 3
#define R3C 4
#define REFUSAL 5
#define R4 6    // k_0
#define R5_1 7  // request
#define R6_1 8  // ciphertext, total
#define R5_2 11
#define R6_2 12
#ifdef SHORT
#define R7_1 R5_2
#define R8_1 R6_2
#else
#define R7_1 9  // acknowledges R6_1
#define R8_1 10 // k_1
#endif
#define R7_2 13
#define R8_2 14
#define R9_0 15 // x_j with R7_j (j = 0: without); sealed
#define R9_1 16
#define R9_2 17
#define R9F_1 18 // x_j with R5_j, R6_j and the ciphertext: forced
#define R9F_2 19
#define R10a_0 20
#define R10a_1 21
#define R10a_2 22
#define R10b 23
#define GOODS 24 // after a forced commit, from the archive: the ciphertext; in the short form R8_j-1 too
#define CREDIT 25
#define ASK 26
#define CANCEL 27
#define LEAK 28
#define GOODSn 29 // the ciphertext without R8_1 (defect)
#define R9F_2n 30 // forced without R8_1 (short form)
#define COMMITS (BIT(R10a_0) | BIT(R10a_1) | BIT(R10a_2))
#define J (SHOWN(R10a_2) -> 2 : (SHOWN(R10a_1) -> 1 : 0))
#define OUTCOMES_BOTH (SHOWNANY(COMMITS) && SHOWN(R10b))

// Customer, stage: 0 requested, 1 authorised, 2 locked, 3 has k_0, 4 asked for 1, 5 acknowledged 1, 6 has
// k_1, 7 asked for 2, 8 acknowledged 2 (short form: has k_1 and the ciphertext of 2), 9 has k_2; 10, 11 as 7,
// 8 without k_1 (defect). Outcome beside it.
#define PAID_0 16
#define PAID_1 32
#define PAID_2 48
#define C_ABORTED 64
#define C_REFUSED 80
#define c disk[CUSTOMER]
#define stageC(s) ((s) & 15)
#define OPENC (c < 16)
#define owesC(s) IF((s) < 16, IF(s == 1, BIT(R2)) | IF(s == 4, BIT(R5_1)) | IF(s == 5, BIT(R7_1)) \
    | IF(s == 7 || s == 10, BIT(R5_2)) \
  | IF((s == 8 && LONG) || s == 11, BIT(R7_2)) | IF(s >= 2 && now >= EXPIRATION, BIT(ASK)))
#ifdef SHORT
#define LONG 0
#define WITH_K1 8
#else
#define LONG 1
#define WITH_K1 6
#endif
#define HAS_0 (stageC(c) >= 3 || (c >= PAID_0 && c < PAID_1))
#define HAS_1 ((stageC(c) >= WITH_K1 && stageC(c) < 10) || (c >= PAID_1 && c < PAID_2) || (!LONG \
    && GOT(GOODS) && c >= PAID_2))
#define HAS_2 (stageC(c) == 9 || (c >= PAID_2 && c < C_ABORTED))
#define TEXT_1 (stageC(c) >= 5 || GOT(GOODS) || GOT(GOODSn))
#define TEXT_2 (stageC(c) >= 8 || GOT(GOODS) || GOT(GOODSn))

// Merchant, stage: 0 offered, 1 locked and k_0 given, 2 R6_1 given, 3 k_1 given, 4 R6_2 given, 5 k_2 given.
#define PLAIN 8
#define FORCE 16
#define CANCELLING 24
#define M_COMMITTED 32
#define M_CREDITED 64
#define M_ABORTED 96
#define m disk[MERCHANT]
#define stageM(s) ((s) & 7)
#define waysM(s) ((s) & 24)
#define RUNNING (m < PLAIN)
#define owesM(s) (BIT(R1) | IF(stageM(s) >= 1, BIT(R4)) | IF(stageM(s) == 2, BIT(R6_1)) \
    | IF(stageM(s) == 3, BIT(R8_1)) \
  | IF(stageM(s) == 4, BIT(R6_2)) | IF(stageM(s) == 5, BIT(R8_2)) \
  | IF((s) < 32 && waysM(s) == PLAIN, \
      (stageM(s) == 5 -> BIT(R9_2) : (stageM(s) >= 3 -> BIT(R9_1) : BIT(R9_0)))) \
  | IF((s) < 32 && waysM(s) == FORCE, (stageM(s) == 4 -> BIT(R9F_2) : BIT(R9F_1))) \
  | IF((s) < 32 && waysM(s) == CANCELLING, BIT(CANCEL)) | IF((s) < 32 && waysM(s) != 0 \
      && now >= EXPIRATION, BIT(ASK)))

#define AUTHORISATION R2
#define OTHER_SALE R2o
#define LOCKED_M R3M
#define LOCKED_C R3C
#define PAYING COMMITS
#define FREEING BIT(R10b)
#define TELLS_PAID 0
#define TELLS_FREED 0

#ifndef BUG_ARCHIVES_LATE
#if LIAR != MERCHANT && LIAR != ARCHIVE
#define CLOCK_WAITS ((stageM(disk[MERCHANT]) != 0 || stageM(mem[MERCHANT]) != 0) \
    && phaseA(disk[ARCHIVE]) == 0)
#endif
#endif

#if LIAR == CUSTOMER
#define SAYS (BIT(R2) | BIT(R2o) | BIT(R5_1) | BIT(R7_1) | BIT(R5_2) | BIT(R7_2))
active proctype Customer() {
  do
  LIE(SHOWN(R1), R2)
  LIE(1, R2o)
  LIE(1, R5_1)
  LIE(SHOWN(R6_1), R7_1)
  LIE(SHOWN(R6_1), R5_2)
  LIE(SHOWN(R6_2) && LONG, R7_2)
  LIE(SHOWN(R3C), ASK)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(R1), 1)
  ON(CUSTOMER, c == 1 && GOT(R3C), 2)
  ON(CUSTOMER, c == 1 && GOT(REFUSAL), C_REFUSED)
  ON(CUSTOMER, c == 2 && GOT(R4), 3)
  ON(CUSTOMER, c == 3, 4)
  ON(CUSTOMER, c == 4 && GOT(R6_1), (LONG -> 5 : 7))
  ON(CUSTOMER, c == 5 && GOT(R8_1), 6)
#ifdef BUG_ACKNOWLEDGES_BLINDLY
  ON(CUSTOMER, c == 5, 10)
  ON(CUSTOMER, c == 10 && GOT(R6_2), 11)
  ON(CUSTOMER, c == 11 && GOT(R8_1), 8)
#endif
  ON(CUSTOMER, c == 6, 7)
  ON(CUSTOMER, c == 7 && GOT(R6_2), 8)
  ON(CUSTOMER, c == 8 && GOT(R8_2) && LONG, 9)
  ON(CUSTOMER, OPENC && c >= 1 && GOT(R10a_0), c + PAID_0)
  ON(CUSTOMER, OPENC && c >= 1 && GOT(R10a_1), c + PAID_1)
  ON(CUSTOMER, OPENC && c >= 1 && GOT(R10a_2), c + PAID_2)
  ON(CUSTOMER, OPENC && c >= 2 && GOT(R10b), c + C_ABORTED)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(R1) | BIT(R4) | BIT(R6_1) | BIT(R8_1) | BIT(R6_2) | BIT(R8_2) | BIT(R9_0) | BIT(R9_1) \
    | BIT(R9_2) \
  | BIT(R9F_1) | BIT(R9F_2) | BIT(R9F_2n) | BIT(CANCEL))
active proctype Merchant() {
  do
  LIE(1, R1)
  LIE(1, R4)
  LIE(SHOWN(R5_1), R6_1)
  LIE(SHOWN(R6_1), R8_1)
  LIE(SHOWN(R5_2), R6_2)
  LIE(SHOWN(R6_2), R8_2)
  LIE(SHOWN(R3M), R9_0)
  LIE(SHOWN(R3M) && SHOWN(R7_1), R9_1)
  LIE(SHOWN(R3M) && SHOWN(R7_2), R9_2)
  LIE(SHOWN(R3M) && SHOWN(R5_1), R9F_1)
  LIE(SHOWN(R3M) && SHOWN(R5_2) && (LONG || SHOWN(R6_2)), R9F_2)
#ifdef KNOWN_FORCED_WITHOUT_KEY
  LIE(SHOWN(R3M) && SHOWN(R5_2), R9F_2n)
#endif
  LIE(SHOWN(R3M), CANCEL)
  LIE(SHOWN(R3M), ASK)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(R3M) && now < EXPIRATION, 1)
  ON(MERCHANT, m == 0 && GOT(R3M), CANCELLING)
  ON(MERCHANT, m == 1 && GOT(R5_1), 2)
  ON(MERCHANT, m == 2 && GOT(R7_1), (LONG -> 3 : 4))
  ON(MERCHANT, m == 3 && GOT(R5_2), 4)
  ON(MERCHANT, m == 4 && GOT(R7_2) && LONG, 5)
  // It closes when it likes, plainly or by force; -DSHORT shows why force is needed.
  ON(MERCHANT, RUNNING && m >= 1 && (LONG || m != 4), m + PLAIN)
  ON(MERCHANT, RUNNING && (m == 2 || m == 4), m + FORCE)
  ON(MERCHANT, m >= PLAIN && m < 32 && GOTANY(COMMITS), stageM(m) + M_COMMITTED)
  ON(MERCHANT, m >= PLAIN && m < 32 && GOT(R10b), stageM(m) + M_ABORTED)
  ON(MERCHANT, m >= M_COMMITTED && m < M_CREDITED && GOT(CREDIT), m - M_COMMITTED + M_CREDITED)
  od
}
#endif

#include "bank.pml"

// Archive: open, committed 0, 1 or 2, aborted, committed 2 and serves no R8_1 (defect); flag: forced, so it
// serves the ciphertext.
#define A_ABORTED 4
#define A_KEYLESS 5
#define A_SERVES 8
#define a disk[ARCHIVE]
#define phaseA(s) ((s) & 7)
#define owesA(s) (IF(phaseA(s) == 1, BIT(R10a_0)) | IF(phaseA(s) == 2, BIT(R10a_1)) \
    | IF(phaseA(s) == 3, BIT(R10a_2)) \
  | IF(phaseA(s) == A_ABORTED, BIT(R10b)) | IF(phaseA(s) == A_KEYLESS, BIT(R10a_2) | BIT(GOODSn)) \
      | IF((s) & A_SERVES, BIT(GOODS)))
#if LIAR == ARCHIVE
#define SAYS (COMMITS | BIT(R10b) | BIT(GOODS) | BIT(LEAK))
active proctype Archive() {
  do
  LIE(SHOWN(R9_0), R10a_0)
  LIE(SHOWN(R9_1) || SHOWN(R9F_1), R10a_1)
  LIE(SHOWN(R9_2) || SHOWN(R9F_2), R10a_2)
  LIE(SHOWN(R9F_1) || SHOWN(R9F_2), GOODS)
  LIE(SHOWN(R3M), R10b)
  LIE(SHOWN(R9_0) || SHOWN(R9_1) || SHOWN(R9_2) || SHOWN(R9F_1) || SHOWN(R9F_2), LEAK)
  :: break
  od;
end: false
}
#else
#define IN_TIME(handed_in) (a == 0 && now < EXPIRATION && (handed_in))
active proctype Archive() {
end:
  do
  STORE(ARCHIVE, owesA)
  ON(ARCHIVE, IN_TIME(GOT(R9_0)), 1)
  ON(ARCHIVE, IN_TIME(GOT(R9_1)), 2)
  ON(ARCHIVE, IN_TIME(GOT(R9_2)), 3)
  ON(ARCHIVE, IN_TIME(GOT(R9F_1)), 2 + A_SERVES)
  ON(ARCHIVE, IN_TIME(GOT(R9F_2)), 3 + A_SERVES)
#ifdef KNOWN_FORCED_WITHOUT_KEY
  ON(ARCHIVE, IN_TIME(GOT(R9F_2n)), A_KEYLESS)
#endif
  ON(ARCHIVE, a == 0 && now >= EXPIRATION && GOT(ASK), A_ABORTED)
  ON(ARCHIVE, a == 0 && GOT(CANCEL), A_ABORTED)
  od
}
#endif

// The highest key that left M, or that the archive published.
#define KEYS_OUT ((SHOWN(R8_2) || SHOWN(R10a_2)) -> 3 : ((SHOWN(R8_1) || SHOWN(R10a_1)) -> 2 : \
  ((SHOWN(R4) || SHOWN(R10a_0)) -> 1 : 0)))
#define ALWAYS (ONE_PLACE && (HONEST(ARCHIVE) -> !OUTCOMES_BOTH : 1) \
  && (phaseB(b) == B_RELEASED && ((m >= M_COMMITTED && m < M_ABORTED) || (c >= PAID_0 && c < C_ABORTED)) \
    -> OUTCOMES_BOTH : 1))
#define ENDS ( \
  (HONEST(BANK) && HONEST(ARCHIVE) -> phaseB(b) != B_LOCKED : 1) \
  && (HONEST(CUSTOMER) && HONEST(ARCHIVE) -> (c >= PAID_0 || (c == 0 && !HONEST(MERCHANT)) \
    || (c == 1 && !HONEST(BANK))) : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (m == 0 || m >= M_CREDITED || (m >= M_COMMITTED \
      && !HONEST(BANK))) : 1))
// C that paid up to j reads all up to j. M that gave keys up to j is paid up to j.
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) && HONEST(ARCHIVE) && B_PAID -> \
    (HAS_0 && (J < 1 || (HAS_1 && TEXT_1)) && (J < 2 || (HAS_2 && TEXT_2))) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && B_PAID -> ((c >= PAID_0 && c < C_ABORTED) || OUTCOMES_BOTH) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && HONEST(ARCHIVE) && KEYS_OUT != 0 -> (B_PAID && m >= M_CREDITED \
    && m < M_ABORTED && J + 1 >= KEYS_OUT) : 1))
#define NOT_CREDITED (SHOWN(R3M) && SHOWNANY(COMMITS) && !SHOWN(CREDIT))
#define JUSTICE ( \
  (HONEST(BANK) -> ((!NOT_CREDITED || OUTCOMES_BOTH) && !(SHOWN(REFUSAL) && SHOWN(R3M))) : 1) \
  && (HONEST(BANK) && B_PAID -> (J == 0 || (J == 1 && (SHOWN(R7_1) || SHOWN(R5_1))) \
    || (J == 2 && (SHOWN(R7_2) || SHOWN(R5_2)))) : 1) \
  && (!HONEST(BANK) && m >= M_COMMITTED && m < M_CREDITED -> (NOT_CREDITED || SHOWN(CREDIT)) : 1))
#define GOAL (B_PAID && J == 2 && HAS_0 && HAS_1 && HAS_2)
#define ALTERNATIVE (phaseB(b) == B_RELEASED && c >= C_ABORTED)
#include "end.pml"
