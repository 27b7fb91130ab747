// Invoice purchase with a passive archive (catalogue section 3). The archive is a record without keys:
// anybody adds and reads, nobody deletes. The bank decides whether t is spent, in time by its own clock, and
// posts k in the record. A lying archive can only show a record to some and not to others; so whoever reads
// may be shown nothing.
#include "common.pml"

#define REG 0    // 2: C posts p_t at the address h(t)
#define SEEN 1   // 3: C reads it there
#define INV 2    // 5, with the ciphertext; contains h(t)
#define TOKEN 3  // 6: P_m(token), S_c{INV}
#define TOKENo 4 // the same token and an endorsement to another merchant
#define POST 5   // 7: M posts P_b(token, h(t), k), INV, S_c{INV}
#define POSTED 6 // the bank reads it there
#define POSTo 7  // the other merchant's, straight to the bank
#define DEPOSIT 8 // 8: P_b(token, h(t), k)
#define DEPOSITw 9 // with an invoice that C did not endorse, over a useless k
#define CREDIT 10 // 9
#define KEYR 11  // the bank posts S_b(n, M, h(t), k)
#define KEYC 12  // C reads it there
#define KEYB 13  // the bank gives it to C that asks
#define ASK 14   // C asks the bank what became of t
#define UNUSED 15 // its signed answer from the expiration on: this invoice never took t and never will
#define SPENT 16 // its refusal to M: t is spent, with the proof
#define LEAK 17
#define TOO_LATE 18 // its refusal to M: the invoice is over
#define SQUAT 19 // somebody else posts a p_t of his own at h(t): by the hash no record of t (attack 12)

// Customer: registering, registered, endorsed, paid, free again.
#define C_REGISTERED 1
#define C_ENDORSED 2
#define C_PAID 3
#define C_FREE 4
#define c disk[CUSTOMER]
#define owesC(s) (IF(s == 0, BIT(REG)) | IF(s == C_ENDORSED, BIT(TOKEN)) | IF(s == C_ENDORSED, BIT(ASK)))

// Merchant: offered, handed in, credited, refused.
#define M_HANDED_IN 1
#define M_CREDITED 2
#define M_REFUSED 3
#define m disk[MERCHANT]
#define owesM(s) (BIT(INV) | IF(s == M_HANDED_IN, BIT(POST) | BIT(DEPOSIT)))

// Bank: unspent, M's, the other merchant's, M's without endorsement (defect), M's and k kept (defect).
#define B_PAID_M 1
#define B_PAID_OTHER 2
#define B_FORGED 3
#define B_KEPT 4
#define ONE_CREDIT 16
#define b disk[BANK]
#define phaseB(s) ((s) & 7)
#define CREDITS (b / ONE_CREDIT)
#define B_PAID (phaseB(b) != 0 && phaseB(b) != B_PAID_OTHER)
#define owesB(s) (IF(phaseB(s) == B_PAID_M, BIT(CREDIT) | BIT(KEYR) | BIT(KEYB)) \
    | IF(phaseB(s) == B_KEPT, BIT(CREDIT)) \
  | IF(phaseB(s) == B_PAID_OTHER, BIT(SPENT)))
#ifdef BUG_LE
#define IN_TIME (now <= EXPIRATION)
#else
#define IN_TIME (now < EXPIRATION)
#endif
#ifdef BUG_KEY_NOT_POSTED
#define B_PAYS B_KEPT
#else
#define B_PAYS B_PAID_M
#endif

#if LIAR == CUSTOMER
#define SAYS (BIT(REG) | BIT(TOKEN) | BIT(TOKENo) | BIT(POSTo))
active proctype Customer() {
  do
  LIE(1, REG)
  LIE(SHOWN(INV), TOKEN)
  LIE(1, TOKENo)
  LIE(SHOWN(TOKENo), POSTo)
  LIE(1, ASK)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(SEEN), C_REGISTERED)
  ON(CUSTOMER, c == C_REGISTERED && GOT(INV), C_ENDORSED)
  ON(CUSTOMER, c == C_ENDORSED && (GOT(KEYC) || GOT(KEYB)), C_PAID)
  ON(CUSTOMER, c == C_ENDORSED && GOT(UNUSED), C_FREE)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(INV) | BIT(POST) | BIT(DEPOSIT) | BIT(DEPOSITw) | BIT(LEAK) | BIT(SQUAT))
active proctype Merchant() {
  do
  LIE(1, INV)
  LIE(SHOWN(TOKEN), POST)
  LIE(SHOWN(TOKEN), DEPOSIT)
  LIE(SHOWN(TOKEN), DEPOSITw)
  LIE(1, LEAK)
  LIE(1, SQUAT)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(TOKEN), M_HANDED_IN)
  ON(MERCHANT, m == M_HANDED_IN && GOT(CREDIT), M_CREDITED)
  ON(MERCHANT, m == M_HANDED_IN && (GOT(SPENT) || GOT(TOO_LATE)), M_REFUSED)
  od
}
#endif

#if LIAR == BANK
#define SAYS (BIT(CREDIT) | BIT(KEYR) | BIT(KEYB) | BIT(UNUSED) | BIT(SPENT) | BIT(TOO_LATE) | BIT(LEAK))
active proctype Bank() {
  do
  LIE(SHOWN(DEPOSIT), CREDIT)
  LIE(SHOWN(DEPOSIT), KEYR)
  LIE(SHOWN(DEPOSIT), KEYB)
  LIE(SHOWN(DEPOSIT), LEAK)
  LIE(SHOWN(DEPOSIT), SPENT)
  LIE(SHOWN(DEPOSIT), TOO_LATE)
  LIE(SHOWN(REG), UNUSED)
  :: break
  od;
end: false
}
#else
active proctype Bank() {
end:
  do
  STORE(BANK, owesB)
  // The record and the deposit together: p_t, the endorsed invoice, hx, price, time.
  ON(BANK, b == 0 && GOT(POSTED) && GOT(DEPOSIT) && IN_TIME, B_PAYS + ONE_CREDIT)
  ON(BANK, b == 0 && GOT(POSTo), B_PAID_OTHER)
#ifdef BUG_ENDORSEMENT_UNCHECKED
  ON(BANK, b == 0 && GOT(DEPOSITw) && IN_TIME, B_FORGED + ONE_CREDIT)
#endif
#ifdef BUG_CREDIT_TWICE
  ON(BANK, phaseB(b) == B_PAID_M && CREDITS < 2 && GOT(DEPOSIT), b + ONE_CREDIT)
#endif
  ANSWER(BANK, phaseB(b) == 0 && now >= EXPIRATION && GOT(ASK), UNUSED)
  ANSWER(BANK, phaseB(b) == 0 && now >= EXPIRATION && GOT(DEPOSIT), TOO_LATE)
  od
}
#endif

// The record: what was posted can be read. A lying archive shows it or not, and makes nothing up.
#if LIAR == ARCHIVE
#define SAYS (BIT(SEEN) | BIT(POSTED) | BIT(KEYC))
active proctype Archive() {
  do
  LIE(SHOWN(REG), SEEN)
  LIE(SHOWN(REG) && SHOWN(POST), POSTED)
  LIE(SHOWN(KEYR), KEYC)
  :: break
  od;
end: false
}
#else
#define a disk[ARCHIVE]
#define R_REG 1
#define R_POST 2
#define R_KEY 4
#define R_SQUATTED 8
#ifdef BUG_FIRST_RECORD_COUNTS
#define FREE_FOR_REG ((a & R_SQUATTED) == 0)
#else
#define FREE_FOR_REG 1
#endif
#define owesA(s) (IF((s) & R_REG, BIT(SEEN)) | IF(((s) & R_REG) && ((s) & R_POST), BIT(POSTED)) \
    | IF((s) & R_KEY, BIT(KEYC)))
active proctype Archive() {
end:
  do
  STORE(ARCHIVE, owesA)
  ON(ARCHIVE, (a & R_REG) == 0 && FREE_FOR_REG && GOT(REG), a | R_REG)
  ON(ARCHIVE, (a & (R_SQUATTED | R_REG)) == 0 && GOT(SQUAT), a | R_SQUATTED)
  ON(ARCHIVE, (a & R_POST) == 0 && GOT(POST), a | R_POST)
  ON(ARCHIVE, (a & R_KEY) == 0 && GOT(KEYR), a | R_KEY)
  od
}
#endif

#define KEY_KNOWN (SHOWN(KEYR) || SHOWN(KEYB) || SHOWN(LEAK))
#define BANK_LIED ((SHOWN(UNUSED) && (SHOWN(CREDIT) || SHOWN(KEYR) || SHOWN(KEYB))) \
  || (SHOWN(SPENT) && !SHOWN(TOKENo)) || (SHOWN(TOO_LATE) && (SHOWN(CREDIT) || SHOWN(KEYR) || SHOWN(KEYB))))

// Invariants 2 and 3 at any time, 4: no use after "unused".
#define ALWAYS ( \
  (HONEST(BANK) -> (CREDITS <= 1 && (CREDITS == 1) == B_PAID && !(B_PAID && SHOWN(UNUSED))) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (!KEY_KNOWN || B_PAID) : 1))
#define ENDS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) -> (c >= C_PAID || (c == C_REGISTERED && !HONEST(MERCHANT)) \
    || (c == 0 && !HONEST(ARCHIVE))) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (m == 0 || m >= M_CREDITED) : 1))
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) -> (B_PAID == (c == C_PAID) && phaseB(b) != B_PAID_OTHER) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && KEY_KNOWN -> m == M_CREDITED : 1))
#define JUSTICE ( \
  (HONEST(BANK) -> !BANK_LIED : 1) \
  && (HONEST(CUSTOMER) && !HONEST(BANK) && c == C_FREE && SHOWN(CREDIT) -> BANK_LIED : 1) \
  && (HONEST(CUSTOMER) && !HONEST(BANK) && SHOWN(SPENT) -> BANK_LIED : 1))
#define GOAL (B_PAID && c == C_PAID)
#define ALTERNATIVE (b == 0 && c == C_FREE)
#include "end.pml"
