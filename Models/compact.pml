// Joint and compact (catalogue section 8, FIG. 7): M gives the bank k without waiting for an authorization.
// The expiration is the contract's. JB2ack makes a false "no authorization" provable (attack 10).
#include "common.pml"

#define JB1 0
#define JB2 1
#define JB2o 2   // the same token in another sale
#define JB2ack 3
#define REFUSAL 4
#define JB3 5    // k, sealed
#define JB3w 6   // with a wrong k
#define ASK 7    // for the outcome, at or after the expiration
#define JB4aM 8
#define JB4aC 9
#define RECEIPT 10
#define JB4bM 11 // aborted
#define JB4bC 12
#define JB4n 13  // refused: there is no authorization
#define LEAK 14
#define JB4al 15 // a commit stamped at or after the expiration (defect)
#define JB4aw 16 // a commit of a wrong k (defect)
#define COMMITS (BIT(JB4aM) | BIT(JB4aC))
#define ABORTS (BIT(JB4bM) | BIT(JB4bC) | BIT(JB4n))

// Customer: requested, authorised, locked, paid, aborted, refused.
#define C_AUTHORISED 1
#define C_LOCKED 2
#define C_PAID 3
#define C_ABORTED 4
#define C_REFUSED 5
#define c disk[CUSTOMER]
#define owesC(s) (IF(s == C_AUTHORISED, BIT(JB2)) | IF((s == C_AUTHORISED || s == C_LOCKED) \
    && now >= EXPIRATION, BIT(ASK)))

// Merchant: submitted from the first on, committed, credited, aborted.
#define M_COMMITTED 1
#define M_CREDITED 2
#define M_ABORTED 3
#define m disk[MERCHANT]
#define owesM(s) (BIT(JB1) | IF(s == 0, BIT(JB3)) | IF(s == 0 && now >= EXPIRATION, BIT(ASK)))

// Bank: absent, locked, committed, aborted, refused the customer, no authorization by the expiration, two
// defects.
#define B_LOCKED 1
#define B_COMMITTED 2
#define B_ABORTED 3
#define B_REFUSED 4
#define B_NONE 5
#define B_LATE 6
#define B_WRONG 7
#define ELSEWHERE 8
#define ONE_CREDIT 16
#define b disk[BANK]
#define phaseB(s) ((s) & 7)
#define CREDITS (b / ONE_CREDIT)
#define B_PAID (phaseB(b) == B_COMMITTED || phaseB(b) == B_LATE || phaseB(b) == B_WRONG)
#define HOLDS (phaseB(b) == B_LOCKED || B_PAID)
#define owesB(s) (IF(phaseB(s) >= B_LOCKED && phaseB(s) <= B_ABORTED, BIT(JB2ack)) \
  | IF(phaseB(s) == B_REFUSED, BIT(REFUSAL) | BIT(JB4n)) | IF(phaseB(s) == B_COMMITTED, COMMITS \
      | BIT(RECEIPT)) \
  | IF(phaseB(s) == B_ABORTED, BIT(JB4bM) | BIT(JB4bC)) | IF(phaseB(s) == B_NONE, BIT(JB4n) | BIT(REFUSAL)) \
  | IF(phaseB(s) == B_LATE, BIT(JB4al)) | IF(phaseB(s) == B_WRONG, BIT(JB4aw)))

#if LIAR == CUSTOMER
#define SAYS (BIT(JB2) | BIT(JB2o))
active proctype Customer() {
  do
  LIE(SHOWN(JB1), JB2)
  LIE(1, JB2o)
  LIE(SHOWN(JB1), ASK)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(JB1), C_AUTHORISED)
  ON(CUSTOMER, c == C_AUTHORISED && GOT(JB2ack), C_LOCKED)
  ON(CUSTOMER, c == C_AUTHORISED && GOT(REFUSAL), C_REFUSED)
  ON(CUSTOMER, (c == C_AUTHORISED || c == C_LOCKED) && GOT(JB4aC), C_PAID)
  ON(CUSTOMER, (c == C_AUTHORISED || c == C_LOCKED) && GOT(JB4bC), C_ABORTED)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(JB1) | BIT(JB3) | BIT(JB3w) | BIT(LEAK))
active proctype Merchant() {
  do
  LIE(1, JB1)
  LIE(1, JB3)
  LIE(1, JB3w)
  LIE(1, ASK)
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
  ON(MERCHANT, m == 0 && GOT(JB4aM), M_COMMITTED)
  ON(MERCHANT, m == 0 && (GOT(JB4bM) || GOT(JB4n)), M_ABORTED)
  ON(MERCHANT, m == M_COMMITTED && GOT(RECEIPT), M_CREDITED)
  od
}
#endif

#if LIAR == BANK
#define SAYS (BIT(JB2ack) | BIT(REFUSAL) | COMMITS | ABORTS | BIT(RECEIPT) | BIT(LEAK))
active proctype Bank() {
  do
  LIE(SHOWN(JB2), JB2ack)
  LIE(SHOWN(JB2), REFUSAL)
  LIE(SHOWN(JB3), JB4aM)
  LIE(SHOWN(JB3), JB4aC)
  LIE(SHOWN(JB1), JB4bM)
  LIE(SHOWN(JB1), JB4bC)
  LIE(SHOWN(JB1), JB4n)
  LIE(SHOWN(JB3), RECEIPT)
  LIE(SHOWN(JB3), LEAK)
  :: break
  od;
end: false
}
#else
#define PAYS(in_time, key) (phaseB(b) == B_LOCKED && GOT(key) && (in_time))
active proctype Bank() {
end:
  do
  STORE(BANK, owesB)
  ON(BANK, b == 0 && GOT(JB2) && now < EXPIRATION, B_LOCKED)
  ON(BANK, phaseB(b) == 0 && GOT(JB2), b + B_REFUSED)
  ON(BANK, phaseB(b) == 0 && GOT(ASK) && now >= EXPIRATION, b + B_NONE)
  ON(BANK, !HOLDS && (b & ELSEWHERE) == 0 && GOT(JB2o), b | ELSEWHERE)
  ON(BANK, PAYS(now < EXPIRATION, JB3), b - B_LOCKED + B_COMMITTED + ONE_CREDIT)
  ON(BANK, phaseB(b) == B_LOCKED && GOT(ASK) && now >= EXPIRATION, b - B_LOCKED + B_ABORTED)
#ifdef BUG_LE
  ON(BANK, PAYS(now == EXPIRATION, JB3), b - B_LOCKED + B_LATE + ONE_CREDIT)
#endif
#ifdef BUG_KEY_UNCHECKED
  ON(BANK, PAYS(now < EXPIRATION, JB3w), b - B_LOCKED + B_WRONG + ONE_CREDIT)
#endif
#ifdef BUG_WITHOUT_AUTHORISATION
  // k came, JB2 did not: the bank publishes all the same.
  ON(BANK, phaseB(b) == 0 && GOT(JB3) && now < EXPIRATION, b + B_LATE)
#endif
#ifdef BUG_CREDIT_TWICE
  ON(BANK, phaseB(b) == B_COMMITTED && CREDITS < 2 && GOT(JB3), b + ONE_CREDIT)
#endif
  od
}
#endif

#define M_HAS_COMMIT (m == M_COMMITTED || m == M_CREDITED)
#define KEY_KNOWN SHOWNANY(COMMITS | BIT(LEAK) | BIT(JB4al))
#define BOTH_SHOWN (SHOWNANY(COMMITS) && SHOWNANY(ABORTS))
#ifdef BUG_ACK_UNSIGNED
// What the bank says of the lock shows nothing to a judge (attack 10).
#define DENIED 0
#else
#define DENIED (SHOWN(JB2ack) && SHOWN(JB4n))
#endif

#define ALWAYS ( \
  (HONEST(BANK) -> (CREDITS <= 1 && (CREDITS == 1) == B_PAID && !((b & ELSEWHERE) && HOLDS) \
      && !BOTH_SHOWN) : 1) \
  && ((M_HAS_COMMIT && c == C_ABORTED) || (c == C_PAID && m == M_ABORTED) -> BOTH_SHOWN : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (!KEY_KNOWN || SHOWNANY(COMMITS)) : 1))
#define ENDS ( \
  (HONEST(BANK) -> phaseB(b) != B_LOCKED : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) -> (c >= C_PAID || (c == 0 && !HONEST(MERCHANT))) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) -> (m == M_CREDITED || m == M_ABORTED) : 1))
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) -> B_PAID == (c == C_PAID) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && KEY_KNOWN -> m == M_CREDITED : 1))
// B first holds k: a lying bank can use it and say that nobody authorised. Where it acknowledged JB2, that
// convicts it.
#define NOT_CREDITED (SHOWN(JB4aM) && !SHOWN(RECEIPT))
#define JUSTICE ( \
  (HONEST(BANK) -> !NOT_CREDITED && !DENIED && !(SHOWN(REFUSAL) && SHOWN(JB2ack)) : 1) \
  && (HONEST(BANK) && B_PAID -> (SHOWN(JB2) && SHOWN(JB3)) : 1) \
  && (!HONEST(BANK) && m == M_COMMITTED -> (NOT_CREDITED || SHOWN(RECEIPT)) : 1) \
  && (!HONEST(BANK) && c == C_LOCKED && GOT(JB4n) -> DENIED : 1))
#define GOAL (phaseB(b) == B_COMMITTED && c == C_PAID)
#define ALTERNATIVE (phaseB(b) == B_ABORTED && c == C_ABORTED)
#include "end.pml"
