// Announced purchase, two-phase commit (catalogue section 4, FIG. 3). C announces that t belongs to whoever
// knows sign_t, or to M. t is public from then on and never a bearer secret. The bank locks when M shows it
// the announcement and S_t(PO), which M holds since C gave it in message 4.
#include "common.pml"

#define PO 0    // 2, with the ciphertext
#define ANN 1   // 3, signed by sign_t
#define PUB 2   // the archive publishes 3
#define STPO 3  // 4: S_t(PO)
#define CLAIM 4 // 5, 6: M shows the bank 3 and 4
#define CLAIMo 5 // the same token, by another merchant
#define LOCK_M 6 // 7
#define LOCK_C 7 // 7 again, to C who asks
#define REFUSAL 8
#define MSG8 9  // S_m(S_t(PO), k, L), sealed
#define MSG8w 10 // with a wrong k
#define CANCEL 11
#define ASK 12
#define M9aB 13 // the commit
#define M9aM 14
#define M9aC 15
#define M9bB 16 // the abort
#define M9bM 17
#define M9bC 18
#define CREDIT 19
#define LEAK 20
#define BEARER 21 // t alone, from whoever read it
#define M9al 22 // a commit stamped at or after the expiry (defect)
#define M9aw 23 // a commit of a wrong k (defect)
#define M9bE 24 // an abort before the expiry, without a Cancel (defect)

// Customer: requested, announced, endorsed (sent 4), locked, paid, aborted, refused.
#define C_ANNOUNCED 1
#define C_ENDORSED 2
#define C_LOCKED 3
#define C_PAID 4
#define C_ABORTED 5
#define c disk[CUSTOMER]
#define owesC(s) (IF(s == C_ANNOUNCED || s == C_ENDORSED, BIT(ANN)) | IF(s == C_ENDORSED, BIT(STPO)) \
  | IF(s == C_LOCKED && now >= EXPIRATION, BIT(ASK)) | IF(s == C_PAID, FORWARDED(M9aB)) \
      | IF(s == C_ABORTED, BIT(M9bB)))

// Merchant: offered, claiming, submitted, cancelling, committed, credited, aborted, refused.
#define M_CLAIMING 1
#define M_SUBMITTED 2
#define M_CANCELLING 3
#define M_COMMITTED 4
#define M_CREDITED 5
#define M_ABORTED 6
#define M_REFUSED 7
#define m disk[MERCHANT]
#define owesM(s) (BIT(PO) | IF(s == M_CLAIMING, BIT(CLAIM)) | IF(s == M_SUBMITTED, BIT(MSG8)) \
  | IF(s == M_CANCELLING, BIT(CANCEL)) | IF((s == M_SUBMITTED || s == M_CANCELLING) \
      && now >= EXPIRATION, BIT(ASK)) \
  | IF(s == M_COMMITTED, FORWARDED(M9aB)) | IF(s == M_ABORTED, FORWARDED(M9bB)))

#define AUTHORISATION CLAIM
#define OTHER_SALE CLAIMo
#define LOCKED_M LOCK_M
#define LOCKED_C LOCK_C
#define PAYING BIT(M9aB)
#define FREEING BIT(M9bB)
#define TELLS_PAID BIT(M9aC)
#define TELLS_FREED BIT(M9bC)
#define COMMIT_B M9aB
#define COMMIT_M M9aM
#define COMMIT_C M9aC
#define ABORT_B M9bB
#define ABORT_M M9bM
#define ABORT_C M9bC
#define SUBMITTED GOT(MSG8)
#define SUBMITTED_EVER SHOWN(MSG8)
#define LOCK_SHOWN SHOWN(LOCK_M)
#define EARLY_ABORT M9bE
#define LATE_COMMIT M9al
#define FLAG_OWES BIT(PUB)
#define PUBLISHES ON(ARCHIVE, (a & A_FLAG) == 0 && GOT(ANN), a | A_FLAG)
#ifdef BUG_BEARER
#define UNPROVEN BIT(BEARER)
#endif
#ifdef BUG_KEY_UNCHECKED
#define UNPROVEN BIT(M9aw)
#define OTHER_COMMIT BIT(M9aw)
#define MORE_RECORDS PUBLISHES ON(ARCHIVE, phaseA(a) == 0 && GOT(MSG8w) && now < EXPIRATION, a + A_OTHER)
#else
#define MORE_RECORDS PUBLISHES
#endif
#define ARCHIVE_LIES LIE(SHOWN(ANN), PUB)
#if LIAR == ARCHIVE
#define SAYS_MORE BIT(PUB)
#endif

#if LIAR == CUSTOMER
#define SAYS (BIT(ANN) | BIT(STPO) | BIT(CLAIMo))
active proctype Customer() {
  do
  LIE(SHOWN(PO), ANN)
  LIE(SHOWN(PO), STPO)
  LIE(1, CLAIMo)
  LIE(SHOWN(LOCK_C) || SHOWN(LOCK_M), ASK)
  LIE(SHOWNANY(COMMIT), M9aB)
  LIE(SHOWNANY(ABORT), M9bB)
  :: break
  od;
end: false
}
#else
active proctype Customer() {
end:
  do
  STORE(CUSTOMER, owesC)
  ON(CUSTOMER, c == 0 && GOT(PO), C_ANNOUNCED)
  // It reads its own announcement in the record before it endorses.
  ON(CUSTOMER, c == C_ANNOUNCED && GOT(PUB), C_ENDORSED)
  ON(CUSTOMER, c == C_ENDORSED && GOT(LOCK_C), C_LOCKED)
  ON(CUSTOMER, (c == C_ENDORSED || c == C_LOCKED) && GOT(M9aC), C_PAID)
  ON(CUSTOMER, c == C_LOCKED && GOT(M9bC), C_ABORTED)
  od
}
#endif

#if LIAR == MERCHANT
#define SAYS (BIT(PO) | BIT(CLAIM) | BIT(MSG8) | BIT(MSG8w) | BIT(CANCEL) | BIT(LEAK) | BIT(BEARER))
active proctype Merchant() {
  do
  LIE(1, PO)
  LIE(SHOWN(PUB) && SHOWN(STPO), CLAIM)
  LIE(SHOWN(STPO) && SHOWN(LOCK_M), MSG8)
  LIE(SHOWN(STPO) && SHOWN(LOCK_M), MSG8w)
  LIE(SHOWN(LOCK_M), CANCEL)
  LIE(SHOWN(LOCK_M), ASK)
  LIE(1, LEAK)
  LIE(SHOWN(PUB), BEARER)
  LIE(SHOWNANY(COMMIT), M9aB)
  :: break
  od;
end: false
}
#else
active proctype Merchant() {
end:
  do
  STORE(MERCHANT, owesM)
  ON(MERCHANT, m == 0 && GOT(PUB) && GOT(STPO), M_CLAIMING)
  ON(MERCHANT, m == M_CLAIMING && GOT(LOCK_M), M_SUBMITTED)
  ON(MERCHANT, m == M_CLAIMING && GOT(LOCK_M), M_CANCELLING)
  ON(MERCHANT, m == M_CLAIMING && GOT(REFUSAL), M_REFUSED)
  ON(MERCHANT, (m == M_SUBMITTED || m == M_CANCELLING) && GOT(M9aM), M_COMMITTED)
  ON(MERCHANT, (m == M_SUBMITTED || m == M_CANCELLING) && GOT(M9bM), M_ABORTED)
  ON(MERCHANT, m == M_COMMITTED && GOT(CREDIT), M_CREDITED)
  od
}
#endif

#include "bank.pml"
#include "archive.pml"

#define M_HAS_COMMIT (m == M_COMMITTED || m == M_CREDITED)
#define C_HAS_COMMIT (c == C_PAID)
#define KEY_KNOWN SHOWNANY(COMMIT | BIT(LEAK) | BIT(M9al))

#define ALWAYS (ONE_PLACE && ONE_OUTCOME \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (!KEY_KNOWN || SHOWNANY(COMMIT)) : 1))
// C that nobody took up on its offer has t free at the bank and is at its end too.
#define ENDS ( \
  (HONEST(BANK) && HONEST(ARCHIVE) -> phaseB(b) != B_LOCKED : 1) \
  && (HONEST(BANK) && !HONEST(ARCHIVE) -> (phaseB(b) != B_LOCKED || (c < C_PAID && m < M_COMMITTED)) : 1) \
  && (HONEST(CUSTOMER) && HONEST(ARCHIVE) && HONEST(BANK) -> (c >= C_PAID || !HOLDS(b)) : 1) \
  && (HONEST(MERCHANT) && HONEST(ARCHIVE) -> (m == 0 || m >= M_CREDITED \
    || ((m == M_COMMITTED || m == M_CLAIMING) && !HONEST(BANK))) : 1))
#define MONEY_MATCHES_GOODS ( \
  (HONEST(CUSTOMER) && HONEST(BANK) && B_PAID -> (c == C_PAID || BOTH) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && c == C_PAID -> (B_PAID || BOTH) : 1) \
  && (HONEST(CUSTOMER) && HONEST(BANK) && c == C_ABORTED -> (!B_PAID || BOTH) : 1) \
  && (HONEST(MERCHANT) && HONEST(BANK) && HONEST(ARCHIVE) && KEY_KNOWN -> m == M_CREDITED : 1))
#define NOT_CREDITED (SHOWN(LOCK_M) && (HONEST(ARCHIVE) -> SHOWNANY(COMMIT) : m == M_COMMITTED) \
    && !SHOWN(CREDIT))
#define JUSTICE ( \
  (HONEST(BANK) -> ((!NOT_CREDITED || BOTH) && !(SHOWN(REFUSAL) && SHOWN(LOCK_M))) : 1) \
  && (HONEST(BANK) && B_PAID -> (SHOWN(STPO) && SHOWNANY(COMMIT)) : 1) \
  && (!HONEST(BANK) && m == M_COMMITTED -> (NOT_CREDITED || SHOWN(CREDIT)) : 1))
#define GOAL (phaseB(b) == B_SETTLED && c == C_PAID)
#define ALTERNATIVE (phaseB(b) == B_RELEASED && c == C_ABORTED)
#include "end.pml"
