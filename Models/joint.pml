// The bank is the archive too (catalogue section 7, FIG. 6): it locks, publishes the one outcome and credits
// in the same write. Its own answer ends the lock, never its clock alone.
#include "common.pml"

#define JA1 0
#define JA2 1
#define JA2o 2 // the same token in another sale
#define JA3M 3
#define JA3C 4
#define REFUSAL 5
#define JA4 6  // k, sealed
#define JA4w 7 // with a wrong k
#define CANCEL 8
#define ASK 9
#define JA5aM 10
#define JA5aC 11
#define RECEIPT 12
#define JA5bM 13
#define JA5bC 14
#define LEAK 15
#define JA5al 16 // a commit stamped at or after the expiration (defect)
#define JA5aw 17 // a commit of a wrong k (defect)
#define JA5bE 18 // an abort before the expiration, without a Cancel (defect)
#define COMMITS (BIT(JA5aM) | BIT(JA5aC))
#define ABORTS (BIT(JA5bM) | BIT(JA5bC))
#define BOTH_SHOWN (SHOWNANY(COMMITS) && SHOWNANY(ABORTS))

// Customer: requested, authorised, locked, paid, aborted, refused.
#define C_AUTHORISED 1
#define C_LOCKED 2
#define C_PAID 3
#define C_ABORTED 4
#define C_REFUSED 5
#define c disk[CUSTOMER]
#define owesC(s) (IF(s == C_AUTHORISED, BIT(JA2)) | IF(s == C_LOCKED && now >= EXPIRATION, BIT(ASK)))

// Merchant: offered, submitted, cancelling, committed, credited, aborted.
#define M_SUBMITTED 1
#define M_CANCELLING 2
#define M_COMMITTED 3
#define M_CREDITED 4
#define M_ABORTED 5
#define m disk[MERCHANT]
#define owesM(s) (BIT(JA1) | IF(s == M_SUBMITTED, BIT(JA4)) | IF(s == M_CANCELLING, BIT(CANCEL)) \
  | IF((s == M_SUBMITTED || s == M_CANCELLING) && now >= EXPIRATION, BIT(ASK)))

// Bank: absent, locked, committed, aborted, refused, and three defects; flags as in bank.pml.
#define B_LOCKED 1
#define B_COMMITTED 2
#define B_ABORTED 3
#define B_REFUSED 4
#define B_LATE 5
#define B_WRONG 6
#define B_EARLY 7
#define ELSEWHERE 8
#define ONE_CREDIT 16
#define b disk[BANK]
#define phaseB(s) ((s) & 7)
#define CREDITS (b / ONE_CREDIT)
#define B_PAID (phaseB(b) == B_COMMITTED || phaseB(b) == B_LATE || phaseB(b) == B_WRONG)
#define HOLDS (phaseB(b) == B_LOCKED || B_PAID)
#define owesB(s) (IF(phaseB(s) != 0 && phaseB(s) != B_REFUSED, BIT(JA3M) | BIT(JA3C)) \
  | IF(phaseB(s) == B_REFUSED, BIT(REFUSAL)) | IF(phaseB(s) == B_COMMITTED, COMMITS | BIT(RECEIPT)) \
  | IF(phaseB(s) == B_ABORTED, ABORTS) | IF(phaseB(s) == B_LATE, BIT(JA5al)) \
      | IF(phaseB(s) == B_WRONG, BIT(JA5aw)) \
  | IF(phaseB(s) == B_EARLY, BIT(JA5bE)))

#if LIAR == CUSTOMER
#define SAYS (BIT(JA2) | BIT(JA2o))
active proctype Customer() {
  do
  LIE(SHOWN(JA1), JA2)
  LIE(1, JA2o)
  LIE(SHOWN(JA3C), ASK)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(JA1), C_AUTHORISED)
  ON(CUSTOMER, c == C_AUTHORISED && GOT(JA3C), C_LOCKED)
  ON(CUSTOMER, c == C_AUTHORISED && GOT(REFUSAL), C_REFUSED)
  ON(CUSTOMER, (c == C_AUTHORISED || c == C_LOCKED) && GOT(JA5aC), C_PAID)
  ON(CUSTOMER, c == C_LOCKED && GOT(JA5bC), C_ABORTED)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(JA1) | BIT(JA4) | BIT(JA4w) | BIT(CANCEL) | BIT(LEAK))
active proctype Merchant() {
  do
  LIE(1, JA1)
  LIE(SHOWN(JA3M), JA4)
  LIE(SHOWN(JA3M), JA4w)
  LIE(SHOWN(JA3M), CANCEL)
  LIE(SHOWN(JA3M), ASK)
  LIE(1, LEAK)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(JA3M), M_SUBMITTED)
  ON(MERCHANT, m == 0 && GOT(JA3M), M_CANCELLING)
  ON(MERCHANT, (m == M_SUBMITTED || m == M_CANCELLING) && GOT(JA5aM), M_COMMITTED)
  ON(MERCHANT, (m == M_SUBMITTED || m == M_CANCELLING) && GOT(JA5bM), M_ABORTED)
  ON(MERCHANT, m == M_COMMITTED && GOT(RECEIPT), M_CREDITED)
  od
}
#endif

#if LIAR == BANK
#define SAYS (BIT(JA3M) | BIT(JA3C) | BIT(REFUSAL) | COMMITS | ABORTS | BIT(RECEIPT) | BIT(LEAK))
active proctype Bank() {
  do
  LIE(1, JA3M)
  LIE(SHOWN(JA2), JA3C)
  LIE(SHOWN(JA2), REFUSAL)
  LIE(SHOWN(JA4), JA5aM)
  LIE(SHOWN(JA4), JA5aC)
  LIE(SHOWN(JA3M), JA5bM)
  LIE(SHOWN(JA3M), JA5bC)
  LIE(SHOWN(JA4), RECEIPT)
  LIE(SHOWN(JA4), LEAK)
  :: break
  od;
end: false
}
#else
active proctype Bank() {
end:
  do
  STORE(BANK, owesB)
  ON(BANK, b == 0 && GOT(JA2), B_LOCKED)
  ON(BANK, phaseB(b) == 0 && GOT(JA2), b + B_REFUSED)
  ON(BANK, !HOLDS && (b & ELSEWHERE) == 0 && GOT(JA2o), b | ELSEWHERE)
  ON(BANK, phaseB(b) == B_LOCKED && GOT(JA4) && now < EXPIRATION, b - B_LOCKED + B_COMMITTED + ONE_CREDIT)
  ON(BANK, phaseB(b) == B_LOCKED && GOT(ASK) && now >= EXPIRATION, b - B_LOCKED + B_ABORTED)
  ON(BANK, phaseB(b) == B_LOCKED && GOT(CANCEL), b - B_LOCKED + B_ABORTED)
#ifdef BUG_LE
  ON(BANK, phaseB(b) == B_LOCKED && GOT(JA4) && now == EXPIRATION, b - B_LOCKED + B_LATE + ONE_CREDIT)
#endif
#ifdef BUG_KEY_UNCHECKED
  ON(BANK, phaseB(b) == B_LOCKED && GOT(JA4w) && now < EXPIRATION, b - B_LOCKED + B_WRONG + ONE_CREDIT)
#endif
#ifdef BUG_EARLY_ABORT
  ON(BANK, phaseB(b) == B_LOCKED && GOT(ASK) && now < EXPIRATION, b - B_LOCKED + B_EARLY)
#endif
#ifdef BUG_CREDIT_TWICE
  ON(BANK, phaseB(b) == B_COMMITTED && CREDITS < 2 && GOT(JA4), b + ONE_CREDIT)
#endif
#ifdef BUG_CLOCK_UNLOCKS
  // Unlocked, and nothing signed about it: the lock is open for a later commit.
  ON(BANK, phaseB(b) == B_LOCKED && (b & ELSEWHERE) == 0 && now >= EXPIRATION && GOT(JA2o), b | ELSEWHERE)
#endif
  od
}
#endif

#define M_HAS_COMMIT (m == M_COMMITTED || m == M_CREDITED)
#define KEY_KNOWN SHOWNANY(COMMITS | BIT(LEAK) | BIT(JA5al))

// Invariants 2, 3 at any time, and 4: a bank that tells each another outcome leaves both as proof.
#define ALWAYS ( \
  (HONEST(BANK) -> (CREDITS <= 1 && (CREDITS == 1) == B_PAID && !((b & ELSEWHERE) && HOLDS) \
      && !BOTH_SHOWN) : 1) \
  && ((M_HAS_COMMIT && c == C_ABORTED) || (c == C_PAID && m == M_ABORTED) -> BOTH_SHOWN : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (!KEY_KNOWN || SHOWNANY(COMMITS)) : 1))
#define ENDS ( \
  (HONEST(BANK) -> phaseB(b) != B_LOCKED : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) -> (c >= C_PAID || (c == 0 && !HONEST(MERCHANT))) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (m == 0 || m == M_CREDITED || m == M_ABORTED) : 1))
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) -> B_PAID == (c == C_PAID) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && KEY_KNOWN -> m == M_CREDITED : 1))
// A lying bank may open with k and deny it; then M has JA3 and no outcome, or the abort of what C calls
// committed.
#define NOT_CREDITED (SHOWN(JA3M) && SHOWN(JA5aM) && !SHOWN(RECEIPT))
#define JUSTICE ( \
  (HONEST(BANK) -> !NOT_CREDITED && !(SHOWN(REFUSAL) && SHOWN(JA3M)) : 1) \
  && (HONEST(BANK) && B_PAID -> (SHOWN(JA2) && SHOWN(JA4)) : 1) \
  && (!HONEST(BANK) && m == M_COMMITTED -> (NOT_CREDITED || SHOWN(RECEIPT)) : 1) \
  && (!HONEST(BANK) && c == C_PAID && m == M_ABORTED -> BOTH_SHOWN : 1))
#define GOAL (phaseB(b) == B_COMMITTED && c == C_PAID)
#define ALTERNATIVE (phaseB(b) == B_ABORTED && c == C_ABORTED)
#include "end.pml"
